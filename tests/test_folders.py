"""The folders of the identities: a view of the catalogue that can be rebuilt at will."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import analysis, painted_settings, sha_of, track, track_analysis, unit
from sqlalchemy import delete, update

from archive.catalogue import Catalogue
from archive.events import WritingFolders
from archive.folders import write_folders
from archive.found import Found, Stamp
from archive.names import as_text, clock, identity_folder, slug
from archive.records import COLUMNS
from archive.schema import assignments, identities
from archive.sorting.settle import settle
from cvid.errors import CatalogueError

RED, GREEN = unit(1, 0, 0), unit(0, 1, 0)
MODELS = {"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Red in two videos of one name, green in one, and somebody seen too briefly."""
    made = Catalogue.create_or_open(tmp_path)
    made.settle_models(MODELS)
    made.start_run({})
    for name, people, length_s in (
        ("x/clip.mp4", (RED, GREEN), 5),
        ("y/clip.mp4", (RED,), 5),
        ("z.mp4", (unit(0, 0, 1),), 0.2),
    ):
        made.record([Found("/footage", name, Stamp(1, 2, 3), sha_of(name), None)])
        seen = [track_analysis(track(1, 1 + length_s, x=60.0 * i), who) for i, who in enumerate(people)]
        made.save(1, analysis(sha_of(name), seen))
    settle(made, painted_settings())
    return made


def write(catalogue: Catalogue) -> list[WritingFolders]:
    told: list[WritingFolders] = []
    write_folders(catalogue, catalogue.folder, told.append)
    return told


def red(catalogue: Catalogue) -> str:
    return next(a.identity for a in catalogue.appearances() if a.video == "y/clip.mp4")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.stat().st_ino)
        for part in ("identities", "unassigned")
        for p in sorted((folder / part).rglob("*"))
    }


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in snapshot(folder) if (folder / name).is_file()}


def test_a_folder_tells_all(catalogue: Catalogue) -> None:
    told = write(catalogue)
    home = catalogue.folder / "identities" / red(catalogue)
    assert names_in(home) == ["faces", "identity.json", "log.csv", "log.jsonl", "portrait.jpg"]
    faces = names_in(home / "faces")
    assert len(faces) == 2 and faces[0] == "clip_00h00m01.000s.jpg" and faces[1].startswith("clip_00h00m01.000s_")
    with (home / "log.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert header[:14] == [
        "identity",
        "name",
        "video",
        "start_s",
        "end_s",
        "x1",
        "y1",
        "x2",
        "y2",
        "best_s",
        "faces",
        "quality",
        "similarity",
        "evidence",
    ]
    assert [row[2] for row in rows] == ["x/clip.mp4", "y/clip.mp4"] and rows[0][3:9] == [
        "1.000",
        "6.000",
        "0.0",
        "10.0",
        "40.0",
        "50.0",
    ]
    lines = [json.loads(line) for line in (home / "log.jsonl").read_text().splitlines()]
    assert [line["similarity"] for line in lines] == [1.0, 1.0] and tuple(lines[0]) == COLUMNS
    summary = json.loads((home / "identity.json").read_text())
    assert summary["schema_version"] == 1 and summary["appearances"] == 2 and summary["mean_similarity"] == 1.0
    assert told[-1] == WritingFolders(3, 3)


def test_what_is_nobodys_lies_apart(catalogue: Catalogue) -> None:
    write(catalogue)
    assert names_in(catalogue.folder / "unassigned" / "faces") == ["z_00h00m01.000s.jpg"]
    log = (catalogue.folder / "unassigned" / "log.csv").read_text().splitlines()
    assert len(log) == 2 and log[1].startswith(",,z.mp4,") and log[1].endswith(',"too short, and nobody similar"')


def test_unchanged_folders_are_left_alone(catalogue: Catalogue) -> None:
    write(catalogue)
    before = snapshot(catalogue.folder)
    write(catalogue)
    assert snapshot(catalogue.folder) == before


def test_folders_are_rebuilt_from_the_catalogue(catalogue: Catalogue) -> None:
    write(catalogue)
    before = content(catalogue.folder)
    shutil.rmtree(catalogue.folder / "identities")
    (catalogue.folder / "unassigned" / "summary.json").write_text("[damaged")
    write(catalogue)
    assert content(catalogue.folder) == before


def test_what_a_stopped_run_left_is_cleared(catalogue: Catalogue) -> None:
    write(catalogue)
    before = content(catalogue.folder)
    home = catalogue.folder / "identities"
    (home / red(catalogue)).rename(home / f".leaving-{red(catalogue)}")
    (home / ".writing-P0001" / "faces").mkdir(parents=True)
    (home / "P9999-gone").mkdir()
    (home / "my notes.txt").touch()
    (catalogue.folder / ".writing-unassigned").mkdir()
    write(catalogue)
    assert content(catalogue.folder) == before | {"identities/my notes.txt": b""}
    assert not [p for p in catalogue.folder.rglob("*") if p.name.startswith((".writing", ".leaving", "P9999"))]


def test_a_link_is_neither_followed_nor_replaced(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> None:
    precious = tmp_path_factory.mktemp("precious")
    (precious / "keep").touch()
    home = catalogue.folder / "identities"
    home.mkdir()
    (home / "P7777").symlink_to(precious, target_is_directory=True)
    write(catalogue)
    assert (precious / "keep").exists() and (home / "P7777").is_symlink()
    shutil.rmtree(home / red(catalogue))
    (home / red(catalogue)).symlink_to(precious, target_is_directory=True)
    with pytest.raises(CatalogueError, match="is in the way"):
        write(catalogue)
    assert names_in(precious) == ["keep"]


def test_a_named_identity_has_its_name_in_the_folder(catalogue: Catalogue) -> None:
    write(catalogue)
    identity = red(catalogue)
    catalogue.connection.execute(update(identities).where(identities.c.id == identity).values(name="Jane ../../Doe\n"))
    write(catalogue)
    names = names_in(catalogue.folder / "identities")
    assert f"{identity}-jane-doe" in names and identity not in names
    log = (catalogue.folder / "identities" / f"{identity}-jane-doe" / "log.jsonl").read_text().splitlines()
    assert json.loads(log[0])["name"] == "Jane ../../Doe\n"


@pytest.mark.skipif(os.name != "posix", reason="other systems allow fewer names")
def test_hostile_video_names(catalogue: Catalogue) -> None:
    names = [
        "=cmd|'/c calc'!A1.mp4",
        'new\nline,"quoted".mp4',
        os.fsdecode(b"\xff\xfe.mp4"),
        "  .mp4",
        "🎬.mp4",
        "x" * 240 + ".mp4",
        "日本語.mp4",
    ]
    for name in names:
        catalogue.record([Found("/footage", name, Stamp(1, 2, 3), sha_of(repr(name)), None)])
        catalogue.save(1, analysis(sha_of(repr(name)), [track_analysis(track(2, 9), GREEN)]))
    settle(catalogue, painted_settings())
    write(catalogue)
    identity = next(a.identity for a in catalogue.appearances() if a.video == "🎬.mp4")
    home = catalogue.folder / "identities" / identity
    told = {as_text(name) for name in names}
    assert len(told) == len(names)
    with (home / "log.csv").open(newline="", encoding="utf-8") as file:
        assert told <= {row["video"] for row in csv.DictReader(file)}
    assert told <= {json.loads(line)["video"] for line in (home / "log.jsonl").read_text().splitlines()}
    faces = names_in(home / "faces")
    assert len(faces) == len(names) + 1 and "日本語_00h00m02.000s.jpg" in faces
    assert all(len(os.fsencode(face)) < 120 and face.endswith(".jpg") for face in faces)


def test_a_file_in_the_way_is_told(catalogue: Catalogue) -> None:
    (catalogue.folder / "identities").write_text("mine")
    with pytest.raises(CatalogueError, match="cannot be used"):
        write(catalogue)


def rename(catalogue: Catalogue, identity: str, name: str) -> None:
    catalogue.connection.execute(update(identities).where(identities.c.id == identity).values(name=name))


def test_what_a_user_put_there_stays(catalogue: Catalogue) -> None:
    (catalogue.folder / "unassigned").mkdir()
    (catalogue.folder / "unassigned" / "my only copy").write_text("precious")
    write(catalogue)
    identity = red(catalogue)
    home = catalogue.folder / "identities" / identity
    (home / "notes.txt").write_text("mine")
    (home / "papers" / "old").mkdir(parents=True)
    (home / "papers" / "old" / "scan.jpg").write_text("mine")
    (home / "log.csv").write_text("with my remarks")
    rename(catalogue, identity, "Jane Doe")
    write(catalogue)
    named = catalogue.folder / "identities" / f"{identity}-jane-doe"
    assert not home.exists()
    assert (named / "notes.txt").read_text() == (named / "papers/old/scan.jpg").read_text() == "mine"
    assert (named / "log.csv.kept").read_text() == "with my remarks"
    assert (named / "log.csv").read_text().startswith("identity,name,video")
    assert (catalogue.folder / "unassigned" / "my only copy").read_text() == "precious"
    rename(catalogue, identity, "")
    write(catalogue)
    assert (home / "log.csv.kept").exists() and (home / "notes.txt").exists() and not named.exists()


def test_the_folder_of_nobody_keeps_only_what_a_user_put_there(catalogue: Catalogue) -> None:
    write(catalogue)
    identity = red(catalogue)
    home = catalogue.folder / "identities" / identity
    (home / "faces" / "better.jpg").write_text("mine")
    (home / ".DS_Store").touch()
    catalogue.connection.execute(update(assignments).where(assignments.c.identity == identity).values(identity=None))
    catalogue.connection.execute(delete(identities).where(identities.c.id == identity))
    write(catalogue)
    assert [p.relative_to(home).as_posix() for p in sorted(home.rglob("*")) if p.is_file()] == ["faces/better.jpg"]
    (home / "faces" / "better.jpg").unlink()
    write(catalogue)
    assert not home.exists()


@pytest.mark.parametrize("harm", ["delete the portrait", "cut the log", "delete a face", "delete the summary"])
def test_a_damaged_folder_is_written_anew(catalogue: Catalogue, harm: str) -> None:
    write(catalogue)
    before = content(catalogue.folder)
    home = catalogue.folder / "identities" / red(catalogue)
    if harm == "cut the log":
        (home / "log.csv").write_text("")
    else:
        {
            "delete the portrait": home / "portrait.jpg",
            "delete a face": next((home / "faces").iterdir()),
            "delete the summary": home / "identity.json",
        }[harm].unlink()
    write(catalogue)
    kept = home / "log.csv.kept"
    assert kept.exists() == (harm == "cut the log")
    kept.unlink(missing_ok=True)
    assert content(catalogue.folder) == before


@pytest.mark.parametrize("step", range(12))
def test_a_kill_while_a_folder_is_replaced_loses_nothing(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    write(catalogue)
    identity = red(catalogue)
    home = catalogue.folder / "identities"
    (home / identity / "notes.txt").write_text("mine")
    (home / identity / "faces" / "mine.jpg").write_text("mine too")
    rename(catalogue, identity, "Jane")
    done = 0

    class Killed(BaseException):
        pass

    def counted(operation: Callable[..., object]) -> Callable[..., object]:
        def call(*args: Any, **more: Any) -> object:
            nonlocal done
            done += 1
            if done > step:
                raise Killed
            return operation(*args, **more)

        return call

    with monkeypatch.context() as patch:
        for name in ("rename", "unlink", "rmdir"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        with pytest.raises(Killed):
            write(catalogue)
    write(catalogue)
    named = home / f"{identity}-jane"
    assert (named / "notes.txt").read_text() == "mine" and (named / "faces" / "mine.jpg").read_text() == "mine too"
    assert names_in(named) == ["faces", "identity.json", "log.csv", "log.jsonl", "notes.txt", "portrait.jpg"]
    assert not [p for p in home.iterdir() if p.name.startswith(".") or p.name == identity]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("a\x00b\u202ec", "a-b-c"),
        ("", "none"),
        ("...", "none"),
        ("é" * 50, "é" * 30),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text, "none") == expected


def test_names_of_folders_and_times() -> None:
    assert identity_folder("P0001", "") == identity_folder("P0001", "/") == "P0001"
    assert identity_folder("P0001", "Jane Doe") == "P0001-jane-doe"
    assert clock(3723.4567) == "01h02m03.457s"


def test_a_path_as_text_can_be_told_back() -> None:
    paths = ["a b.mp4", "é.mp4", "\\xff.mp4", os.fsdecode(b"\xff.mp4"), "\\\\xff.mp4", os.fsdecode(b"\\\xff.mp4")]
    texts = [as_text(path) for path in paths]
    assert texts[:4] == ["a b.mp4", "é.mp4", r"\\xff.mp4", r"\xff.mp4"]
    assert [text.encode().decode() for text in texts] == texts and len(set(texts)) == len(paths)
    back = [re.sub(r"\\(\\|x(..))", lambda m: chr(0xDC00 + int(m[2], 16)) if m[2] else "\\", text) for text in texts]
    assert back == paths

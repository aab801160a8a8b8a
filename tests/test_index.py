"""The whole path on painted faces: index → people, again, moved, broken, stopped, killed, resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from builders import (
    BLUE,
    CYAN,
    RED,
    YELLOW,
    Shot,
    film,
    painted_settings,
    photograph,
    sound_only,
    write_video,
)
from fakes import open_others
from indexing import files, film_footage, index, seen, who

from archive.catalogue import Catalogue
from archive.events import Advanced, Event, Failed, Finished, Note, Scanned, Started, WritingFolders
from archive.index import choose_models, index_footage
from cvid.errors import CatalogueError, VideoError
from cvid.models.sets import SETS, Choice
from cvid.models.table import MODELS as TABLE


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    return film_footage(tmp_path / "footage")


def test_index_finds_the_people(tmp_path: Path, footage: Path) -> None:
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)

    people = who(tmp_path / "archive")
    (red,), (blue,) = people["a.mp4"], people["more clips/c.mp4"]
    assert people["b.mp4"] == people["d.png"] and red in people["b.mp4"] and len(people["b.mp4"]) == 2
    assert blue not in people["b.mp4"]
    assert {p.id: p.videos for p in summary.people} == {red: 3, blue: 1, (people["b.mp4"] - {red}).pop(): 2}

    told = summary.as_json()
    assert told["schema_version"] == 1
    assert told["videos"] == {"found": 4, "indexed": 4, "skipped": 0, "failed": 0, "ignored": 1}
    assert told["frames"].keys() == {"decoded", "analysed", "still", "dark", "soon"} and told["frames"]["decoded"] == 76
    assert told["frames"]["decoded"] == sum(v for k, v in told["frames"].items() if k != "decoded")
    assert (told["tracks"], told["identities"]) == (6, 3) and told["faces"] > 6
    assert told["models"] == {"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12}
    assert told["providers"] and 7 < told["video_seconds"] < 8 and told["seconds"] > 0
    json.dumps(told)

    kinds = [type(event) for event in events]
    assert kinds.count(Started) == kinds.count(Finished) == 4 and Advanced in kinds
    assert next(e for e in events if isinstance(e, Scanned)) == Scanned(4, 4, 0, 0, 1, 7.5)
    assert any(isinstance(e, Note) and "squares" in e.text for e in events) and isinstance(events[-1], WritingFolders)
    (log,) = (tmp_path / "archive" / "logs").iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"run", "scanned", "started", "finished", "clustering", "summary"} <= {line["event"] for line in lines}
    assert all(line["utc"].endswith("+00:00") for line in lines)
    assert sorted(p.name for p in (tmp_path / "archive" / "identities").iterdir()) == ["P0001", "P0002", "P0003"]


def test_a_second_run_skips_all_and_changes_nothing(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    before = files(tmp_path / "archive")
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)
    assert summary.videos == {"found": 4, "indexed": 0, "skipped": 4, "failed": 0, "ignored": 1}
    assert (
        summary.identities == 3 and summary.frames["decoded"] == 0 and summary.models["detector"].startswith("squares")
    )
    assert not any(isinstance(e, Started) for e in events)
    assert files(tmp_path / "archive") == before


def test_a_moved_file_keeps_its_tracks_and_a_duplicate_is_analysed_once(tmp_path: Path, footage: Path) -> None:
    shutil.copy(footage / "a.mp4", footage / "z copy of a.mp4")
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)
    assert summary.videos == {"found": 5, "indexed": 4, "skipped": 1, "failed": 0, "ignored": 1}
    assert next(e for e in events if isinstance(e, Scanned)).duplicates == 1
    before = {a.appearance: a.identity for a in seen(tmp_path / "archive")}

    (footage / "elsewhere").mkdir()
    (footage / "a.mp4").rename(footage / "elsewhere" / "renamed.mp4")
    (footage / "z copy of a.mp4").unlink()
    assert index(tmp_path / "archive", footage).videos["skipped"] == 4
    assert {a.appearance: a.identity for a in seen(tmp_path / "archive")} == before
    assert "elsewhere/renamed.mp4" in who(tmp_path / "archive") and "a.mp4" not in who(tmp_path / "archive")
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 0


def test_what_is_gone_is_missing_and_not_forgotten(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    before = seen(tmp_path / "archive")
    (footage / "b.mp4").rename(tmp_path / "b.mp4")
    index(tmp_path / "archive", footage)
    assert seen(tmp_path / "archive") == before
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 1
    (tmp_path / "b.mp4").rename(footage / "b.mp4")
    assert index(tmp_path / "archive", footage).videos["skipped"] == 4
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 0


def test_other_content_under_the_same_name_replaces_it(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    film(footage / "more clips" / "c.mp4", YELLOW, seconds=3)
    summary = index(tmp_path / "archive", footage)
    assert summary.videos["indexed"] == 1
    assert [a.end_s for a in seen(tmp_path / "archive") if a.video == "more clips/c.mp4"] == [pytest.approx(2.9)]
    assert summary.identities == 3 and "P0004" in {p.id for p in summary.people}, "blue is dissolved, yellow is new"


def test_what_is_damaged_midway_is_indexed_as_far_as_it_goes_and_named(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    video = write_video(tmp_path / "cut" / "cut.mkv", [Shot(8, {RED: (10, 30)}), Shot(8, {BLUE: (100, 50)})])
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    summary = index(tmp_path / "archive", tmp_path / "cut")
    assert (summary.videos["indexed"], summary.videos["failed"], summary.tracks > 0) == (1, 0, True)
    assert [f.path for f in summary.failures] == ["cut.mkv"] and "damaged after" in summary.failures[0].reason
    again = index(tmp_path / "archive", tmp_path / "cut")
    assert (again.videos["skipped"], again.damaged, again.failures) == (1, 1, summary.failures)
    video.rename(video.with_name("moved.mkv"))
    moved = index(tmp_path / "archive", tmp_path / "cut")
    assert [(f.path, f.reason) for f in moved.failures] == [("moved.mkv", summary.failures[0].reason)]
    with Catalogue.open(tmp_path / "archive") as catalogue:
        status = catalogue.status()
        assert (status.sources, status.failed, status.damaged) == (1, 0, 1)
        assert catalogue.failures() == moved.failures


def test_each_broken_file_is_one_failure_and_the_rest_is_indexed(tmp_path: Path, footage: Path) -> None:
    (footage / "empty.mp4").touch()
    (footage / "text.mov").write_text("words " * 100)
    sound_only(footage / "sound.mp4")
    (footage / "cut.mp4").write_bytes((footage / "a.mp4").read_bytes()[:500])
    photograph(footage / "half.png", RED).write_bytes((footage / "half.png").read_bytes()[:200])
    write_video(footage / "one frame.mp4", [Shot(0.1, {})])
    write_video(footage / "tiny.mp4", [Shot(0.5, {})], width=2, height=2)
    events: list[Event] = []
    for _ in range(2):
        events.clear()
        summary = index(tmp_path / "archive", footage, hook=events.append)
        failed = {f.path: f.reason for f in summary.failures}
        assert failed.keys() == {"cut.mp4", "empty.mp4", "half.png", "sound.mp4", "text.mov"} and all(failed.values())
        assert sorted(e.path for e in events if isinstance(e, Failed)) == sorted(failed)
        assert summary.videos["failed"] == 5
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().sources == 6 and {f.path: f.reason for f in catalogue.failures()} == failed
        assert catalogue.status().runs[0].outcome == "failures"
    film(footage / "empty.mp4", CYAN)
    assert index(tmp_path / "archive", footage).videos["indexed"] == 1, "failures are tried again"


def test_a_file_that_vanishes_during_the_run_fails(tmp_path: Path, footage: Path) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, Scanned):
            (footage / "a.mp4").unlink()
            film(footage / "b.mp4", CYAN)

    summary = index(tmp_path / "archive", footage, hook=hook)
    assert {f.path: f.reason for f in summary.failures} == {
        "a.mp4": "it vanished before it was read to its end",
        "b.mp4": "it changed while it was read; index it again when it is complete",
    }
    assert summary.videos["indexed"] == 2
    assert index(tmp_path / "archive", footage).videos == {
        "found": 3,
        "indexed": 1,
        "skipped": 2,
        "failed": 0,
        "ignored": 1,
    }


def test_ids_are_stable_when_footage_is_added(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage / "more clips", footage / "b.mp4")
    before = {a.appearance: a.identity for a in seen(tmp_path / "archive")}
    index(tmp_path / "archive", footage)
    after = {a.appearance: a.identity for a in seen(tmp_path / "archive")}
    assert before.items() <= after.items() and len(after) == 6


def test_the_archive_may_lie_inside_the_footage(tmp_path: Path, footage: Path) -> None:
    for _ in range(2):
        summary = index(footage / "archive", footage)
        assert (summary.videos["found"], summary.identities) == (4, 3)


def test_an_archive_without_faces_has_nobody(tmp_path: Path) -> None:
    write_video(tmp_path / "footage" / "empty.mp4", [Shot(2, {})])
    summary = index(tmp_path / "archive", tmp_path / "footage")
    assert (summary.identities, summary.faces, summary.people) == (0, 0, [])


def test_footage_is_never_written_to(tmp_path: Path, footage: Path) -> None:
    def state() -> list[tuple[str, int, bytes]]:
        return [
            (str(p), p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in sorted(footage.rglob("*"))
        ]

    before = state()
    index(tmp_path / "archive", footage)
    assert state() == before


def test_an_archive_is_rebuilt_from_its_footage(tmp_path: Path, footage: Path) -> None:
    """Lost altogether, an archive comes back the same: appearances, people and the faces in their folders."""
    index(tmp_path / "archive", footage)
    before = seen(tmp_path / "archive")
    faces = {p.name: p.read_bytes() for p in (tmp_path / "archive" / "identities").rglob("*.jpg")}
    shutil.rmtree(tmp_path / "archive")
    index(tmp_path / "archive", footage)
    assert seen(tmp_path / "archive") == before
    assert {p.name: p.read_bytes() for p in (tmp_path / "archive" / "identities").rglob("*.jpg")} == faces


def test_other_models_are_refused(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage / "a.mp4")
    before = seen(tmp_path / "archive")
    with pytest.raises(
        CatalogueError, match="squares:000000000000 and colours:000000000000, not with squares:111111111111"
    ):
        index_footage(
            tmp_path / "archive", [footage], painted_settings(), lambda e: None, open_parts=open_others, engine="inline"
        )
    with pytest.raises(CatalogueError, match="not with mtcnn and dlib_resnet"):
        choice = Choice(("mtcnn",), ("dlib_resnet",), "embedded", "asked for", "")
        index_footage(tmp_path / "archive", [footage], painted_settings(), lambda e: None, choice=choice)
    assert seen(tmp_path / "archive") == before
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert [run.outcome.partition(":")[0] for run in catalogue.status().runs] == [
            "stopped by CatalogueError",
            "done",
        ]


def test_an_archive_keeps_to_its_models_when_better_ones_appear(tmp_path: Path) -> None:
    for name in SETS["light"].detectors + SETS["light"].embedders:
        weights = TABLE[name].weights
        assert weights
        (tmp_path / weights.file).touch()
    settings = painted_settings(model_dir=str(tmp_path))
    with Catalogue.create_or_open(tmp_path / "archive") as catalogue:
        assert choose_models(catalogue, settings).set_name == "light"
        own = {"detector": "mtcnn:0", "embedder": "dlib_resnet:0", "set": "embedded"}
        catalogue.settle_models(own)
        kept = choose_models(catalogue, settings)
        assert (kept.detectors, kept.embedders, kept.set_name) == (("mtcnn",), ("dlib_resnet",), "embedded")
        named = choose_models(catalogue, painted_settings(model_dir=str(tmp_path), models="light"))
        assert named.detectors == ("scrfd_500m",), "what the user names is tried, and then refused"


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="there is no such file or folder"):
        index(tmp_path / "archive", tmp_path / "nothing")
    assert not (tmp_path / "archive").exists()


def test_a_folder_cannot_be_footage_and_archive(tmp_path: Path, footage: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be footage and archive at once"):
        index(footage, footage)
    assert not (footage / "catalogue.sqlite").exists()

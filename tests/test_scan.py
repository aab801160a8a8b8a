"""Looking through footage: what is found, what fails, what is ignored, and how files are known again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import RED, film, may_read_everything, photograph, sound_only

from archive.found import Found, Ignored, Item, Known, PassedOver, Stamp, Unreadable
from archive.scan import scan, scope_of

NO_ARCHIVE = Path("/nowhere/archive")


def look(
    *footage: Path,
    known: dict[str, Known] | None = None,
    indexed: Sequence[str] = (),
    archive: Path = NO_ARCHIVE,
    roots: Sequence[str] = (),
) -> list[Item]:
    return list(scan(scope_of(footage, roots), known or {}, indexed.__contains__, archive, lambda event: None))


def paths(items: Sequence[Item], kind: type) -> list[str]:
    return [item.path for item in items if isinstance(item, kind)]


def reasons(items: Sequence[Item]) -> dict[str, str]:
    return {item.path: item.reason for item in items if isinstance(item, Unreadable)}


def test_media_failed_and_ignored(tmp_path: Path) -> None:
    film(tmp_path / "sub" / "deep" / "clip.mp4", RED, seconds=0.5)
    photograph(tmp_path / "still.png", RED)
    film(tmp_path / "no-suffix.mp4", RED, seconds=0.5).rename(tmp_path / "footage-without-a-suffix")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "text.mp4").write_text("not a video at all\n" * 50)
    (tmp_path / "truth.csv").write_text("video,person\n")
    sound_only(tmp_path / "sound.mp4")
    whole = film(tmp_path / "cut.mp4", RED, seconds=2).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:400])

    items = look(tmp_path)

    assert paths(items, Found) == ["footage-without-a-suffix", "still.png", "sub/deep/clip.mp4"]
    assert reasons(items).keys() == {"empty.mp4", "text.mp4", "sound.mp4", "cut.mp4"}
    assert reasons(items)["empty.mp4"] == "the file is empty"
    assert all(reasons(items).values())
    assert {Path(p).name for p in paths(items, Ignored)} == {"empty.txt", "truth.csv"}


def test_hostile_names_survive(tmp_path: Path) -> None:
    names = [
        "with space.png",
        "[red]x[bold].png",
        "-rf.png",
        "ünï 🎬.png",
        "new\nline.png",
        "tab\t\x1b[31m.png",
        "a" * 200 + ".png",
    ]
    if os.name == "posix":
        names.append(os.fsdecode(b"latin-\xe9\xff.png"))
    for name in names:
        photograph(tmp_path / "made.png", RED).rename(tmp_path / name)
    assert sorted(paths(look(tmp_path), Found)) == sorted(names)


def test_hidden_files_and_archives_are_not_scanned(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for place in (own, other, tmp_path / ".cache", tmp_path):
        photograph(place / "face.png", RED)
    photograph(tmp_path / "._face.png", RED)
    (other / "catalogue.sqlite").touch()
    items = look(tmp_path, archive=own)
    assert paths(items, Found) == ["face.png"]
    assert paths(items, PassedOver) == [str(other)]


def test_a_hidden_folder_named_by_the_user_is_scanned(tmp_path: Path) -> None:
    photograph(tmp_path / ".private" / "face.png", RED)
    assert paths(look(tmp_path / ".private"), Found) == ["face.png"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links(tmp_path: Path) -> None:
    photograph(tmp_path / "z" / "face.png", RED)
    (tmp_path / "z" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a-link-to-z").symlink_to(tmp_path / "z", target_is_directory=True)
    photograph(tmp_path.parent / f"{tmp_path.name}-elsewhere" / "far.png", RED)
    (tmp_path / "out").symlink_to(tmp_path.parent / f"{tmp_path.name}-elsewhere", target_is_directory=True)
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nothing")

    items = look(tmp_path)

    assert paths(items, Found) == ["z/face.png", "out/far.png"], "by the real path; linked folders last"
    assert reasons(items) == {"dangling.mp4": "the link points to nothing"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "live.mp4")
    assert paths(look(tmp_path), Ignored) == [str(tmp_path / "live.mp4")]


def test_roots(tmp_path: Path) -> None:
    film(tmp_path / "a" / "one.mp4", RED, seconds=0.3)
    film(tmp_path / "b" / "c" / "two.mp4", RED, seconds=0.4)
    named = look(tmp_path / "a", tmp_path / "b" / "c" / "two.mp4")
    assert [(i.root, i.path) for i in named if isinstance(i, Found)] == [
        (str(tmp_path / "a"), "one.mp4"),
        (str(tmp_path / "b" / "c"), "two.mp4"),
    ]
    inside = look(tmp_path / "b" / "c", roots=[str(tmp_path)])
    assert paths(inside, Found) == ["b/c/two.mp4"], "a known root keeps naming what lies in it"
    assert paths(look(tmp_path / "b", tmp_path / "b" / "c"), Found) == ["c/two.mp4"], "nothing twice"


def test_a_known_file_is_not_read_again(tmp_path: Path) -> None:
    path = photograph(tmp_path / "face.png", RED)
    (first,) = look(tmp_path)
    assert isinstance(first, Found) and first.info
    known = {str(path): Known(str(tmp_path), first.stamp, "as recorded", indexed=True)}

    (same,) = look(tmp_path, known=known)
    assert isinstance(same, Found) and same.sha256 == "as recorded" and same.info is None

    os.utime(path, ns=(1, 1))
    (changed,) = look(tmp_path, known=known)
    assert isinstance(changed, Found) and changed.sha256 == first.sha256 and changed.info

    (moved,) = look(tmp_path, indexed=[first.sha256])
    assert isinstance(moved, Found) and moved.sha256 == first.sha256 and moved.info is None


def test_a_file_known_but_not_indexed_is_not_hashed_again(tmp_path: Path) -> None:
    path = photograph(tmp_path / "face.png", RED)
    known = {str(path): Known(str(tmp_path), Stamp.of(path.stat()), "as recorded", indexed=False)}
    (item,) = look(tmp_path, known=known)
    assert isinstance(item, Found) and item.sha256 == "as recorded" and item.info


@pytest.mark.skipif(may_read_everything(), reason="the superuser may read everything")
def test_no_permission(tmp_path: Path) -> None:
    photograph(tmp_path / "secret.png", RED).chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    try:
        assert {p: r.lower() for p, r in reasons(look(tmp_path)).items()} == {
            "secret.png": "permission denied",
            "closed": "permission denied",
        }
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        photograph(tmp_path / name, RED)
    items: list[Item] = []
    for item in scan(scope_of([tmp_path], []), {}, lambda sha256: False, NO_ARCHIVE, lambda event: None):
        items.append(item)
        (tmp_path / "b.png").unlink(missing_ok=True)
    assert paths(items, Found) == ["a.png"]
    assert reasons(items) == {"b.png": "it vanished while the footage was looked through"}


def test_footage_is_not_written_to(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", RED, seconds=0.5)
    path.chmod(0o400)
    os.utime(path, ns=(10**18, 10**18))
    before = (path.stat().st_mtime_ns, path.read_bytes(), sorted(tmp_path.iterdir()))
    look(tmp_path)
    assert (path.stat().st_mtime_ns, path.read_bytes(), sorted(tmp_path.iterdir())) == before

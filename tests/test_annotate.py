"""Annotating a video by the verb: boxes where the faces are, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from annotated import bgr, cast, film_of, follow, made, moving, near, trail
from builders import BLUE, GREEN, LEFT, MIDDLE, RATE, RED, SIDE, Place, Shot, paint, write_video
from calling import run
from filming import read
from indexing import index, seen

from archive.catalogue import Catalogue
from archive.trails import content_of
from cvid.types import Bytes
from reports.annotating.annotate import Step, annotate
from reports.annotating.film import AnnotatingError
from reports.annotating.scene import Wish
from reports.annotating.ways import Way

BESIDE = (75, 50)
"""Beside a face at the left, and for 25 px not so near the edge that the square grows together with it."""


def assert_boxed(picture: Bytes, corner: Place, colour: tuple[int, ...], side: int = SIDE) -> None:
    """A box of a colour sits around a face, to 2 px."""
    x, y = corner
    middle = y + side // 2
    for left, right in ((x, "left"), (x + side - 1, "right")):
        assert any(near(picture, (left + dx, middle), colour, 60) for dx in range(-3, 4)), (right, corner)
    below = y + side - 1
    assert any(near(picture, (x + side // 2, below + dy), colour, 60) for dy in range(-3, 4)), ("bottom", corner)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos: red and green in one, blue in the other after a shot of nobody."""
    home = tmp_path_factory.mktemp("annotate")
    write_video(home / "footage" / "a.mp4", [Shot(2.5, {RED: LEFT, GREEN: BESIDE}, drift=1.0)])
    write_video(home / "footage" / "b.mp4", [Shot(1.0, {}, 60), Shot(2.0, {BLUE: MIDDLE}, 180)])
    (home / "footage" / "notes.txt").write_text("no footage")
    index(home / "archive", home / "footage")
    return home


def test_boxes_follow_the_faces_between_the_frames_that_were_looked_at(archive: Path, tmp_path: Path) -> None:
    source = archive / "footage" / "a.mp4"
    before = source.read_bytes()
    done = run("annotate", source, "-o", tmp_path / "out.mp4", "--archive", archive / "archive")
    assert done.exit_code == 0, done.output
    assert "2 people in 2 appearances" in done.stdout and "real time" in done.stdout
    shown, original = read(tmp_path / "out.mp4"), read(source)
    assert [f.time_s for f in shown] == pytest.approx([f.time_s for f in original])
    who = {(a.x1 > 60): a for a in seen(archive / "archive") if a.video == "a.mp4"}
    assert len({a.identity for a in who.values()}) == 2
    looked_at = {round(a.best_s * RATE) for a in who.values()}
    checked = 0
    for number, frame in enumerate(shown):
        for right, (x, y) in ((False, LEFT), (True, BESIDE)):
            if who[right].start_s <= frame.time_s <= who[right].end_s:
                assert_boxed(frame.bgr, (x + number, y), bgr(who[right].identity))
                checked += number not in looked_at
    assert checked > 20
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_box_goes_on_a_smooth_way_and_nowhere_else() -> None:
    track = follow([0.0, 0.5, 1.0, 4.0, 4.5], lambda s: (round(100 * s * s), 20))
    way = Way(track, max_gap_s=1.5)
    for place, time_s in enumerate(track.time_s):
        assert way.at(float(time_s)) == pytest.approx(track.xyxy[place])
    steps = [box[0] for s in np.linspace(0, 1, 51) if (box := way.at(float(s))) is not None]
    assert len(steps) == 51 and (np.diff(steps) >= -1e-6).all(), "it never goes back"
    assert np.abs(np.diff(steps, 2)).max() < 0.4, "nor jerks"
    assert way.at(-0.1) is None and way.at(2.0) is None and way.at(3.9) is None and way.at(4.6) is None
    assert way.shown() == [(0.0, 1.0), (4.0, 4.5)]


def test_a_face_that_was_seen_once_is_shown_for_a_moment(tmp_path: Path) -> None:
    source = film_of(tmp_path / "once.mp4", moving(RED, lambda s: MIDDLE))
    output, _ = made(source, trail(follow([1.0], lambda s: MIDDLE)))
    boxed = [near(f.bgr, (MIDDLE[0], MIDDLE[1] + SIDE // 2), bgr("P0001"), 60) for f in read(output)]
    assert [n for n, there in enumerate(boxed) if there] == [10, 11, 12]


def test_boxes_are_drawn_only_for_those_asked_for(archive: Path, tmp_path: Path) -> None:
    who = {(a.x1 > 60): a.identity for a in seen(archive / "archive") if a.video == "a.mp4"}
    source, output = archive / "footage" / "a.mp4", tmp_path / "only.mp4"
    done = run(
        "annotate", source, "-o", output, "--archive", archive / "archive", "--only", who[True].lower(), "--json"
    )
    told = json.loads(done.stdout)
    assert [p["id"] for p in told["people"]] == [who[True]] and (told["drawn"], told["covered"]) == (1, 0)
    assert (told["frames"], told["schema_version"], told["blur"], told["damage"]) == (25, 1, None, "")
    frame = read(output)[5].bgr
    assert_boxed(frame, (BESIDE[0] + 5, BESIDE[1]), bgr(who[True]))
    assert not near(frame, (LEFT[0] + 5, LEFT[1] + SIDE // 2), bgr(who[False]), 60)
    other = run("annotate", archive / "footage" / "b.mp4", "-o", tmp_path / "b.mp4", "--archive",
                archive / "archive", "--only", who[True])  # fmt: skip
    assert f"not seen in it: {who[True]}" in other.stdout


# what is refused, and what is left behind


def test_a_moved_copy_is_known_by_its_content(archive: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "renamed [1].mp4"
    moved.parent.mkdir()
    moved.write_bytes((archive / "footage" / "b.mp4").read_bytes())
    done = run("annotate", moved, "-o", tmp_path / "o.mp4", "--archive", archive / "archive")
    assert done.exit_code == 0 and "1 person in 1 appearance" in done.stdout


def test_a_file_is_read_only_where_the_scan_has_not_seen_it(tmp_path: Path) -> None:
    """As large, but changed since: it is another file."""
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(1.0, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        known = content_of(catalogue.connection, source)
        assert known == hashlib.sha256(source.read_bytes()).hexdigest()
        data = bytearray(source.read_bytes())
        data[-1] ^= 1
        source.write_bytes(data)
        assert content_of(catalogue.connection, source) == hashlib.sha256(data).hexdigest() != known


def refused(*args: str | Path) -> str:
    done = run("annotate", *args)
    assert done.exit_code == 1 and done.stderr.count("\n") == 1 and not done.stdout, done.output
    return str(done.stderr)


def test_what_cannot_be_annotated_says_why(archive: Path, tmp_path: Path) -> None:
    folder, at = archive / "footage", ("--archive", archive / "archive")
    output = ("-o", tmp_path / "o.mp4")
    stranger = film_of(tmp_path / "new\x1b.mp4", [paint({})] * 3)
    said = refused(stranger, *output, *at)
    assert "is not in the archive" in said and "index '" in said and "\x1b" not in said
    assert "there is no such file; name a video" in refused(tmp_path / "none.mp4", *output, *at)
    assert f"one of that name lies at {folder / 'a.mp4'}" in refused(tmp_path / "a.mp4", *output, *at)
    assert "is not in the archive" in refused(folder / "notes.txt", *output, *at)
    assert "is no file" in refused(folder, *output, *at)
    assert "has no identity" in refused(folder / "a.mp4", *output, *at, "--only", "P0099")
    assert "is no font" in refused(folder / "a.mp4", *output, *at, "--font", folder / "notes.txt")
    assert "there is no archive" in refused(folder / "a.mp4", *output, "--archive", tmp_path / "none")
    assert list(tmp_path.glob("*o.mp4*")) == []


def test_a_video_that_is_gone_is_told(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(1.0, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    source.unlink()
    said = refused(source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert "there is no such file; the archive saw it at" in said and "name where it lies now" in said


def test_a_photograph_is_refused(tmp_path: Path) -> None:
    from builders import photograph

    source = photograph(tmp_path / "footage" / "a.png", RED)
    index(tmp_path / "archive", source.parent)
    assert "is a photograph" in refused(source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")


def test_what_may_not_be_written_is_left_alone(archive: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes((archive / "footage" / "a.mp4").read_bytes())
    at = ("--archive", archive / "archive")
    other = archive / "footage" / "b.mp4"
    contents = source.read_bytes(), other.read_bytes()
    link, hard = tmp_path / "link.mp4", tmp_path / "hard.mp4"
    link.symlink_to(source)
    hard.hardlink_to(source)
    for output in (source, link, hard):
        assert "is the video itself" in refused(source, "-o", output, *at, "--overwrite")
    assert "is footage of the archive" in refused(source, "-o", other, *at, "--overwrite")
    assert "belongs to an archive" in refused(source, "-o", archive / "archive" / "identities" / "x.mp4", *at)
    assert "ends in .mp4" in refused(source, "-o", tmp_path / "o.mkv", *at)
    assert "there is no folder" in refused(source, "-o", tmp_path / "no" / "o.mp4", *at)
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    assert "add --overwrite" in refused(source, "-o", taken, *at)
    assert taken.read_bytes() == b"mine" and (source.read_bytes(), other.read_bytes()) == contents
    assert run("annotate", source, "-o", taken, *at, "--overwrite").exit_code == 0
    assert len(read(taken)) == 25


@pytest.mark.parametrize(
    "more", [["--blur", "others"], ["--blur", "all", "--only", "P0001"], ["--blur", "some"], ["-o", ""]]
)
def test_wrong_usage(more: list[str], archive: Path) -> None:
    done = run("annotate", archive / "footage" / "a.mp4", "--archive", archive / "archive", *more)
    assert done.exit_code == 2 and "Usage: cvid annotate" in done.stderr


def test_an_output_among_the_footage_is_told(archive: Path, tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(1.0, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    done = run("annotate", source, "-o", source.parent / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 0 and "the next index would take it for footage" in done.stdout


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE))
    home = tmp_path / "out"
    home.mkdir()

    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate(source, cast(), Wish(), home / "o.mp4", interrupt)
    assert list(home.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_behind(archive: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    source = archive / "footage" / "a.mp4"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(AnnotatingError, match=r"o\.mp4: cannot be written \(File too large\)"):
            annotate(source, cast(), Wish(), tmp_path / "o.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_plain_lines(archive: Path, tmp_path: Path) -> None:
    from io import StringIO

    from rich.console import Console

    from reports.annotating.display import Display

    lines: list[str] = []
    now = iter(range(100))
    with Display(Console(file=StringIO()), lines.append, "a\x1b.mp4", lambda: float(next(now))) as display:
        for second in range(0, 21, 2):
            display(Step(second * 10, float(second), 20.0))
    assert len(lines) == 10 and lines[0].startswith("a\\x1b.mp4: 0:02 of 0:20 · 20 frames · 1.0× real time")
    assert "left" in lines[0] and "left" not in lines[-1]


def test_progress_is_a_bar_in_a_terminal() -> None:
    from io import StringIO

    from rich.console import Console

    from reports.annotating.display import Display

    screen, lines = StringIO(), list[str]()
    console = Console(file=screen, force_terminal=True, width=120, legacy_windows=False)
    now = iter(range(100))
    with Display(console, lines.append, "clip [holiday].mp4", lambda: float(next(now))) as display:
        display(Step(50, 10.0, 20.0))
        display(Step(60, 12.0, 20.0))
    assert "clip [holiday].mp4" in screen.getvalue() and "0:12 of 0:20 · 60 frames" in screen.getvalue()
    assert "real time" in screen.getvalue() and "left" in screen.getvalue() and lines == []


def test_names_reach_the_picture_and_the_summary(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(2.5, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        (person,) = catalogue.people()
    for name in ("Jane Doe", "\x1b[31m<script>\u202e"):
        assert run("name", person.id, name, "--archive", tmp_path / "archive").exit_code in (0, 1)
        done = run(
            "annotate", source, "-o", tmp_path / "o.mp4", "--overwrite", "--archive", tmp_path / "archive", "--json"
        )
        assert done.exit_code == 0 and "\x1b" not in done.output
        assert len(read(tmp_path / "o.mp4")) == 25

"""The display of an index run: events in, fragments of the screen out."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from archive.events import (
    Advanced,
    Clustering,
    Event,
    Failed,
    Finished,
    Note,
    Scanned,
    Scanning,
    Started,
    WritingFolders,
)
from archive.records import Failure, Moment, Person
from cvid.analyse import Progress
from cvid.types import FrameCounts
from reports.names import printable
from reports.progress import RunProgress
from reports.tables import failures_table, people_table
from reports.terminal import LiveDisplay, PlainLog, view_of
from reports.wording import clock, count, size, span

ROOT = Path(__file__).parent.parent
HOSTILE = "\x1b[2J[red]x\u202egpj.mp4\n\udcff\x07"
COUNTS = FrameCounts(250, {"cut": 3, "motion": 20, "floor": 7, "still": 90, "soon": 80, "dark": 50})


class Clock:
    """A clock that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(view: RenderableType, width: int = 80) -> str:
    """What a terminal of `width` columns would show, without colours."""
    text = StringIO()
    Console(file=text, width=width, height=24, markup=False, emoji=False, highlight=False, force_terminal=False).print(
        view
    )
    return text.getvalue()


def after(*events: Event) -> tuple[RunProgress, Clock]:
    """A run after some events, begun at second 0."""
    now = Clock()
    progress = RunProgress(now)
    for event in events:
        progress.take(event)
    return progress, now


def test_view_shows_what_is_done_running_and_left() -> None:
    progress, now = after(
        Scanned(9, 5, 3, 0, 2, 120.0),
        Started("a.mp4", 10.0),
        Finished("a.mp4", 41, 4, 10.0, COUNTS),
        Started("b.mp4", 60.0),
        Advanced("b.mp4", Progress(20.0, 60.0, 500, 40, 59, {"motion": 40, "still": 300, "soon": 160})),
    )
    now.now = 10.0
    view = shown(view_of(progress, 80))
    for fragment in (
        "1 of 5 done",
        "3 known already",
        "2 ignored",
        "30.0 s of 2 min 0 s",
        "3.0× real time",
        "about 31 s left",
        "750 decoded · 70 analysed (9%)",
        "390 nothing moved · 240 too soon after the last · 50 too dark",
        "Faces    100",
        "b.mp4",
        "0:20 / 1:00",
        "25%",
    ):
        assert fragment in view


def test_view_fits_a_narrow_screen() -> None:
    name = "very/long/" + "folder/" * 30 + "clip.mp4"
    progress, _ = after(Scanned(1, 1, 0, 0, 0, 9.0), Started(name, 9.0))
    lines = shown(view_of(progress, 60), 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) <= 24


def test_failed_files_count_as_done_only_where_they_were_in_work() -> None:
    progress, _ = after(
        Failed("empty.mp4", "the file is empty"),
        Scanned(2, 1, 0, 0, 0, 0.0),
        Started("b.mp4", 0.0),
        Failed("b.mp4", "worker died"),
    )
    assert (progress.done, progress.total) == (1, 1)
    assert progress.failures == [Failure("empty.mp4", "the file is empty"), Failure("b.mp4", "worker died")]
    assert progress.share == 1.0


def test_photographs_are_work_though_they_have_no_length() -> None:
    stills = [event for n in range(3) for event in (Started(f"{n}.jpg", 0.0), Finished(f"{n}.jpg", 1, 1, 0.0, COUNTS))]
    progress, now = after(Scanned(4, 4, 0, 0, 0, 0.0), *stills)
    now.now = 6.0
    assert progress.share == 0.75
    assert progress.left_s == 2.0


def test_a_second_attempt_is_counted_once() -> None:
    progress, _ = after(
        Scanned(1, 1, 0, 0, 0, 10.0),
        Started("a.mp4", 10.0),
        Advanced("a.mp4", Progress(8.0, 10.0, 200, 20, 5, {"motion": 20, "still": 180})),
        Started("a.mp4", 10.0),
    )
    assert (progress.decoded, progress.footage_s) == (0, 0.0)
    progress.take(Finished("a.mp4", 6, 1, 10.0, COUNTS))
    assert (progress.done, progress.decoded, progress.analysed, progress.faces) == (1, 250, 30, 6)


def test_stages_follow_the_run() -> None:
    progress, _ = after(Scanning(1200, 3_000_000))
    assert "1,200 files, 3 MB read" in progress.stage
    progress.take(Clustering(41))
    assert "41 tracks" in progress.stage
    progress.take(WritingFolders(2, 7))
    assert "2 of 7" in progress.stage


def test_nothing_is_known_at_the_start() -> None:
    progress, _ = after()
    assert progress.left_s is None and progress.speed == 0 and progress.share == 0
    assert "0 of 0 done" in shown(view_of(progress, 80))


def test_live_display_leaves_failures_and_notes_on_the_screen() -> None:
    text = StringIO()
    console = Console(file=text, width=80, force_terminal=True, markup=False, emoji=False, highlight=False)
    with LiveDisplay(console) as display:
        display(Note("models: mtcnn + dlib_resnet"))
        display(Scanned(1, 1, 0, 0, 0, 9.0))
        display(Failed("clip [holiday].mp4", "the file is empty"))
    assert "models: mtcnn + dlib_resnet" in text.getvalue()
    assert "clip [holiday].mp4: the file is empty" in text.getvalue()


def test_live_display_gives_the_cursor_back_when_interrupted() -> None:
    text = StringIO()
    with pytest.raises(KeyboardInterrupt), LiveDisplay(Console(file=text, force_terminal=True)):
        raise KeyboardInterrupt
    assert text.getvalue().rindex("\x1b[?25h") > text.getvalue().rindex("\x1b[?25l")


def test_plain_log_says_what_matters_in_single_lines() -> None:
    lines: list[str] = []
    with PlainLog(lines.append) as log:
        for event in (
            Scanning(3, 100),
            Scanned(3, 2, 1, 0, 1, 20.0),
            Note("models: mtcnn"),
            Started("a.mp4", 10.0),
            Finished("a.mp4", 41, 1, 10.0, COUNTS),
            Failed("b\n.mp4", "the file is empty"),
            Clustering(1),
        ):
            log(event)
    assert lines == [
        "scanned: 3 media files found, 2 to index (about 20.0 s), 1 known already, 0 twice the same; "
        "1 other file ignored",
        "models: mtcnn",
        "indexed 1/2 a.mp4: 10.0 s, 250 frames, 41 faces, 1 track",
        r"failed b\x0a.mp4: the file is empty",
        "sorting 1 track into people",
    ]


def test_plain_log_can_be_silent_but_for_failures() -> None:
    lines: list[str] = []
    log = PlainLog(lines.append, failures_only=True)
    log(Note("models"))
    log(Failed("b.mp4", "gone"))
    assert lines == ["failed b.mp4: gone"]


def test_hostile_names_neither_steer_the_terminal_nor_crash_it() -> None:
    moment = Moment(HOSTILE, 1.0)
    progress, _ = after(Scanned(1, 1, 0, 0, 0, 9.0), Started(HOSTILE, 9.0))
    person = Person("P0001", HOSTILE, 1, 1, 1.0, moment, moment, "confirmed")
    lines: list[str] = []
    PlainLog(lines.append)(Failed(HOSTILE, HOSTILE))
    for text in (
        shown(view_of(progress, 120), 120),
        shown(people_table([person]), 300),
        shown(failures_table([Failure(HOSTILE, HOSTILE)]), 300),
        *lines,
    ):
        assert not any(c in text for c in "\x1b\x07\u202e\udcff")
        assert r"\x1b[2J[red]x\u202egpj.mp4\x0a\xff\x07" in text
        text.encode()


def test_printable_leaves_ordinary_names_alone() -> None:
    for name in ("clip [1].mp4", "été 😀 日本.mov", "👩‍👧.mp4", "-x.mp4", ""):
        assert printable(name) == name
    assert printable("a\u2028b\ufeff") == r"a\u2028b\ufeff"


def test_people_table_shows_names_and_status() -> None:
    first, last = Moment("a.mp4", 4.0), Moment("b.mp4", 3700.0)
    people = [
        Person("P0001", "", 3, 5, 42.5, first, last, "unconfirmed"),
        Person("P0002", "Jane", 1, 1, 400.0, last, last, "confirmed"),
    ]
    text = shown(people_table(people), 100)
    for fragment in ("P0001", "P0002 Jane", "42.5 s", "6 min 40 s", "0:04 a.mp4", "1:01:40 b.mp4", "unconfirmed"):
        assert fragment in text
    assert "unconfirmed" not in shown(people_table(people, status=False), 100)
    assert max(len(line) for line in shown(people_table(people)).splitlines()) <= 80


def test_wording() -> None:
    assert [clock(v) for v in (0, 59.9, 60, 3661)] == ["0:00", "0:59", "1:00", "1:01:01"]
    assert [span(v) for v in (0, 59.94, 59.96, 3599.9, 7800)] == [
        "0.0 s",
        "59.9 s",
        "1 min 0 s",
        "1 h 0 min",
        "2 h 10 min",
    ]
    assert [count(n, "face") for n in (0, 1, 2000)] == ["0 faces", "1 face", "2,000 faces"]
    assert [size(n) for n in (5, 812_000, 3_400_000)] == ["5 B", "812 kB", "3.4 MB"]


@pytest.mark.parametrize("module", ["reports.terminal", "reports.tables"])
def test_views_demonstrate_themselves(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "interview.mp4" in done.stdout or "P0002" in done.stdout

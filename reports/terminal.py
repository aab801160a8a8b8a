"""What `index` shows while it works: a live display in a terminal, plain lines elsewhere.

Both are hooks for `archive.index.index_footage` and context managers. `python -m reports.terminal` prints an example.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from threading import Lock
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from archive.events import Clustering, Event, Failed, Finished, Note, Scanned
from reports.names import printable
from reports.progress import Current, RunProgress
from reports.wording import clock, count, span

REASONS = {"still": "nothing moved", "dark": "too dark", "soon": "too soon after the last"}
"""Why frames are skipped, in words."""

_REFRESHES_HZ = 5
_CURRENT_MOST = 6
_NAME_MOST = 30


class LiveDisplay:
    """The live view of an index run.

    Args:
        console: a terminal.
        progress: where the run stands; one of its own is made if not given.
    """

    def __init__(self, console: Console, progress: RunProgress | None = None) -> None:
        self.progress = progress or RunProgress()
        self._console = console
        self._lock = Lock()  # events come on one thread, the screen is drawn on another
        self._live = Live(self, console=console, refresh_per_second=_REFRESHES_HZ, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take an event; failures and notes stay on the screen above the live part."""
        with self._lock:
            self.progress.take(event)
        match event:
            case Failed(path, reason):
                self._console.print(Text.assemble(("failed ", "red"), printable(path), ": ", printable(reason)))
            case Note(text):
                self._console.print(Text(printable(text), "dim"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            view = view_of(self.progress, options.max_width)
        yield view


def view_of(progress: RunProgress, width: int) -> Group:
    """The figures of a run for a screen of `width` columns."""
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="bold cyan", no_wrap=True, min_width=7)
    figures.add_column(overflow="ellipsis", no_wrap=True)
    for label, text in _figures(progress):
        figures.add_row(label, text)
    return Group(_headline(progress, width), figures, _current(progress, width))


def _headline(progress: RunProgress, width: int) -> Table:
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True)
    bar = ProgressBar(total=1.0, completed=progress.share, width=max(width // 3, 10))
    line.add_row(Text(progress.stage, "bold"), bar, f"{progress.share:.0%}")
    return line


def _figures(progress: RunProgress) -> list[tuple[str, str]]:
    scanned = progress.scanned
    videos = f"{progress.done:,} of {progress.total:,} done"
    videos += "".join(
        f" · {number:,} {word}"
        for number, word in (
            (len(progress.failures), "failed"),
            (scanned.skipped, "known already"),
            (scanned.duplicates, "twice the same"),
            (scanned.ignored, "ignored"),
        )
        if number
    )
    share = f" ({progress.analysed / progress.decoded:.0%})" if progress.decoded else ""
    return [
        ("Videos", videos),
        ("Footage", f"{span(progress.footage_s)} of {span(scanned.video_seconds)}{_pace(progress)}"),
        ("Frames", f"{progress.decoded:,} decoded · {progress.analysed:,} analysed{share}"),
        ("Skipped", " · ".join(f"{n:,} {REASONS.get(r, r)}" for r, n in progress.skipped.items()) or "none"),
        ("Faces", f"{progress.faces:,}"),
    ]


def _pace(progress: RunProgress) -> str:
    text = f" · {progress.speed:.1f}× real time" if progress.speed else ""
    return text + (f" · about {span(ceil(progress.left_s), 0)} left" if progress.left_s is not None else "")


def _current(progress: RunProgress, width: int) -> Table:
    """The files in work, each with its own bar."""
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=max(width - 40, 12), overflow="ellipsis", no_wrap=True)
    table.add_column()
    table.add_column(no_wrap=True)
    running = list(progress.current.items())
    for path, current in running[:_CURRENT_MOST]:
        table.add_row(Text(_tail(path), "green"), _bar(current), _place(current))
    if len(running) > _CURRENT_MOST:
        table.add_row(Text(f"and {len(running) - _CURRENT_MOST} more", "dim"))
    return table


def _tail(path: str) -> str:
    """The end of a path, which tells files apart better than its beginning."""
    name = printable(path)
    return name if len(name) <= 2 * _NAME_MOST else "…" + name[-2 * _NAME_MOST + 1 :]


def _bar(current: Current) -> ProgressBar:
    share = current.time_s / current.duration_s if current.duration_s else 0.0
    return ProgressBar(total=1.0, completed=min(share, 1.0), width=14)


def _place(current: Current) -> str:
    return f"{clock(current.time_s)} / {clock(current.duration_s)}" if current.duration_s else clock(current.time_s)


class PlainLog:
    """One line for what matters, for logs and pipes: no colours, no cursor movement.

    Args:
        write: takes a line.
        failures_only: say nothing but what failed.
    """

    def __init__(
        self, write: Callable[[str], None], failures_only: bool = False, progress: RunProgress | None = None
    ) -> None:
        self.progress = progress or RunProgress()
        self._write = write
        self._failures_only = failures_only

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.progress.take(event)
        if isinstance(event, Failed) or not self._failures_only:
            line = _line(event, self.progress)
            if line:
                self._write(line)


def _line(event: Event, progress: RunProgress) -> str:
    match event:
        case Scanned(found, to_index, skipped, duplicates, ignored, seconds):
            return (
                f"scanned: {count(found, 'media file')} found, {to_index:,} to index (about {span(seconds)}), "
                f"{skipped:,} known already, {duplicates:,} twice the same; {count(ignored, 'other file')} ignored"
            )
        case Finished(path, faces, tracks, duration_s, counts):
            return (
                f"indexed {progress.done:,}/{progress.total:,} {printable(path)}: {span(duration_s)}, "
                f"{count(counts.decoded, 'frame')}, {count(faces, 'face')}, {count(tracks, 'track')}"
            )
        case Failed(path, reason):
            return f"failed {printable(path)}: {printable(reason)}"
        case Clustering(tracks):
            return f"sorting {count(tracks, 'track')} into people"
        case Note(text):
            return printable(text)
    return ""


def _example() -> None:
    """Print the live view in the middle of a run."""
    from archive.events import Advanced, Started
    from cvid.analyse import Progress
    from cvid.types import FrameCounts

    now = iter(range(0, 1000, 4))
    progress = RunProgress(clock=lambda: float(next(now)))
    counts = FrameCounts(250, {"cut": 3, "motion": 20, "floor": 7, "still": 90, "soon": 80, "dark": 50})
    for event in (
        Scanned(9, 5, 3, 0, 2, 120.0),
        Started("harbour [1].mp4", 10.0),
        Finished("harbour [1].mp4", 41, 4, 10.0, counts),
        Failed("broken.mp4", "the file is empty"),
        Started("day two/interview.mp4", 60.0),
        Advanced("day two/interview.mp4", Progress(24.0, 60.0, 600, 48, 60, {"motion": 48, "still": 300, "soon": 252})),
    ):
        progress.take(event)
    console = Console(markup=False, highlight=False)
    console.print(view_of(progress, console.width))


if __name__ == "__main__":
    _example()

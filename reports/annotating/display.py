"""How far annotating is: a bar in a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from reports.annotating.annotate import Step
from reports.names import printable
from reports.wording import clock, span

_LINES = 10
_SETTLED_S = 0.5


class Display:
    """A context manager, and a hook for `annotate`.

    Args:
        console: where the bar goes if it is a terminal.
        write: takes the lines if it is not.
        name: of the video.
        now: seconds that only grow; tests pass their own.
    """

    def __init__(
        self, console: Console, write: Callable[[str], None], name: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._name, self._now = write, printable(name), now
        self._begun_s = now()
        self._tenth = 0
        self._progress: Progress | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(None),
                TextColumn("{task.fields[told]}", markup=False),
                console=console,
                transient=True,
            )
            self._bar = self._progress.add_task(self._name[-40:], total=1.0, told="")

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def __call__(self, step: Step) -> None:
        """Take how far it is."""
        share = min(step.time_s / step.duration_s, 1.0) if step.duration_s else 0.0
        told = self._told(step, share)
        if self._progress:
            self._progress.update(self._bar, completed=share, told=told)
            return
        tenth = int(share * _LINES)
        if tenth > self._tenth:
            self._tenth = tenth
            self._write(f"{self._name}: {told}")

    def _told(self, step: Step, share: float) -> str:
        worked_s = self._now() - self._begun_s
        parts = [f"{clock(step.time_s)} of {clock(step.duration_s)}", f"{step.frames:,} frames"]
        if worked_s > _SETTLED_S:
            parts.append(f"{step.time_s / worked_s:.1f}× real time")
            if 0 < share < 1:
                parts.append(f"about {span(ceil(worked_s * (1 - share) / share), 0)} left")
        return " · ".join(parts)

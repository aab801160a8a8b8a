"""How far a long piece of work is: a bar in a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINES = 10


class Steps:
    """A context manager, and a hook: called with what is done, how much of it, and how much there is.

    Args:
        console: where a bar goes if it is a terminal.
        write: takes the lines if it is not.
        noun: what is counted.
    """

    def __init__(self, console: Console, write: Callable[[str], None], noun: str) -> None:
        self._write, self._noun = write, noun
        self._tenth: dict[str, int] = {}
        self._bars: dict[str, int] = {}
        self._progress = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(None),
                MofNCompleteColumn(),
                TextColumn(noun),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take how far something is."""
        if self._progress:
            if what not in self._bars:
                self._bars[what] = self._progress.add_task(what, total=total)
            self._progress.update(self._progress.task_ids[self._bars[what]], completed=done, total=total)
            return
        tenth = done * _LINES // max(total, 1)
        if tenth > self._tenth.get(what, 0):
            self._tenth[what] = tenth
            self._write(f"{what}: {done:,} of {total:,} {self._noun}")

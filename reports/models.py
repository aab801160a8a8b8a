"""What `cvid models` prints: the models, the sets, and a download on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cvid.models.download import Fetch
from cvid.models.listing import Listed
from cvid.models.store import fetched_as
from reports.names import printable
from reports.wording import size

_LINES = 10


def models_table(models: Iterable[Listed]) -> Table:
    """All models: whose they are, and whether they are here."""
    table = _table()
    table.add_column("Model", style="bold", no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Licence", overflow="fold", min_width=19)
    table.add_column("Commercial use", overflow="fold", max_width=10)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Here", overflow="fold", min_width=12)
    table.add_column("In sets", overflow="fold", min_width=9)
    for one in models:
        model = one.model
        table.add_row(
            model.name,
            model.kind,
            Text(model.licence),
            "yes" if model.commercial else "no",
            size(one.bytes) if one.bytes else "?",
            Text(_here(one)),
            ", ".join(one.sets),
        )
    return table


def sets_table(sets: Mapping[str, Mapping[str, Any]]) -> Table:
    """All sets: their parts, and what is missing."""
    table = _table()
    table.add_column("Set", style="bold", no_wrap=True)
    for header in ("Detectors", "Embedders", "Missing"):
        table.add_column(header, overflow="fold", min_width=10)
    for name, one in sets.items():
        lists = (", ".join(one[part]) for part in ("detectors", "embedders", "missing"))
        table.add_row(name, *(Text(text) for text in lists))
    return table


def fetches_table(fetches: Sequence[Fetch]) -> Table:
    """What a download will fetch, and under which licences."""
    table = _table()
    table.add_column("To fetch", style="bold", overflow="fold", min_width=12)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("From", overflow="fold", min_width=12)
    table.add_column("Licence", overflow="fold", min_width=14)
    for fetch in fetches:
        for model in fetch.models:
            weights = fetched_as(model)
            table.add_row(weights.file, size_of(weights.size), Text(fetch.url), Text(model.licence))
    return table


def size_of(number_bytes: int) -> str:
    """A size, or that nobody knows it."""
    return size(number_bytes) if number_bytes else "size unknown"


class Fetching:
    """A context manager, and a hook for downloads: a bar in a terminal, a line for each tenth elsewhere.

    Args:
        console: where a bar goes if it is a terminal.
        write: takes the lines if it is not.
    """

    def __init__(self, console: Console, write: Callable[[str], None]) -> None:
        self._write = write
        self._tenth: dict[str, int] = {}
        self._bars: dict[str, TaskID] = {}
        self._progress = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(None),
                DownloadColumn(),
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
        """Take how much of a file has come."""
        if self._progress:
            if what not in self._bars:
                self._bars[what] = self._progress.add_task(printable(what), total=total or None)
            self._progress.update(self._bars[what], completed=done, total=total or None)
            return
        tenth = done * _LINES // total if total else 0
        if tenth > self._tenth.get(what, -1):
            self._tenth[what] = tenth
            self._write(f"{printable(what)}" + (f": {size(done)} of {size(total)}" if total else ""))


def _here(one: Listed) -> str:
    if not one.present:
        text = "no"
    elif one.model.weights is None:
        text = f"inside the package {one.model.package}"
    else:
        text = printable(one.path)
    return text + (f"; the package {one.lacks} is not installed" if one.lacks else "")


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold cyan")

"""The log of one run: `logs/<utc>.jsonl`, one line an event, each with its time."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive.database import told
from archive.events import Advanced, Event, Revectoring, Scanning, WritingFolders
from archive.names import as_text
from archive.records import ENCODING, json_line

_TOO_MANY = (Advanced, Revectoring, Scanning, WritingFolders)
"""Events that come several times a second say nothing to whom reads the log later."""


class RunLog(AbstractContextManager["RunLog"]):
    """Appends to a new file; every line is on its way to the disk when `write` returns."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        with told(archive):
            folder = archive / "logs"
            folder.mkdir(exist_ok=True)
            self.path = folder / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}.jsonl"
            self._file = self.path.open("x", encoding=ENCODING, newline="\n", buffering=1)

    def write(self, kind: str, **fields: Any) -> None:
        """Write one line."""
        with told(self._archive):
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._file.write(json_line({"utc": now, "event": kind, **_told(fields)}) + "\n")

    def event(self, event: Event) -> None:
        """Write an event, unless its kind comes too often."""
        if not isinstance(event, _TOO_MANY):
            self.write(type(event).__name__.lower(), **asdict(event))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; what a full disk kept back must not hide the error that is on its way."""
        with suppress(OSError):
            self._file.close()


def _told(value: Any) -> Any:
    """The same with all paths and messages as valid Unicode."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items()}
    return [_told(inner) for inner in value] if isinstance(value, list) else value

"""Exports: one file a format, and how a file is written so that it is whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from cvid.errors import CvidError
from cvid.registry import Registry

if TYPE_CHECKING:
    from archive.records import Appearance

T = TypeVar("T")


class ExportFormat(Protocol):
    """Writes appearances as they come."""

    def write(self, appearances: Iterable[Appearance], stream: IO[bytes]) -> int:
        """Write all appearances; returns how many there were."""
        ...


FORMATS = Registry(
    "export format", {"csv": "reports.export.csv:CsvFormat", "jsonl": "reports.export.jsonl:JsonLinesFormat"}
)


class ExportError(CvidError):
    """The output file exists already or cannot be written."""


def write_stream(format_name: str, appearances: Iterable[Appearance], stream: IO[bytes]) -> int:
    """Write appearances to an open stream; returns how many there were.

    Raises:
        UnknownBackend: no such format.
    """
    exporter: ExportFormat = FORMATS.create(format_name)
    number = exporter.write(appearances, stream)
    stream.flush()
    return number


def write_export(format_name: str, appearances: Iterable[Appearance], path: Path, overwrite: bool = False) -> int:
    """Write appearances to a file, wholly or not at all; returns how many there were.

    Raises:
        ExportError: as of `write_file`.
        UnknownBackend: no such format.
    """
    return write_file(path, overwrite, lambda stream: write_stream(format_name, appearances, stream))


def write_file(path: Path, overwrite: bool, write: Callable[[IO[bytes]], T]) -> T:
    """Let `write` fill a file beside `path`, then move it into place; returns what `write` does.

    Raises:
        ExportError: the file exists and may not be replaced, belongs to an archive, looks like footage, or cannot be
            written.
    """
    if path.exists() and not path.is_file():
        with _told(path), path.open("wb") as device:  # a pipe or a device has no place beside it
            return write(device)
    _refuse(path, overwrite)
    with _told(path):
        handle, part = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                written = write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            Path(part).chmod(usual_rights())
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    return written


def _refuse(path: Path, overwrite: bool) -> None:
    from cvid.media import looks_like_media

    if is_of_archive(path):
        raise ExportError(f"{path}: belongs to an archive of cvid, which writes it itself; choose another file")
    if not path.exists():
        return
    if looks_like_media(path):
        raise ExportError(f"{path}: is footage and is never written to; choose another file")
    if not overwrite:
        raise ExportError(f"{path}: exists already; choose another file or add --overwrite")


def is_of_archive(path: Path) -> bool:
    """Is it the catalogue of an archive, or in one of the folders that it writes?"""
    for folder in path.resolve().parents:
        if (folder / "catalogue.sqlite").exists():
            first = path.resolve().relative_to(folder).parts[0]
            return first in ("identities", "unassigned", "logs", "lock") or first.startswith("catalogue.sqlite")
    return False


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn a failed write into a sentence; a reader who left is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise ExportError(f"{path}: cannot be written ({exc.strerror or exc})") from exc


def usual_rights() -> int:
    """The rights of new files of this process; what they lack can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask

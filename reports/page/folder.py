"""The folder of a report: where it may lie, and how it takes the place of an earlier one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archive import generated
from archive.lock import ArchiveLock
from archive.paths import inside
from cvid.errors import CatalogueError, CvidError
from cvid.places import is_address

LOCK = "lock"
"""Lies in a report while it is being written."""
_LITTER = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))


class ReportError(CvidError):
    """A report cannot be written where it should be."""


def place_for(archive: Path, output: Path | None, roots: Sequence[str]) -> Path:
    """The absolute folder of a report.

    Args:
        output: what the user asked for; without it, the one in the archive.
        roots: the folders of the footage.

    Raises:
        ReportError: it may not lie there, or something else does.
    """
    home = Path(os.path.realpath(archive))
    own = home / generated.REPORTS
    place = Path(os.path.realpath(output or own))
    if inside(str(place), str(home)) and not inside(str(place), str(own)):
        raise ReportError(f"{place}: lies among what the archive writes itself; name a folder outside of it with -o")
    if not inside(str(place), str(home)):
        for root in roots:
            if not is_address(root) and inside(str(place), os.path.realpath(root)):
                raise ReportError(
                    f"{place}: lies in the footage {root}, where its faces would be indexed as photographs; "
                    "name a folder outside of it with -o"
                )
    if os.path.lexists(place) and not place.is_dir():
        raise ReportError(f"{place}: is a file; name a new or an empty folder with -o")
    with _told(place):
        generated.come_back(place)
        _refuse_foreign(place)
    return place


@contextmanager
def written_beside(place: Path, summary: Callable[[], dict[str, Any]]) -> Iterator[Path]:
    """An empty folder to write a report into; it takes its place at the end of the block, or goes if that fails.

    Args:
        summary: what the report says of itself, asked at the end.

    Raises:
        ReportError: it cannot be written, or another process is writing it.
    """
    beside = generated.writing(place)
    with _told(place):
        if beside.is_dir():
            _refuse_foreign(beside, LOCK)
            _lock(place, beside).release()
        generated.begin(place)
        beside.chmod(0o700)
        lock: ArchiveLock | None = _lock(place, beside)
        try:
            yield beside
            _unlocked(lock, beside)
            lock = None
            generated.finish(place, beside, summary(), "")
        except BaseException:
            _unlocked(lock, beside)
            generated.abandon(beside)
            raise


def _lock(place: Path, beside: Path) -> ArchiveLock:
    try:
        return ArchiveLock(beside)
    except CatalogueError as exc:
        raise ReportError(f"another process is writing a report to {place}; wait for it or stop it") from exc


def _unlocked(lock: ArchiveLock | None, beside: Path) -> None:
    if lock:
        lock.release()
        (beside / LOCK).unlink(missing_ok=True)


def _refuse_foreign(place: Path, mark: str = "") -> None:
    """Stop before somebody's own folder is taken for a report.

    Args:
        mark: a file that shows that it is ours.
    """
    if not place.is_dir() or generated.was_written(place) or (mark and (place / mark).is_file()):
        return
    if any(entry.name not in _LITTER for entry in place.iterdir()):
        raise ReportError(f"{place}: holds files that `report` did not write; name a new or an empty folder with -o")


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ReportError(f"{place}: the report cannot be written ({exc.strerror or exc})") from exc

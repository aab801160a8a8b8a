"""Writes decisions down and sorts after them, in a thread of its own: no screen waits for it.

A decision is in the journal as soon as it is recorded; sorting and folders follow when nothing else is waiting. A
session that is killed in between loses nothing: whoever opens the archive next sorts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from archive.catalogue import Catalogue
from archive.decisions.recording import Say, record_in
from archive.decisions.verbs import Said
from archive.events import WritingFolders
from cvid.errors import CvidError
from cvid.settings import Settings


class Clerk:
    """The one writer of an archive under review. A context manager: leaving it waits until all is sorted.

    Raises:
        CatalogueError: there is no such archive, or another process writes to it.
    """

    def __init__(self, archive: Path, settings: Settings) -> None:
        with Catalogue.open(archive):  # a review makes no archive
            pass
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clerk")
        self._lock, self._waiting = Lock(), 0
        self._given = self._recorded = 0
        self.sorted_through = 0
        """The last order whose decisions have been sorted."""
        self.trouble: CvidError | None = None
        """Why it could not sort the last time; what was said is kept, and sorted by the next who can."""
        self.sortings = 0
        """How often it has sorted; what was read before may have changed since."""
        try:
            self._catalogue = self._thread.submit(Catalogue.create_or_open, archive).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._behind = not self._catalogue_is_settled()
        if self._behind:
            self._thread.submit(self._sort_after_the_last)

    def record(self, says: Sequence[Say]) -> tuple[int, Future[list[Said]]]:
        """Record decisions, all of them or none: the number of this order, and what becomes of it.

        The future raises DecisionError or UnknownName if one is refused.
        """
        with self._lock:
            self._waiting += 1
            self._given += 1
            order = self._given
        future = self._thread.submit(self._record, order, list(says))
        self._thread.submit(self._sort_after_the_last)
        return order, future

    @property
    def idle(self) -> bool:
        """Is all that was recorded sorted?"""
        return not self._waiting and (not self._behind or self.trouble is not None)

    def wait(self) -> None:
        """Until all is sorted."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Finish, and let others write."""
        self._thread.submit(self._catalogue.close)
        self._thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # in the thread

    def _catalogue_is_settled(self) -> bool:
        return bool(self._thread.submit(self._catalogue.fact, "settled").result())

    def _record(self, order: int, says: list[Say]) -> list[Said]:
        self._recorded = order
        try:
            with self._catalogue.atomic():
                said = [record_in(self._catalogue, say) for say in says]
            self._behind = True
            return said
        finally:
            with self._lock:
                self._waiting -= 1

    def _sort_after_the_last(self) -> None:
        if self._waiting:
            return
        if self._behind:
            try:
                self._sort()
            except CvidError as exc:
                self.trouble = exc
        self.sorted_through = self._recorded

    def _sort(self) -> None:
        from archive.folders import write_folders
        from archive.sorting.settle import settle  # takes longer to load than the rest of the review

        settled = settle(self._catalogue, self._settings)
        self._behind, self.trouble = False, None
        self.sortings += 1
        write_folders(self._catalogue, self._catalogue.folder, _untold, settled.identities)


def _untold(event: WritingFolders) -> None:
    """A hook for who wants to hear nothing."""

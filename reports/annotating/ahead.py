"""Let one thread work ahead of another: decoding goes on while pictures are drawn on and encoded."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_DEPTH = 8
_POLL_S = 0.2


class Ahead(Generic[T]):
    """The items of a generator, which runs in a thread of its own; a context manager that always joins the thread.

    Whatever ends the generator is raised where the items are taken.
    """

    def __init__(self, items: Generator[T] | Iterator[T]) -> None:
        self._items = items
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(_DEPTH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="decoding", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                entry = self._queue.get(timeout=_POLL_S)  # without one, Ctrl-C would wait on some systems
            except Empty:
                continue
            if entry is None:
                return
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
            self._put(None)
        except BaseException as exc:  # noqa: BLE001  raised again where the items are taken
            self._put(exc)
        finally:
            if isinstance(self._items, Generator):
                self._items.close()

    def _put(self, entry: tuple[T] | BaseException | None) -> bool:
        """Hand something over, unless nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=_POLL_S)
                return True
            except Full:
                continue
        return False

"""Of many things that have a time, those that are there at a moment."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Present(Generic[T]):
    """Things with a beginning and an end; it is asked for moments that only grow.

    Args:
        things: (from when, until when, the thing).
    """

    def __init__(self, things: Iterable[tuple[float, float, T]]) -> None:
        self._coming = sorted(things, key=_latest_first)
        self._here: list[tuple[float, float, T]] = []

    def add(self, start_s: float, end_s: float, thing: T) -> None:
        """One more; what has begun already is there from now on."""
        insort(self._coming, (start_s, end_s, thing), key=_latest_first)

    def at(self, time_s: float) -> Iterator[T]:
        """What is there, in the order in which it came."""
        while self._coming and self._coming[-1][0] <= time_s:
            self._here.append(self._coming.pop())
        self._here = [thing for thing in self._here if thing[1] >= time_s]
        yield from (thing for *_, thing in self._here)


def _latest_first(thing: tuple[float, float, object]) -> float:
    return -thing[0]

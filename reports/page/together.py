"""Who is seen with whom: in the same video, and at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from archive.overview import Overview
from cvid.types import Doubles, Ints

_PAIRS_AT_ONCE = 1 << 20
_PEOPLE_AT_ONCE = 500


@dataclass(frozen=True)
class Pair:
    """Two of the people, by row: in how many sources both are seen, how often at the same moment, and for how long."""

    one: int
    other: int
    sources: int
    moments: int
    seconds: float


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The same as arrays, each (k,)."""

    one: Ints
    other: Ints
    sources: Ints
    moments: Ints
    seconds: Doubles

    def __getitem__(self, which: NDArray[Any]) -> _Pairs:
        return _Pairs(*(getattr(self, name)[which] for name in ("one", "other", "sources", "moments", "seconds")))

    def first(self, most: int) -> _Pairs:
        """Those who have most to do with each other, the most first."""
        return self[np.lexsort((self.other, self.one, -self.seconds, -self.sources, -self.moments))[:most]]

    def as_list(self) -> list[Pair]:
        columns = (self.one, self.other, self.sources, self.moments, self.seconds)
        return [Pair(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


class Together:
    """All pairs of an archive."""

    def __init__(self, overview: Overview) -> None:
        self._count = len(overview.people)
        inside = overview.person >= 0
        where = np.unique(np.stack([overview.person[inside], overview.source[inside]]), axis=1)
        ones = np.ones(where.shape[1], np.int64)
        self._where = csr_array((ones, (where[0], where[1])), (self._count, len(overview.sources)))
        self._who = csr_array((ones, (where[1], where[0])), (len(overview.sources), self._count))
        one, other, seconds = _moments(overview)
        both = np.concatenate([one, other]), np.concatenate([other, one])
        shape = (self._count, self._count)
        self._moments = csr_array((np.ones(len(both[0]), np.int64), both), shape)
        self._seconds = csr_array((np.concatenate([seconds, seconds]), both), shape)

    def of(self, row: int, most: int) -> tuple[list[Pair], int]:
        """Those with whom one of the people is seen most, and with how many in all; `one` is that person."""
        found = self._pairs(row, row + 1)
        return found.first(most).as_list(), len(found.one)

    def closest(self, most: int) -> list[Pair]:
        """The pairs of the whole archive that are seen together most, each once."""
        best: list[_Pairs] = []
        for start in range(0, self._count, _PEOPLE_AT_ONCE):
            found = self._pairs(start, start + _PEOPLE_AT_ONCE)
            best.append(found[found.one < found.other].first(most))
        return self._first(best, most)

    def among(self, rows: Sequence[int]) -> list[Pair]:
        """The pairs of some of the people with each other, each once, those who are seen together most first."""
        found = [self._pairs(row, row + 1) for row in rows]
        return self._first(
            [pairs[np.isin(pairs.other, rows) & (pairs.one < pairs.other)] for pairs in found], len(rows) ** 2
        )

    def _first(self, parts: Sequence[_Pairs], most: int) -> list[Pair]:
        if not parts:
            return []
        columns = ("one", "other", "sources", "moments", "seconds")
        together = _Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))
        return together.first(most).as_list()

    def _pairs(self, start: int, end: int) -> _Pairs:
        """Some of the people with everybody else."""
        shared = (self._where[start:end] @ self._who).tocoo()
        rows, others = (np.asarray(places, np.int64) for places in shared.coords)
        if not len(rows):
            return _Pairs(rows, rows, rows, rows, np.zeros(0))
        moments = np.asarray(self._moments[start:end][rows, others], np.int64).ravel()
        seconds = np.asarray(self._seconds[start:end][rows, others], np.float64).ravel()
        found = _Pairs(rows + start, others, np.asarray(shared.data, np.int64), moments, seconds)
        return found[found.one != found.other]


def _moments(overview: Overview) -> tuple[Ints, Ints, Doubles]:
    """Every pair of appearances of two people that overlap in time: whose they are, and for how many seconds."""
    inside = overview.person >= 0
    person, source = overview.person[inside], overview.source[inside]
    apart = float(overview.end_s.max(initial=0.0)) + 1
    start = overview.start_s[inside] + source * apart  # ascending, for rows come by source and start
    end = overview.end_s[inside] + source * apart
    count = np.searchsorted(start, end, side="right") - np.arange(1, len(start) + 1)
    total = np.cumsum(count)
    parts = np.searchsorted(total, np.arange(_PAIRS_AT_ONCE, int(count.sum()), _PAIRS_AT_ONCE))
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for low, high in pairwise([0, *parts.tolist(), len(count)]):
        some = count[low:high]
        first = np.repeat(np.arange(low, high), some)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(some) - some, some)
        kept = person[first] != person[second]
        first, second = first[kept], second[kept]
        found.append((person[first], person[second], np.minimum(end[first], end[second]) - start[second]))
    one, other, seconds = zip(*found, strict=True)
    return np.concatenate(one), np.concatenate(other), np.concatenate(seconds)

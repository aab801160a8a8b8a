"""Is a pair of pictures one person? True and false accept rates over all pairs.

The cosines of all pairs are counted in bins of 1e-5, block by block: exact at every threshold that is a multiple of
1e-5, for any number of pictures, in memory that hardly grows with it. No pair is left out or drawn by chance: the 1.25
billion pairs of 50,000 pictures took 49 s and 190 MiB on two busy cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cvid.types import Floats, Ints

FARS = (1e-2, 1e-3, 1e-4)
"""The false accept rates that are reported."""
LEAST_ACCEPTS = 10
"""A false accept rate is only spoken of where at least so many pairs of strangers would be accepted at it."""
STEPS = 100_000
"""Bins a unit of cosine."""
_BINS = 2 * STEPS + 1
_CELLS = 1 << 22
"""Cosines held at once."""


@dataclass(frozen=True)
class Point:
    """What happens at a threshold: shares of all pairs of each kind, and how many pairs of strangers are accepted."""

    cosine: float
    tar: float | None  # None where there is no genuine pair
    far: float
    false_accepts: int


@dataclass(frozen=True, eq=False)
class Scores:
    """How many pairs of one person (genuine) and of two (impostors) reach each cosine.

    Pairs with a picture that shows no face have no cosine: they are refused at every threshold.
    """

    genuine: Ints  # (200 001,), pairs by cosine from −1 to 1 in steps of 1e-5
    impostors: Ints
    genuine_pairs: int  # all, those without a cosine included
    impostor_pairs: int

    @classmethod
    def of(cls, vectors: Floats, people: NDArray[np.int64], face: NDArray[np.bool_]) -> Scores:
        """Compare every picture with every other.

        Args:
            vectors: float32 (k, d), unit length.
            people: int64 (n,), a number for each person.
            face: bool (n,), which k of the pictures have a vector.
        """
        genuine, impostors = _counts(vectors, people[face])
        each = np.bincount(people)
        same = int((each * (each - 1) // 2).sum())
        return cls(genuine, impostors, same, len(people) * (len(people) - 1) // 2 - same)

    def at_far(self, far: float) -> Point | None:
        """The lowest threshold at which no more than this share of strangers is accepted.

        None where there are too few pairs of strangers to speak of so small a share.
        """
        if self.impostor_pairs * far < LEAST_ACCEPTS - 1e-9:
            return None
        allowed = int(self.impostor_pairs * far + 1e-9)
        return self._at(int(np.searchsorted(-self._impostors_from, -allowed)))

    def at(self, cosine: float) -> Point:
        """What happens at a threshold."""
        return self._at(int(np.clip(round((cosine + 1) * STEPS), 0, _BINS)))

    def tail(self, fars: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
        """(log10 FAR, cosine) for each rate that there are pairs enough for."""
        points = [(far, self.at_far(far)) for far in fars]
        return tuple((round(float(np.log10(far)), 6), round(p.cosine, 4)) for far, p in points if p)

    def _at(self, place: int) -> Point:
        accepted = int(self._impostors_from[place])
        return Point(
            place / STEPS - 1,
            int(self._genuine_from[place]) / self.genuine_pairs if self.genuine_pairs else None,
            accepted / self.impostor_pairs if self.impostor_pairs else 0.0,
            accepted,
        )

    @cached_property
    def _genuine_from(self) -> Ints:
        return _from_each(self.genuine)

    @cached_property
    def _impostors_from(self) -> Ints:
        return _from_each(self.impostors)


def _from_each(counts: Ints) -> Ints:
    """How many pairs lie in a bin or above it; with a last place above all, (bins + 1,)."""
    return np.append(np.cumsum(counts[::-1])[::-1], 0)


def _counts(vectors: Floats, people: NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Genuine and impostor pairs i < j by bin, a block of rows at a time."""
    n = len(vectors)
    total, genuine = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64)
    rows = max(_CELLS // max(n, 1), 1)
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        cosine = vectors[start:stop] @ vectors[start:].T
        place = np.clip(np.rint((cosine + 1) * np.float32(STEPS)), 0, _BINS - 1).astype(np.int32)
        later = np.arange(start, n)[None, :] > np.arange(start, stop)[:, None]
        same = later & (people[None, start:] == people[start:stop, None])
        total += np.bincount(place[later], minlength=_BINS)
        genuine += np.bincount(place[same], minlength=_BINS)
    return genuine, total - genuine

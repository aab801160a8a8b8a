"""Find where a track went over to another person, and single faces that do not belong to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvid.types import Doubles, Floats, Ints

_LEAST = 2
"""Faces that each side of a change must have: one alone is an outlier, not a person."""
_BROKEN = 0.6
"""Overlap of neighbouring boxes below which a face may have been taken for another's. A head that turns stays."""


def change_of_person(vectors: Floats, time_s: Doubles, stranger: float, friend: float) -> tuple[float, float] | None:
    """Between which two moments a track changes from one person to another; None if it does not.

    All faces before are alike, all faces after are alike, and none of the one side is like any of the other.

    Args:
        vectors: float32 (n, d), unit length, of some of its faces.
        time_s: float64 (n,), when they were seen, increasing.
        stranger: the cosine that different people rarely reach; `friend`: that one person's faces should reach.
    """
    alike = vectors @ vectors.T
    for k in range(_LEAST, len(vectors) - _LEAST + 1):
        before, after, across = alike[:k, :k], alike[k:, k:], alike[:k, k:]
        if across.max() < stranger and before.min() >= friend and after.min() >= friend:
            return float(time_s[k - 1]), float(time_s[k])
    return None


def break_between(xyxy: Floats, time_s: Doubles, start_s: float, end_s: float) -> int:
    """The first face after the largest jump of a track's boxes between two moments; 0 where they move on smoothly.

    Args:
        xyxy: float32 (t, 4), px, and time_s: float64 (t,), of all its faces.
    """
    places = np.flatnonzero((time_s > start_s) & (time_s <= end_s))
    low = np.maximum(xyxy[places - 1, :2], xyxy[places, :2])
    high = np.minimum(xyxy[places - 1, 2:], xyxy[places, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
    overlap = shared / np.maximum(area[places - 1] + area[places] - shared, 1e-9)
    least = int(overlap.argmin())
    return int(places[least]) if overlap[least] < _BROKEN else 0


def belonging(vectors: Floats, stranger: float, friend: float) -> Ints:
    """The faces of a track without those that are strangers to all others, which agree among themselves.

    Returns:
        int64 (k,): places in `vectors`; all of them where it cannot be told.
    """
    alike = vectors @ vectors.T
    keep: NDArray[np.bool_] = np.ones(len(vectors), np.bool_)
    for i in range(len(vectors)):
        others = np.delete(np.arange(len(vectors)), i)
        inner = alike[np.ix_(others, others)]
        keep[i] = len(others) < 3 or inner.min() < friend or alike[i, others].max() >= stranger
    return np.flatnonzero(keep)

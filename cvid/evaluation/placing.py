"""Which appearance of the truth a sighting belongs to: by the rules of benchmarks/score.py."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvid.evaluation.truth import Truth
from cvid.types import Doubles, Ints, check

_TOUCH_S = 1e-3
"""Spans that only touch share so much time."""
_TWICE_S = 0.2
"""Two sightings of one appearance share less time than this: else one of them is somebody else."""
_AT_ONCE = 1 << 21


@dataclass(frozen=True, eq=False)
class Sightings:
    """The n appearances that an archive found."""

    video: Ints  # (n,), a number for each
    identity: Ints  # (n,), a number for each, −1 = nobody's
    start_s: Doubles  # (n,)
    end_s: Doubles  # (n,)
    best_s: Doubles  # (n,), when the box was there
    xyxy: Doubles  # (n, 4), px

    def __post_init__(self) -> None:
        n = len(self.video)
        check("Sightings.video", self.video, np.int64, (n,))
        check("Sightings.identity", self.identity, np.int64, (n,))
        for name in ("start_s", "end_s", "best_s"):
            check(f"Sightings.{name}", getattr(self, name), np.float64, (n,))
        check("Sightings.xyxy", self.xyxy, np.float64, (n, 4))

    def __len__(self) -> int:
        return len(self.video)


def place(truth: Truth, video: Ints, sightings: Sightings) -> Ints:
    """The row of the truth that each sighting belongs to, int64 (n,); −1 = an extra, not in the truth.

    It is the one that the sighting shares most time with, if the centre of one box lies in the other. Of sightings
    that claim one appearance at one time only the box that overlaps best has it.

    Args:
        video: int64 (t,), the video of each row of the truth, numbered as those of the sightings.
    """
    claims = [_best(truth, sightings, *pairs) for pairs in _meeting(truth, video, sightings)]
    claims = [claim for claim in claims if len(claim[0])]
    placed: Ints = np.full(len(sightings), -1, np.int64)
    if not claims:
        return placed
    sighting, row, overlap = (np.concatenate(part) for part in zip(*claims, strict=True))
    order = np.argsort(row, kind="stable")
    boxed = ~np.isnan(truth.xyxy[:, 0])
    for claimed in np.split(order, np.flatnonzero(np.diff(row[order])) + 1):
        own = sighting[claimed]
        if boxed[row[claimed[0]]] and len(own) > 1:
            own = _not_at_once(sightings, own, overlap[claimed])
        placed[own] = row[claimed[0]]
    return placed


def _meeting(truth: Truth, video: Ints, sightings: Sightings) -> Iterator[tuple[Ints, Ints]]:
    """Rows of sightings and of the truth of one video and one time, (k,) and (k,), a part of the sightings each."""
    ours, theirs = _by_video(sightings.video, sightings.start_s), _by_video(video, truth.start_s)
    for number in sorted(ours.keys() & theirs.keys()):
        rows, other = ours[number], theirs[number]
        step = max(_AT_ONCE // len(other), 1)
        for part in np.split(rows, range(step, len(rows), step)):
            near = _around(truth, other, sightings, part)
            a, b = np.nonzero(_shared_s(truth, near[None], sightings, part[:, None]) > 0)
            if len(a):
                yield part[a], near[b]


def _by_video(video: Ints, start_s: Doubles) -> dict[int, Ints]:
    """Video → its rows by their start."""
    order = np.lexsort((start_s, video))
    parts = np.split(order, np.flatnonzero(np.diff(video[order])) + 1) if len(order) else []
    return {int(video[rows[0]]): rows.astype(np.int64) for rows in parts}


def _around(truth: Truth, rows: Ints, sightings: Sightings, part: Ints) -> Ints:
    """Those rows of the truth that may share a moment with some of these sightings."""
    first, last = sightings.start_s[part].min() - 1, sightings.end_s[part].max() + 1
    return np.asarray(rows[(truth.start_s[rows] <= last) & (truth.end_s[rows] >= first)], np.int64)


def _shared_s(truth: Truth, row: Ints, sightings: Sightings, sighting: Ints) -> Doubles:
    end = np.minimum(sightings.end_s[sighting], truth.end_s[row])
    return np.asarray(end - np.maximum(sightings.start_s[sighting], truth.start_s[row]) + _TOUCH_S, np.float64)


def _best(truth: Truth, sightings: Sightings, sighting: Ints, row: Ints) -> tuple[Ints, Ints, Doubles]:
    """The best row for each sighting that has any, and how much the boxes overlap: three arrays (k,)."""
    theirs, ours = _box_then(truth, row, sightings.best_s[sighting]), sightings.xyxy[sighting]
    alone = np.isnan(theirs[:, 0])
    kept = np.flatnonzero(alone | _holds(theirs, ours) | _holds(ours, theirs))
    sighting, row = sighting[kept], row[kept]
    overlap = np.where(alone[kept], 0.0, _overlap(theirs[kept], ours[kept]))
    # Python's round and numpy's differ where a number lies between two tenths.
    tenths = [round(shared, 1) for shared in _shared_s(truth, row, sightings, sighting).tolist()]
    order = np.lexsort((row, -overlap, -np.array(tenths, np.float64), sighting))
    first = order[np.append(True, np.diff(sighting[order]) > 0)] if len(order) else order
    return sighting[first], row[first], overlap[first]


def _box_then(truth: Truth, row: Ints, at_s: Doubles) -> Doubles:
    """The boxes of rows at a time, moved along their way, float64 (k, 4)."""
    start, end = truth.start_s[row], truth.end_s[row]
    part = (np.minimum(np.maximum(at_s, start), end) - (start + end) / 2) / np.maximum(end - start, 1e-6)
    return np.asarray(truth.xyxy[row] + np.tile(truth.way[row] * part[:, None], 2), np.float64)


def _holds(outer: Doubles, inner: Doubles) -> NDArray[np.bool_]:
    """Does a box hold the centre of the other one?"""
    centre = (inner[:, :2] + inner[:, 2:]) / 2
    return np.asarray(((outer[:, :2] <= centre) & (centre <= outer[:, 2:])).all(axis=1), np.bool_)


def _overlap(a: Doubles, b: Doubles) -> Doubles:
    """Intersection over union."""
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    inside = sides[:, 0] * sides[:, 1]
    areas = [(box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) for box in (a, b)]
    return np.asarray(inside / (areas[0] + areas[1] - inside + 1e-9), np.float64)


def _not_at_once(sightings: Sightings, rows: Ints, overlap: Doubles) -> Ints:
    """Those of the sightings of one appearance that keep it: the best boxes first, none at the time of another."""
    start, end = sightings.start_s[rows], sightings.end_s[rows]
    kept: list[int] = []
    spans: list[tuple[float, float]] = []
    for k in np.lexsort((rows, end, start, overlap))[::-1].tolist():
        span = (float(start[k]), float(end[k]))
        if _free(spans, span):
            kept.append(k)
            if span[1] - span[0] >= _TWICE_S:  # a shorter one is in nobody's way
                insort(spans, span)
    return rows[kept]


def _free(spans: Sequence[tuple[float, float]], span: tuple[float, float]) -> bool:
    """Does a span share less than `_TWICE_S` with all the others, which lie in a row? Only its neighbours can."""
    at = bisect(spans, span)
    return all(min(span[1], end) - max(span[0], start) < _TWICE_S for start, end in spans[max(at - 1, 0) : at + 1])

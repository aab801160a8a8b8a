"""Where a face is at any moment, between the few at which it was looked for: to be drawn there, or to be covered."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from cvid.types import Doubles, Track

_SLACK_S = 1e-3
_GLIMPSE_S = 0.2
"""A face that was seen once is shown for so long."""
_MARGIN = 0.4
"""How much larger a cover is than the face on each side, in face sizes: hair, chin, and a box that sits badly."""
_BENDS = 0.25
"""Between two sightings a face may leave the straight way, by so much of it."""
_GROWS = 0.3
"""Before the first and after the last sighting a cover grows by so many face sizes a second on each side."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, px of the upright frame."""

Parted = Callable[[float, float], bool]
"""Does a cut lie between two moments?"""


class Way:
    """The box of a track over time: on a smooth curve through its sightings, and nowhere in gaps or beyond its ends.

    It is asked in every frame, so that it counts in plain numbers.

    Args:
        max_gap_s: sightings further apart do not belong together.
    """

    def __init__(self, track: Track, max_gap_s: float) -> None:
        self._times: list[float] = track.time_s.tolist()
        self._boxes = _boxes(track)
        self._slopes: list[list[float]] = _slopes(track.time_s, track.xyxy.astype(np.float64)).tolist()
        self._max_gap_s = max_gap_s
        self.start_s = self._times[0]
        self.end_s = self._times[-1] if len(self._times) > 1 else self.start_s + _GLIMPSE_S

    def at(self, time_s: float) -> Box | None:
        """The box; None where nothing is known."""
        if not self.start_s - _SLACK_S <= time_s <= self.end_s + _SLACK_S:
            return None
        place = bisect_left(self._times, time_s - _SLACK_S)
        if place == len(self._times) or self._times[place] <= time_s + _SLACK_S:
            return self._boxes[min(place, len(self._times) - 1)]
        length_s = self._times[place] - self._times[place - 1]
        return self._between(place - 1, length_s, time_s) if length_s <= self._max_gap_s + _SLACK_S else None

    def _between(self, place: int, length_s: float, time_s: float) -> Box:
        """A point of the curve that starts at a sighting: a cubic one with the slopes of both ends."""
        u = (time_s - self._times[place]) / length_s
        v = 1 - u
        starts, ends = (1 + 2 * u) * v * v, u * u * (3 - 2 * u)
        leaves, arrives = u * v * v * length_s, u * u * v * length_s
        left, top, right, bottom = (
            start * starts + end * ends + leaving * leaves - arriving * arrives
            for start, end, leaving, arriving in zip(
                self._boxes[place], self._boxes[place + 1], self._slopes[place], self._slopes[place + 1], strict=True
            )
        )
        return left, top, right, bottom

    def shown(self) -> list[tuple[float, float]]:
        """From when to when there is a box."""
        breaks = [n for n, (a, b) in enumerate(pairwise(self._times)) if b - a > self._max_gap_s + _SLACK_S]
        edges = [-1, *breaks, len(self._times) - 1]
        spans = [(self._times[before + 1], self._times[last]) for before, last in pairwise(edges)]
        return [*spans[:-1], (spans[-1][0], self.end_s)]


class Cover:
    """The region that hides a face: larger than its box, in gaps too, and for a while before and after the track.

    A face is there before a detector finds it, and still is after it was found last.

    Args:
        hold_s: for how long, as far as the shot goes.
    """

    def __init__(self, track: Track, hold_s: float) -> None:
        self._times: list[float] = track.time_s.tolist()
        self._boxes, self._hold_s = _boxes(track), hold_s
        self.start_s, self.end_s = self._times[0], self._times[-1]

    def at(self, time_s: float, parted: Parted) -> Box | None:
        """The region, which may reach beyond the picture; None where there is none."""
        if time_s < self.start_s - _SLACK_S:
            if self.start_s - time_s > self._hold_s or parted(time_s, self.start_s):
                return None
            return self._beyond(0, 1, self.start_s - time_s)
        if time_s > self.end_s + _SLACK_S:
            if time_s - self.end_s > self._hold_s or parted(self.end_s, time_s):
                return None
            return self._beyond(-1, -2, time_s - self.end_s)
        return self._inside(time_s)

    def _inside(self, time_s: float) -> Box:
        after = min(bisect_left(self._times, time_s), len(self._times) - 1)
        before = max(after - 1, 0)
        length_s = self._times[after] - self._times[before]
        u = min(max((time_s - self._times[before]) / length_s, 0.0), 1.0) if length_s else 1.0
        old, new = self._boxes[before], self._boxes[after]
        x1, y1, x2, y2 = (a * (1 - u) + b * u for a, b in zip(old, new, strict=True))
        bend = _BENDS * 4 * u * (1 - u)
        wide, high = (max(abs(new[edge] - old[edge]), abs(new[edge + 2] - old[edge + 2])) for edge in (0, 1))
        box = x1, y1, x2, y2
        return _enlarged(box, _MARGIN * _width(box) + bend * wide, _MARGIN * _height(box) + bend * high)

    def _beyond(self, end: int, next_to_end: int, away_s: float) -> Box:
        """At an end: where the face was, and where it would be if it came from, or went on, as it moved there."""
        box = self._boxes[end]
        by = _MARGIN + _GROWS * away_s
        wide, high = _width(box), _height(box)
        if len(self._times) > 1:
            share = away_s / abs(self._times[end] - self._times[next_to_end])
            steps = [(a - b) * share for a, b in zip(box, self._boxes[next_to_end], strict=True)]
            x1, y1, x2, y2 = (
                edge + min(max(step, -most), most)
                for edge, step, most in zip(box, steps, (wide, high, wide, high), strict=True)
            )
            box = min(box[0], x1), min(box[1], y1), max(box[2], x2), max(box[3], y2)
        return _enlarged(box, by * wide, by * high)


def _boxes(track: Track) -> list[Box]:
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in track.xyxy.tolist()]


def _slopes(times: Doubles, boxes: Doubles) -> Doubles:
    """How fast each edge moves at each sighting, (t, 4), px a second: Fritsch and Butland's, which never overshoots."""
    if len(times) < 2:
        return np.zeros_like(boxes)
    steps = np.diff(boxes, axis=0) / np.diff(times)[:, None]
    before, after = steps[:-1], steps[1:]
    same_way = before * after > 0
    inner = np.where(same_way, 2 * before * after / np.where(same_way, before + after, 1.0), 0.0)
    return np.concatenate([steps[:1], inner, steps[-1:]])


def _width(box: Sequence[float]) -> float:
    return max(box[2] - box[0], 1.0)


def _height(box: Sequence[float]) -> float:
    return max(box[3] - box[1], 1.0)


def _enlarged(box: Box, wide: float, high: float) -> Box:
    """A box with so much more on each side."""
    return box[0] - wide, box[1] - high, box[2] + wide, box[3] + high

"""Where a face is at any moment, between the few at which it was looked for: to be drawn there, or to be covered."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from cvid.types import Doubles, Floats, Track

_SLACK_S = 1e-3
_GLIMPSE_S = 0.2
"""A face that was seen once is shown for so long."""
_MARGIN = 0.4
"""How much larger a cover is than the face on each side, in face sizes: hair, chin, and a box that sits badly."""
_BENDS = 0.25
"""Between two sightings a face may leave the straight way, by so much of it."""
_GROWS = 0.3
"""Before the first and after the last sighting a cover grows by so many face sizes a second on each side."""

Parted = Callable[[float, float], bool]
"""Does a cut lie between two moments?"""


class Way:
    """The box of a track over time: on a smooth curve through its sightings, and nowhere in gaps or beyond its ends.

    Args:
        max_gap_s: sightings further apart do not belong together.
    """

    def __init__(self, track: Track, max_gap_s: float) -> None:
        self._track = track
        self._slopes = _slopes(track.time_s, track.xyxy.astype(np.float64))
        self._max_gap_s = max_gap_s
        self.start_s = float(track.time_s[0])
        self.end_s = float(track.time_s[-1]) if len(track) > 1 else self.start_s + _GLIMPSE_S

    def at(self, time_s: float) -> Doubles | None:
        """The box, float64 (4,), px of the upright frame; None where nothing is known."""
        times = self._track.time_s
        if not self.start_s - _SLACK_S <= time_s <= self.end_s + _SLACK_S:
            return None
        place = int(np.searchsorted(times, time_s - _SLACK_S))
        if place == len(times) or times[place] <= time_s + _SLACK_S:
            return np.asarray(self._track.xyxy[min(place, len(times) - 1)], np.float64)
        length_s = float(times[place] - times[place - 1])
        return self._between(place - 1, length_s, time_s) if length_s <= self._max_gap_s + _SLACK_S else None

    def _between(self, place: int, length_s: float, time_s: float) -> Doubles:
        """A point of the curve that starts at a sighting: a cubic one with the slopes of both ends."""
        u = (time_s - float(self._track.time_s[place])) / length_s
        start, end = self._track.xyxy[place].astype(np.float64), self._track.xyxy[place + 1].astype(np.float64)
        leaving, arriving = self._slopes[place] * length_s, self._slopes[place + 1] * length_s
        return np.asarray(
            start * (1 + 2 * u) * (1 - u) ** 2
            + end * u**2 * (3 - 2 * u)
            + leaving * u * (1 - u) ** 2
            - arriving * u**2 * (1 - u),
            np.float64,
        )

    def shown(self) -> list[tuple[float, float]]:
        """From when to when there is a box."""
        times = self._track.time_s
        breaks = np.flatnonzero(np.diff(times) > self._max_gap_s + _SLACK_S)
        edges = [-1, *breaks.tolist(), len(times) - 1]
        spans = [(float(times[before + 1]), float(times[last])) for before, last in pairwise(edges)]
        return [*spans[:-1], (spans[-1][0], self.end_s)]


class Cover:
    """The region that hides a face: larger than its box, in gaps too, and for a while before and after the track.

    A face is there before a detector finds it, and still is after it was found last.

    Args:
        hold_s: for how long, as far as the shot goes.
    """

    def __init__(self, track: Track, hold_s: float) -> None:
        self._track, self._hold_s = track, hold_s
        self.start_s, self.end_s = float(track.time_s[0]), float(track.time_s[-1])

    def at(self, time_s: float, parted: Parted) -> Doubles | None:
        """The region, float64 (4,), px of the upright frame, which may reach beyond it; None where there is none."""
        if time_s < self.start_s - _SLACK_S:
            if self.start_s - time_s > self._hold_s or parted(time_s, self.start_s):
                return None
            return self._beyond(0, 1, self.start_s - time_s)
        if time_s > self.end_s + _SLACK_S:
            if time_s - self.end_s > self._hold_s or parted(self.end_s, time_s):
                return None
            return self._beyond(-1, -2, time_s - self.end_s)
        return self._inside(time_s)

    def _inside(self, time_s: float) -> Doubles:
        times, boxes = self._track.time_s, self._track.xyxy.astype(np.float64)
        after = min(int(np.searchsorted(times, time_s)), len(times) - 1)
        before = max(after - 1, 0)
        length_s = float(times[after] - times[before])
        u = float(np.clip((time_s - float(times[before])) / length_s, 0, 1)) if length_s else 1.0
        box = boxes[before] * (1 - u) + boxes[after] * u
        moved = np.abs(boxes[after] - boxes[before])
        bend = _BENDS * 4 * u * (1 - u) * np.maximum(moved[:2], moved[2:])
        return _enlarged(box, _MARGIN * _size(box) + bend)

    def _beyond(self, end: int, next_to_end: int, away_s: float) -> Doubles:
        """At an end: where the face was, and where it would be if it came from, or went on, as it moved there."""
        times, boxes = self._track.time_s, self._track.xyxy.astype(np.float64)
        box = boxes[end]
        if len(times) > 1:
            speed = (box - boxes[next_to_end]) / abs(float(times[end] - times[next_to_end]))
            way = np.clip(speed * away_s, -np.tile(_size(box), 2), np.tile(_size(box), 2))
            box = np.concatenate([np.minimum(box, box + way)[:2], np.maximum(box, box + way)[2:]])
        return _enlarged(box, (_MARGIN + _GROWS * away_s) * _size(boxes[end]))


def _slopes(times: Doubles, boxes: Doubles) -> Doubles:
    """How fast each edge moves at each sighting, (t, 4), px a second: Fritsch and Butland's, which never overshoots."""
    if len(times) < 2:
        return np.zeros_like(boxes)
    steps = np.diff(boxes, axis=0) / np.diff(times)[:, None]
    before, after = steps[:-1], steps[1:]
    same_way = before * after > 0
    inner = np.where(same_way, 2 * before * after / np.where(same_way, before + after, 1.0), 0.0)
    return np.concatenate([steps[:1], inner, steps[-1:]])


def _size(box: Doubles | Floats) -> Doubles:
    """Width and height."""
    return np.asarray(np.maximum(box[2:] - box[:2], 1.0), np.float64)


def _enlarged(box: Doubles, by: Doubles) -> Doubles:
    """A box with so much more on each side, (2,) px."""
    return np.concatenate([box[:2] - by, box[2:] + by])

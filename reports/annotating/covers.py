"""All that is covered in a video: the faces of tracks, and those that a second look finds beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archive.decisions.anchors import box_at
from cvid.detectors.boxes import overlap
from cvid.types import Floats, Track
from reports.annotating.canvas import Canvas
from reports.annotating.hiding import Hider
from reports.annotating.present import Present
from reports.annotating.shots import LOOK_EVERY_S, Cuts
from reports.annotating.ways import Box, Cover

_FOUND_HOLD_S = LOOK_EVERY_S + 0.1
"""A face of a second look is covered so long before and after: until the next look, and some more."""
_INSIDE = 0.9
"""A face is covered if so much of its box is."""
_SAME = 0.3
"""Overlap from which on a face is that of somebody who is left to be seen."""


@dataclass(frozen=True, eq=False)
class _Veiled:
    cover: Cover
    hider: Hider


class Covers:
    """Hides faces in pictures, in their order.

    Args:
        tracks: that are covered; hold_s: for how long a cover is held beyond its track.
        spared: tracks of whoever is left to be seen.
        cuts: what is known of them.
    """

    def __init__(self, tracks: Sequence[Track], spared: Sequence[Track], hold_s: float, cuts: Cuts) -> None:
        self._cuts, self._hold_s = cuts, hold_s
        covers = [Cover(track, hold_s) for track in tracks]
        self._near = Present((c.start_s - hold_s, c.end_s + hold_s, c) for c in covers)
        self._veiled = Present((c.start_s - hold_s, c.end_s + hold_s, _Veiled(c, Hider())) for c in covers)
        self._spared = Present((float(t.time_s[0]) - hold_s, float(t.time_s[-1]) + hold_s, t) for t in spared)
        self._seen: Present[tuple[float, Floats]] = Present([])
        self._judged_s = -np.inf
        self.found = 0

    def take(self, time_s: float, faces: Floats) -> None:
        """Faces that a second look finds, float32 (n, 4), px; they are judged shortly before their time."""
        self._seen.add(time_s - _FOUND_HOLD_S, time_s, (time_s, faces))

    def draw(self, canvas: Canvas) -> None:
        """Hide all faces of a picture."""
        for time_s, faces in self._seen.at(canvas.time_s):
            if time_s > self._judged_s:
                self._judged_s = time_s
                self._judge(time_s, faces)
        for veiled in self._veiled.at(canvas.time_s):
            region = veiled.cover.at(canvas.time_s, self._cuts.parted)
            if region is not None:
                veiled.hider.hide(canvas, canvas.pixels(region))

    def _judge(self, time_s: float, faces: Floats) -> None:
        """Cover the faces of a second look that are neither covered nor spared in any case."""
        regions = [
            region
            for cover in self._near.at(time_s)
            if self._surely_near(cover.start_s, cover.end_s, time_s)
            and (region := cover.at(time_s, self._cuts.parted)) is not None
        ]
        spared = [
            box_at(track, time_s)
            for track in self._spared.at(time_s)
            if self._surely_near(float(track.time_s[0]), float(track.time_s[-1]), time_s)
        ]
        for face in faces:
            if any(_share(face, region) >= _INSIDE for region in regions):
                continue
            if spared and float(overlap(face[None], np.concatenate(spared)).max()) >= _SAME:
                continue
            self.found += 1
            cover = Cover(_single(time_s, face), _FOUND_HOLD_S)
            self._veiled.add(time_s - _FOUND_HOLD_S, time_s + _FOUND_HOLD_S, _Veiled(cover, Hider()))

    def _surely_near(self, start_s: float, end_s: float, time_s: float) -> bool:
        """Is a moment for certain in the shot of a track?"""
        if time_s < start_s:
            return start_s <= self._cuts.known_s and not self._cuts.parted(time_s, start_s)
        return time_s <= end_s or not self._cuts.parted(end_s, time_s)


def _single(time_s: float, face: Floats) -> Track:
    """A face that was seen once."""
    one = np.ones(1, np.float32)
    return Track(np.array([time_s], np.float64), np.zeros(1, np.int64), face[None].astype(np.float32), one, one)


def _share(face: Floats, region: Box) -> float:
    """How much of a face lies in a region, 0..1."""
    x1, y1, x2, y2 = (float(edge) for edge in face)
    wide = max(min(x2, region[2]) - max(x1, region[0]), 0.0)
    high = max(min(y2, region[3]) - max(y1, region[1]), 0.0)
    return wide * high / max((x2 - x1) * (y2 - y1), 1e-6)

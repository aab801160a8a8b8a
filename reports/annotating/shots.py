"""What lies ahead of a picture: cuts and faces, known a moment before they are shown.

A cover begins before its face is found, but not in the shot before; and what a second look finds is covered from a
moment before on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cvid.detectors import Detector
from cvid.frames import Edge, is_cut, small_of
from cvid.settings import SelectionSettings
from cvid.types import Floats
from cvid.upright import bgr_of, luma_of
from cvid.video import Picture

LOOK_EVERY_S = 0.5
"""Between second looks, inside a shot. Twice as often would take as long as all else (docs/LOG.md)."""
_MOST_BYTES = 512 << 20
"""So much of decoded pictures is held back at most; where that is not enough, a cut is found too late and a cover
reaches into the shot before."""
_REMEMBERED_S = 30.0

NONE = np.zeros((0, 4), np.float32)


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture, whether a shot begins with it, and the faces that a second look finds, float32 (n, 4), px."""

    picture: Picture
    cut: bool
    faces: Floats


def watched(pictures: Iterable[Picture], detector: Detector | None) -> Iterator[Sight]:
    """Look at pictures for cuts, and now and then for faces if there is a detector; faint ones count."""
    settings = SelectionSettings()
    last: Edge | None = None
    looked_s = -np.inf
    for picture in pictures:
        small = small_of(luma_of(picture.decoded), settings.width_px)
        cut, change = is_cut(small, last, settings)
        last = Edge(small, change)
        faces = NONE
        if detector and (cut or picture.time_s - looked_s >= LOOK_EVERY_S - 1e-3):
            faces = detector.detect(bgr_of(picture.decoded, picture.pose)).xyxy
            looked_s = picture.time_s
        yield Sight(picture, cut, faces)


class Cuts:
    """The cuts that are known by now: those of the last half minute, and of as far as was looked ahead."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.known_s = 0.0
        """Until when they are known."""

    def note(self, time_s: float, cut: bool) -> None:
        """The next picture, and whether a shot begins with it."""
        self.known_s = time_s
        if cut:
            self._times.append(time_s)
        while self._times and time_s - self._times[0] > _REMEMBERED_S:
            self._times.popleft()

    def parted(self, one_s: float, other_s: float) -> bool:
        """Does a known cut lie between two moments, the earlier first? A cut's picture belongs to what follows."""
        return any(one_s < cut_s <= other_s for cut_s in self._times)


def delayed(
    sights: Iterable[Sight], ahead_s: float, cuts: Cuts, found: Callable[[float, Floats], None]
) -> Iterator[Picture]:
    """Pass pictures on when those of the next moments are known.

    Args:
        ahead_s: how far it looks ahead.
        cuts: told of cuts; found: told of faces, with their time.
    """
    waiting: deque[Picture] = deque()
    held = 0
    for sight in sights:
        picture = sight.picture
        cuts.note(picture.time_s, sight.cut)
        if len(sight.faces):
            found(picture.time_s, sight.faces)
        waiting.append(picture)
        held += _bytes(picture)
        while picture.time_s - waiting[0].time_s > ahead_s or (held > _MOST_BYTES and len(waiting) > 1):
            held -= _bytes(waiting[0])
            yield waiting.popleft()
    cuts.known_s = float("inf")
    yield from waiting


def _bytes(picture: Picture) -> int:
    return sum(plane.buffer_size for plane in picture.decoded.planes)

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
from cvid.detectors.boxes import overlap
from cvid.frames import Edge, is_cut, small_of
from cvid.opencv import cv2
from cvid.settings import SelectionSettings
from cvid.types import Bytes, Floats
from cvid.upright import bgr_of, luma_of
from cvid.video import Picture

LOOK_EVERY_S = 0.5
"""Between second looks, inside a shot. Twice as often would take as long as all else (docs/LOG.md)."""
_SMALL_PX = 192
"""A picture is looked at once more at this size. SCRFD-0.5G gives faces of more than half a picture 0.3 to 0.5 as it
is, or misses them, and 0.85 when they are shrunk so."""
_SAME = 0.3
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
            faces = _faces(detector, bgr_of(picture.decoded, picture.pose))
            looked_s = picture.time_s
        yield Sight(picture, cut, faces)


def _faces(detector: Detector, bgr: Bytes) -> Floats:
    """Boxes of all faces, float32 (n, 4), px: of those, too, that fill the picture, which small networks miss."""
    whole = detector.detect(bgr).xyxy
    scale = _SMALL_PX / max(bgr.shape[:2])
    if scale >= 1:
        return whole
    size = (max(round(bgr.shape[1] * scale), 1), max(round(bgr.shape[0] * scale), 1))
    small = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    large = np.asarray(detector.detect(small).xyxy / scale, np.float32)
    new = overlap(large, whole).max(axis=1, initial=0) < _SAME
    return np.concatenate([whole, large[new]])


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

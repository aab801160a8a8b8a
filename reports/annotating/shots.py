"""Cuts, known a moment before they are shown: a cover begins before its face is found, but not in the shot before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from cvid.frames import Edge, is_cut, small_of
from cvid.settings import SelectionSettings
from cvid.upright import luma_of
from cvid.video import Picture

_MOST_BYTES = 256 << 20
"""So much of decoded pictures is held back at most; where that is not enough, a cut is found too late and a cover
reaches into the shot before."""
_REMEMBERED_S = 30.0


class Shots:
    """Passes pictures on while it looks ahead for cuts.

    Args:
        ahead_s: for how long; 0 looks for none.
    """

    def __init__(self, pictures: Iterable[Picture], ahead_s: float) -> None:
        self._pictures, self._ahead_s = pictures, ahead_s
        self._cuts: deque[float] = deque()
        self._last: Edge | None = None
        self._settings = SelectionSettings()

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, each when those of the next moments are known."""
        if not self._ahead_s:
            yield from self._pictures
            return
        waiting: deque[Picture] = deque()
        held = 0
        for picture in self._pictures:
            self._look(picture)
            waiting.append(picture)
            held += _bytes(picture)
            while picture.time_s - waiting[0].time_s > self._ahead_s or (held > _MOST_BYTES and len(waiting) > 1):
                held -= _bytes(waiting[0])
                yield waiting.popleft()
        yield from waiting

    def parted(self, one_s: float, other_s: float) -> bool:
        """Does a cut lie between two moments, the earlier one first? The picture of a cut belongs to what follows."""
        return any(one_s < cut_s <= other_s for cut_s in self._cuts)

    def _look(self, picture: Picture) -> None:
        small = small_of(luma_of(picture.decoded), self._settings.width_px)
        cut, change = is_cut(small, self._last, self._settings)
        if cut and self._last is not None:
            self._cuts.append(picture.time_s)
        self._last = Edge(small, change)
        while self._cuts and picture.time_s - self._cuts[0] > self._ahead_s + _REMEMBERED_S:
            self._cuts.popleft()


def _bytes(picture: Picture) -> int:
    return sum(plane.buffer_size for plane in picture.decoded.planes)

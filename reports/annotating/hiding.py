"""Cover a face so that nothing of it is left but a few average colours of it and its surroundings.

A region becomes 4 by 4 means, which are spread over it again and blurred; no pixel of the original has a part in the
result but through them. They are taken anew once a second only: many slightly different rasters of one face would tell
more of it than one does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvid.opencv import cv2
from cvid.types import Bytes
from reports.annotating.canvas import Canvas

_CELLS = 4
_RENEWED_S = 1.0
_STEPS = 8
"""Means are told to the nearest of so many: a slow change from frame to frame would tell more."""
_SMALLEST_PX = 2
_VEIL_PX = 64


class Hider:
    """Covers one face, frame by frame."""

    def __init__(self) -> None:
        self._veils: Sequence[Bytes] | None = None  # one a plane, of a fixed size
        self._taken_s = -np.inf

    def hide(self, canvas: Canvas, box: tuple[int, int, int, int]) -> None:
        """Cover a box of even px."""
        left, top, right, bottom = box
        if right - left < _SMALLEST_PX or bottom - top < _SMALLEST_PX:
            return
        regions = canvas.regions(box)
        if self._veils is None or not 0 <= canvas.time_s - self._taken_s < _RENEWED_S:
            self._veils, self._taken_s = [_veil(_means(region)) for region in regions], canvas.time_s
        for region, veil in zip(regions, self._veils, strict=True):
            region[:] = cv2.resize(veil, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_LINEAR)


def _means(region: Bytes) -> Bytes:
    """At most 4 by 4 means of a region, coarse."""
    size = (min(_CELLS, region.shape[1]), min(_CELLS, region.shape[0]))
    means = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    return np.asarray(means // _STEPS * _STEPS + _STEPS // 2, np.uint8)


def _veil(means: Bytes) -> Bytes:
    """Means as a picture without edges between them, uint8 (64, 64), to be stretched over a region."""
    wide = cv2.resize(means, (_VEIL_PX, _VEIL_PX), interpolation=cv2.INTER_LINEAR)
    side = _VEIL_PX // _CELLS | 1
    return np.asarray(cv2.blur(wide, (side, side), borderType=cv2.BORDER_REPLICATE), np.uint8)

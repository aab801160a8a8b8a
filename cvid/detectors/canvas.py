"""Bring a picture to the size that a detector looks at."""

from __future__ import annotations

import numpy as np

from cvid.opencv import cv2
from cvid.types import Bytes, Floats

_LARGEST_GAIN = 2.0


def shrink(bgr: Bytes, side_px: int, pad_to: int) -> tuple[Bytes, Floats]:
    """Shrink a picture, or enlarge it up to twice, so that its longer side has `side_px`; black fills up the rest.

    Args:
        bgr: uint8 (h, w, 3).
        pad_to: rows and columns of the canvas are the next multiples of this, px.

    Returns:
        The canvas, uint8, with the picture in its upper left corner, and the factors, float32 (2,), that take x and y
        on it back to the picture.
    """
    height, width = bgr.shape[:2]
    scale = min(side_px / max(height, width), _LARGEST_GAIN)
    small = cv2.resize(bgr, (max(round(width * scale), 1), max(round(height * scale), 1)))
    rows, columns = (-(-side // pad_to) * pad_to for side in small.shape[:2])
    canvas = np.zeros((rows, columns, 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas, np.array([width / small.shape[1], height / small.shape[0]], np.float32)

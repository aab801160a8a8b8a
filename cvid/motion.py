"""Optical flow between two small luma pictures, summed up in one number."""

from __future__ import annotations

import numpy as np

from cvid.opencv import cv2
from cvid.types import Bytes

_MOVED_PERCENTILE = 95
"""A person may fill a twentieth of the picture: the fastest twentieth speaks for the frame."""


class MotionMeter:
    """Dense inverse-search flow (Kroeger et al., 2016; OpenCV's DIS, ultrafast preset)."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def between(self, before: Bytes, after: Bytes) -> float:
        """How far the fastest twentieth of the picture moved, in picture widths.

        Args:
            before: uint8 (h, w), at least 32 px a side.
            after: likewise, of the same shape.
        """
        flow = self._flow.calc(before, after, None)
        speed = np.sqrt(flow[::2, ::2, 0] ** 2 + flow[::2, ::2, 1] ** 2).ravel()
        place = len(speed) * _MOVED_PERCENTILE // 100
        return float(np.partition(speed, place)[place] / before.shape[1])

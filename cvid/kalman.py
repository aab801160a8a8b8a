"""A constant-velocity Kalman filter for one box, with steps of any length in time."""

from __future__ import annotations

import numpy as np

from cvid.types import Doubles, Floats

_PLACE_NOISE = 0.05
"""Measurement noise of centre and size, in box heights (ByteTrack and SORT use a twentieth)."""
_PUSH = 0.5
"""How fast the velocity of a face may change: box heights a second, each second."""


class BoxFilter:
    """State: centre x and y, width, height, px, and their velocities, px a second."""

    def __init__(self, xyxy: Floats) -> None:
        self._mean: Doubles = np.concatenate([_to_centre(xyxy), np.zeros(4)])
        height = max(self._mean[3], 1.0)
        self._covariance: Doubles = np.diag([(2 * _PLACE_NOISE * height) ** 2] * 4 + [height**2] * 4)

    def predict(self, step_s: float) -> Floats:
        """Move on by `step_s` and return the expected box, float32 (4,), px."""
        move = np.eye(8)
        move[:4, 4:] = np.eye(4) * step_s
        push = (_PUSH * max(self._mean[3], 1.0)) ** 2 * step_s
        noise = np.diag([push * step_s**2 / 3] * 4 + [push] * 4)
        self._mean = move @ self._mean
        self._mean[2:4] = np.maximum(self._mean[2:4], 1.0)
        self._covariance = move @ self._covariance @ move.T + noise
        return _to_corners(self._mean[:4])

    def correct(self, xyxy: Floats) -> None:
        """Take a measured box, float32 (4,), px, into account."""
        noise = np.eye(4) * (_PLACE_NOISE * max(self._mean[3], 1.0)) ** 2
        gain = np.linalg.solve(self._covariance[:4, :4] + noise, self._covariance[:4]).T
        self._mean = self._mean + gain @ (_to_centre(xyxy) - self._mean[:4])
        self._covariance = self._covariance - gain @ self._covariance[:4]


def _to_centre(xyxy: Floats) -> Doubles:
    x1, y1, x2, y2 = xyxy.astype(np.float64)
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])


def _to_corners(box: Doubles) -> Floats:
    x, y, w, h = box
    return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2], np.float32)

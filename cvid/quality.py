"""How good a face is for recognition: sharpness, pose, size and exposure → 0..1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvid.align import arcface_crop
from cvid.opencv import cv2
from cvid.types import FaceChip, Floats

_SHARP = 60.0
"""Variance of the Laplacian of an aligned 112 px crop at which a face is as sharp as needed."""
_PROFILE = 0.1
"""What a full profile is still worth: it can be recognised, but hardly from the other side."""
_EYES_PX = 30.0
"""Distance of the eyes in the frame at which more px no longer help (a 112 px crop has 35)."""


@dataclass(frozen=True)
class Quality:
    """The four parts, each 0..1, and what they come to together."""

    sharpness: float
    pose: float
    size: float
    exposure: float

    @property
    def total(self) -> float:
        """0..1, the root of the product: one bad part is enough to spoil a face."""
        return float((self.sharpness * self.pose * self.size * self.exposure) ** 0.5)


def judge(chip: FaceChip) -> Quality:
    """Judge one face by its aligned crop and its landmarks."""
    grey = cv2.cvtColor(arcface_crop(chip.bgr, chip.landmarks), cv2.COLOR_BGR2GRAY)[16:108, 12:100]
    eyes_px = float(np.linalg.norm(chip.landmarks[1] - chip.landmarks[0])) / max(chip.scale, 1e-6)
    return Quality(
        sharpness=float(np.clip((cv2.Laplacian(grey, cv2.CV_32F).var() / _SHARP) ** 0.5, 0.05, 1)),
        pose=frontality(chip.landmarks),
        size=float(np.clip(eyes_px / _EYES_PX, 0, 1)),
        exposure=_exposure(np.asarray(grey, np.float32)),
    )


def frontality(landmarks: Floats) -> float:
    """1 for a face looking into the camera, towards `_PROFILE` for a profile or a landmark failure.

    Yaw shows in how far the nose leaves the middle between the eyes, pitch in where it lies between
    eyes and mouth, both along the face's own axes, so that a tilted head loses nothing.
    """
    eye_left, eye_right, nose, mouth_left, mouth_right = landmarks.astype(np.float64)
    across = (eye_right - eye_left + mouth_right - mouth_left) / 2
    width = max(float(np.linalg.norm(across)), 1e-6)
    axis = across / width
    eyes, mouth = (eye_left + eye_right) / 2, (mouth_left + mouth_right) / 2
    height = abs(float(axis[0] * (mouth - eyes)[1] - axis[1] * (mouth - eyes)[0]))
    yaw = float((nose - (eyes + mouth) / 2) @ axis) / width
    pitch = float(axis[0] * (nose - eyes)[1] - axis[1] * (nose - eyes)[0]) / max(height, 1e-6) - 0.55
    slim = np.clip(width / max(height, 1e-6) / 0.7, 0, 1)
    return float(max(np.exp(-((yaw / 0.35) ** 2) - (pitch / 0.4) ** 2) * slim, _PROFILE))


def _exposure(grey: Floats) -> float:
    """1 for a face with contrast in the middle of the scale, less when dark, burnt out or flat."""
    mean, contrast = float(grey.mean()), float(grey.std())
    burnt = float((grey > 250).mean())
    return float(np.clip(mean / 50, 0, 1) * np.clip(contrast / 20, 0, 1) * (1 - burnt))

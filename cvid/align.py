"""Align faces: the five-point similarity transform and the crops that models were trained on."""

from __future__ import annotations

import numpy as np

from cvid.opencv import cv2
from cvid.types import Bytes, Floats

ARCFACE_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""Where ArcFace-trained models expect the five landmarks in a 112×112 crop (insightface, face_align.py)."""


def similarity_transform(source: Floats, target: Floats) -> Floats:
    """The least-squares rotation, scale and shift that takes `source` points to `target`.

    Umeyama (1991), without reflection. Degenerate sources (all points equal) give the shift alone.

    Args:
        source: float32 (k, 2), px.
        target: float32 (k, 2), px.

    Returns:
        float32 (2, 3), as `cv2.warpAffine` takes it.
    """
    source_mean, target_mean = source.mean(0), target.mean(0)
    s, t = (source - source_mean).astype(np.float64), (target - target_mean).astype(np.float64)
    variance = (s**2).sum()
    if variance < 1e-9:
        return np.array([[1, 0, target_mean[0] - source_mean[0]], [0, 1, target_mean[1] - source_mean[1]]], np.float32)
    # In the plane a similarity is one complex number: z = a + bi minimises |t - z s|².
    a = (s * t).sum() / variance
    b = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / variance
    linear = np.array([[a, -b], [b, a]])
    shift = target_mean - linear @ source_mean
    return np.column_stack([linear, shift]).astype(np.float32)


def arcface_crop(bgr: Bytes, landmarks: Floats, size: int = 112) -> Bytes:
    """Cut the face out as ArcFace-trained models expect it.

    Args:
        bgr: uint8 (h, w, 3).
        landmarks: float32 (5, 2), px in `bgr`.
        size: side of the crop, px.

    Returns:
        uint8 (size, size, 3); black where the picture ends.
    """
    matrix = similarity_transform(landmarks, ARCFACE_POINTS * np.float32(size / 112))
    return np.asarray(cv2.warpAffine(bgr, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)

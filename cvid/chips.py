"""Cut a face out of its frame, with surroundings, no larger than the models need."""

from __future__ import annotations

import numpy as np

from cvid.opencv import cv2
from cvid.types import Bytes, Crop, FaceChip, Floats

MARGIN = 0.4
"""Surroundings on each side, in box sides: room for a turned crop and for a portrait."""
FACE_PX = 160
"""A larger face is shrunk to this: the models look at 112 and 150 px."""
_JPEG_QUALITY = 88
_CROP_QUALITY = 95
"""Of what models look at later: the vectors of such a chip lie at cosine 0.99 and more to the chip's own."""


def cut_chip(bgr: Bytes, xyxy: Floats, landmarks: Floats) -> FaceChip:
    """The face at `xyxy` with its surroundings, as far as the picture reaches.

    Args:
        bgr: uint8 (h, w, 3), the whole frame.
        xyxy: float32 (4,), px.
        landmarks: float32 (5, 2), px.
    """
    height, width = bgr.shape[:2]
    side = xyxy[2:] - xyxy[:2]
    low = np.clip(np.floor(xyxy[:2] - MARGIN * side), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(xyxy[2:] + MARGIN * side), low + 1, [width, height]).astype(int)
    part = bgr[low[1] : high[1], low[0] : high[0]]
    scale = min(FACE_PX / max(float(side.max()), 1.0), 1.0)
    size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    picture = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if scale < 1 else part.copy()
    factor = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], np.float32)
    shift = low.astype(np.float32)
    return FaceChip(
        np.asarray(picture, np.uint8),
        ((xyxy - np.tile(shift, 2)) * np.tile(factor, 2)).astype(np.float32),
        ((landmarks - shift) * factor).astype(np.float32),
        float(scale),
    )


def jpeg(chip: FaceChip, quality: int = _JPEG_QUALITY) -> bytes:
    """The chip as a JPEG file."""
    done, data = cv2.imencode(".jpg", chip.bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data)


def as_crop(chip: FaceChip, quality: float) -> Crop:
    """The chip as it is stored; `quality` is the face's."""
    return Crop(jpeg(chip, _CROP_QUALITY), chip.xyxy, chip.landmarks, chip.scale, quality)


def from_crop(crop: Crop) -> FaceChip:
    """The chip again, but for what JPEG takes.

    Raises:
        ValueError: the stored picture is damaged.
    """
    bgr = cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("a stored face is damaged")
    return FaceChip(np.asarray(bgr, np.uint8), crop.xyxy, crop.landmarks, crop.scale)

"""A fast detector sees every picture; the others look only where it is unsure or lost somebody, and in dim pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvid.detectors import Detector
from cvid.detectors.boxes import overlap
from cvid.detectors.ensemble import joined, merge
from cvid.opencv import cv2
from cvid.types import Bytes, Faces, Floats

_SURE = 0.6
"""A face of at least this score needs no second opinion."""
_THERE = 0.3
"""Overlap from which on a face stands where one was expected."""
_SMALL = 1 / 25
"""A face below this share of the longer side is looked at again, enlarged."""
_DIM = 60.0
"""Mean brightness, 0..255, below which the whole picture is looked at again, lifted."""
_REACH = 1.5
"""How far around a doubtful place the others look, in box sides on each side."""
_SIDE_PX = 320
"""Side to which a doubtful place is enlarged."""
_MOST_PLACES = 4


class CascadeDetector:
    """The first detector on every picture, the others where it pays.

    They look around faces of a doubtful score, around small ones, where a track should be and the first detector sees
    nothing, and at the whole of a dim picture, lifted. Box and landmarks come from the first detector where it found
    the face at all.

    Args:
        detectors: the fast one first.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._fast, *self._others = detectors
        self.name, self.weights, self.providers = joined(detectors)

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        faces = self._fast.detect(bgr)
        if bgr[::8, ::8].mean() < _DIM:
            lifted = _lifted(bgr)
            return merge([faces, *(detector.detect(lifted) for detector in self._others)])
        places = _doubtful(faces, expected, max(bgr.shape[:2]))
        seen = [_look(detector, bgr, place) for place in places for detector in self._others]
        return merge([faces, *seen]) if seen else faces


def _doubtful(faces: Faces, expected: Floats | None, longer_px: int) -> Floats:
    """Boxes that deserve a second look, float32 (k, 4), the most doubtful first."""
    side = (faces.xyxy[:, 2:] - faces.xyxy[:, :2]).max(axis=1, initial=0)
    unsure = faces.xyxy[(faces.score < _SURE) | (side < _SMALL * longer_px)]
    lost = np.zeros((0, 4), np.float32)
    if expected is not None and len(expected):
        lost = expected[overlap(expected, faces.xyxy).max(axis=1, initial=0) < _THERE]
    return np.concatenate([lost, unsure])[:_MOST_PLACES]


def _look(detector: Detector, bgr: Bytes, place: Floats) -> Faces:
    """The faces that a detector finds in the surroundings of a box, in px of the whole picture."""
    height, width = bgr.shape[:2]
    reach = _REACH * float((place[2:] - place[:2]).max())
    low = np.clip(np.floor(place[:2] - reach), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(place[2:] + reach), low + 1, [width, height]).astype(int)
    part = bgr[low[1] : high[1], low[0] : high[0]]
    scale = min(_SIDE_PX / max(part.shape[:2]), 4.0)
    size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    faces = detector.detect(np.asarray(cv2.resize(part, size), np.uint8))
    factor = np.array([part.shape[1] / size[0], part.shape[0] / size[1]], np.float32)
    shift = low.astype(np.float32)
    xyxy, points = faces.xyxy * np.tile(factor, 2) + np.tile(shift, 2), faces.landmarks * factor + shift
    return Faces(xyxy.astype(np.float32), faces.score, points.astype(np.float32), faces.votes)


def _lifted(bgr: Bytes) -> Bytes:
    """A dim picture with its brightness brought to the middle of the scale."""
    mean = max(float(bgr[::8, ::8].mean()), 4.0)
    gamma = np.log(110 / 255) / np.log(mean / 255)
    table = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return np.asarray(cv2.LUT(bgr, table), np.uint8)

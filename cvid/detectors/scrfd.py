"""SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021) on ONNX Runtime."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from cvid.detectors.boxes import best_first, non_maximum_suppression
from cvid.detectors.canvas import shrink
from cvid.errors import ModelError
from cvid.opencv import cv2
from cvid.sessions import Session, open_session, run_float, running_on
from cvid.types import Bytes, Faces, Floats

STRIDES = (8, 16, 32)
ANCHORS = 2
"""Anchors at each place of the grid."""


class ScrfdDetector:
    """The detectors of InsightFace with five landmarks: SCRFD-0.5G, 2.5G and 10G.

    Args:
        path: the ONNX file (nine outputs: score, box and points at strides 8, 16 and 32).
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        side_px: the picture is shrunk, or enlarged up to twice, so that its longer side has this many px.
        min_score: fainter faces are dropped; tracking extends tracks with the faint ones it gets.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "scrfd_500m",
        side_px: int = 640,
        min_score: float = 0.3,
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if session is None:
            if path is None:
                raise ModelError(f"the detector '{name}' needs a weights file")
            session = open_session(path, free_axes=(0, 2, 3), device=device)
        self.name, self.weights, self.providers = name, weights, running_on([session])
        self._session, self._side_px, self._min_score = session, side_px, min_score
        self._input = session.get_inputs()[0].name

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        canvas, factor = shrink(bgr, self._side_px, 32)
        rows, columns = canvas.shape[:2]
        blob = cv2.dnn.blobFromImage(canvas, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
        outputs = run_float(self._session, {self._input: blob})
        if len(outputs) != 3 * len(STRIDES):
            raise ModelError(
                f"the detector '{self.name}' has {len(outputs)} outputs, not 9: another kind of SCRFD file"
            )
        score, xyxy, points = self._decode(outputs, rows, columns)
        keep = non_maximum_suppression(xyxy, score, 0.4)
        return best_first(
            Faces(xyxy[keep] * np.tile(factor, 2), score[keep], points[keep] * factor, np.ones(len(keep), np.uint8))
        )

    def _decode(self, outputs: list[Floats], rows: int, columns: int) -> tuple[Floats, Floats, Floats]:
        """Scores, boxes and landmarks above the bar, in px of the shrunk picture."""
        scores, boxes, points = [], [], []
        for level, stride in enumerate(STRIDES):
            score = outputs[level].reshape(-1)
            place = np.flatnonzero(score >= self._min_score)
            centre = _grid(rows // stride, columns // stride, stride)[place]
            reach = outputs[level + 3].reshape(-1, 4)[place] * stride
            offsets = outputs[level + 6].reshape(-1, 5, 2)[place] * stride
            scores.append(score[place])
            boxes.append(np.hstack([centre - reach[:, :2], centre + reach[:, 2:]]))
            points.append(centre[:, None] + offsets)
        return np.concatenate(scores), np.concatenate(boxes), np.concatenate(points)


@cache
def _grid(rows: int, columns: int, stride: int) -> Floats:
    """Anchor centres of one level, float32 (rows · columns · ANCHORS, 2), px."""
    y, x = np.mgrid[:rows, :columns]
    centres = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32) * stride
    return np.repeat(centres, ANCHORS, axis=0)

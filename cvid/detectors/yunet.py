"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023), through OpenCV's FaceDetectorYN."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cvid.detectors.boxes import best_first
from cvid.detectors.canvas import shrink
from cvid.errors import ModelError
from cvid.opencv import cv2
from cvid.types import Bytes, Faces, Floats

_SHARED = 0.3


class YuNetDetector:
    """The detector of the OpenCV zoo, 230 kB, with five landmarks. OpenCV runs it, on the CPU.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        side_px: the picture is shrunk, or enlarged up to twice, so that its longer side has this many px.
        min_score: fainter faces are dropped.
        device: ignored: OpenCV runs it on the CPU.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "yunet",
        side_px: int = 640,
        min_score: float = 0.6,
        device: str = "auto",
    ) -> None:
        if path is None:
            raise ModelError(f"the detector '{name}' needs a weights file")
        self.name, self.weights, self._side_px = name, weights, side_px
        self.providers = ("OpenCV",)
        try:
            self._model = cv2.FaceDetectorYN.create(str(path), "", (320, 320), min_score, _SHARED)
        except cv2.error as exc:
            raise ModelError(f"{path} is not a model that OpenCV can load; fetch it again") from exc

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        canvas, factor = shrink(bgr, self._side_px, 32)
        self._model.setInputSize((canvas.shape[1], canvas.shape[0]))
        try:
            _, rows = self._model.detect(canvas)
        except cv2.error as exc:
            raise ModelError(f"the detector '{self.name}' cannot run: another kind of file") from exc
        if rows is None:
            return Faces.empty()
        box, score = rows[:, :4], rows[:, 14]
        xyxy = np.hstack([box[:, :2], box[:, :2] + box[:, 2:]]) * np.tile(factor, 2)
        points = rows[:, 4:14].reshape(-1, 5, 2) * factor
        votes = np.ones(len(rows), np.uint8)
        return best_first(Faces(xyxy.astype(np.float32), score.astype(np.float32), points.astype(np.float32), votes))

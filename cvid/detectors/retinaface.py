"""RetinaFace (Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild", 2020), MobileNet-0.25."""

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

_MEAN = (104, 117, 123)
_LEVELS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""Stride of a level of the grid, and the sides of its two priors, px."""
_VARIANCE = np.array([0.1, 0.2], np.float32)
_SHARED = 0.4


class RetinaFaceDetector:
    """The MobileNet-0.25 model of Pytorch_Retinaface: boxes and five landmarks against fixed priors.

    Args:
        path: the ONNX file (three outputs: boxes, scores and landmarks of all priors; BGR minus the mean goes in).
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        side_px: the picture is shrunk, or enlarged up to twice, so that its longer side has this many px.
        min_score: fainter faces are dropped.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "retinaface_mnet",
        side_px: int = 640,
        min_score: float = 0.5,
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if session is None:
            if path is None:
                raise ModelError(f"the detector '{name}' needs a weights file")
            session = open_session(_for_any_size(path), free_axes=(0, 2, 3), device=device)
        self.name, self.weights, self.providers = name, weights, running_on([session])
        self._session, self._side_px, self._min_score = session, side_px, min_score
        self._input = session.get_inputs()[0].name

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        canvas, factor = shrink(bgr, self._side_px, 32)
        blob = cv2.dnn.blobFromImage(canvas, 1, mean=_MEAN, swapRB=False)
        outputs = run_float(self._session, {self._input: blob})
        if [output.shape[-1] for output in outputs] != [4, 2, 10]:
            raise ModelError(f"the detector '{self.name}' does not give boxes, scores and points: another kind of file")
        place, reach, points = (output.reshape(-1, output.shape[-1]) for output in outputs)
        prior, score = _priors(*canvas.shape[:2]), reach[:, 1]
        sure = score >= self._min_score
        prior, score, place, points = prior[sure], score[sure], place[sure], points[sure]
        centre = prior[:, :2] + place[:, :2] * _VARIANCE[0] * prior[:, 2:]
        half = prior[:, 2:] * np.exp(place[:, 2:] * _VARIANCE[1]) / 2
        xyxy = np.hstack([centre - half, centre + half])
        marks = prior[:, None, :2] + points.reshape(-1, 5, 2) * _VARIANCE[0] * prior[:, None, 2:]
        keep = non_maximum_suppression(xyxy, score, _SHARED)
        votes = np.ones(len(keep), np.uint8)
        return best_first(Faces(xyxy[keep] * np.tile(factor, 2), score[keep], marks[keep] * factor, votes))


def _for_any_size(path: Path) -> bytes:
    """The graph with its two enlargements by factor, instead of to the size that its exporter wrote down.

    It gives the very same figures, and a picture of 16:9 costs 40 % less than the square around it.

    Raises:
        ModelError: the file cannot be read as a graph.
    """
    import onnx

    try:
        model = onnx.load(str(path))
    except Exception as exc:  # protobuf's errors have no common base
        raise ModelError(f"{path} is not a model that ONNX Runtime can load; fetch it again") from exc
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
    for node in model.graph.node:
        if node.op_type == "Resize":
            node.input[:] = [node.input[0], "", "twice"]
    return bytes(model.SerializeToString())


@cache
def _priors(rows: int, columns: int) -> Floats:
    """Centre and size of every prior in the order of the outputs, float32 (p, 4), px."""
    levels = []
    for stride, sides in _LEVELS:
        y, x = np.mgrid[: -(-rows // stride), : -(-columns // stride)]
        centre = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        size = np.repeat(np.array(sides, np.float32)[None, :, None], 2, axis=2)
        both = np.broadcast_arrays(centre, size)
        levels.append(np.concatenate(both, axis=2).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)

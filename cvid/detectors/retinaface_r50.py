"""RetinaFace (Deng et al., 2020) with ResNet-50, through the package retina-face, on ONNX Runtime.

Needs the extra `deepface` (docs/decisions/0008-deepface-is-an-extra.md).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cvid.detectors.boxes import best_first
from cvid.detectors.canvas import shrink
from cvid.errors import ModelError
from cvid.guests import ON_ONNX_RUNTIME, guest
from cvid.sessions import Session, expect, open_session, running_on
from cvid.types import Bytes, Faces, Floats

with guest(**ON_ONNX_RUNTIME):
    from retinaface import RetinaFace as package  # noqa: N813  # a module
    from retinaface.commons import backend_utils
    from retinaface.model.retinaface_onnx_model import RetinaFace

_POINTS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
"""Its names for our five landmarks in our order: right and left are the person's own."""
_LARGEST_PX = 1024  # it shrinks larger pictures itself


class RetinaFaceR50Detector:
    """Boxes and five landmarks of retina-face's `detect_faces`.

    Args:
        path: the ONNX file (three outputs at strides 32, 16 and 8; RGB 0..255 goes in, channels last).
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        side_px: the picture is shrunk, or enlarged up to twice, so that its longer side has this many px, 1024 at most.
            The package itself takes 1024 px for the shorter side, which costs 5.0 s instead of 0.65 s a picture of
            16:9 on one core.
        min_score: fainter faces are dropped.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "retinaface_r50",
        side_px: int = 640,
        min_score: float = 0.5,
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if not backend_utils.is_onnx():
            raise ModelError(f"the detector '{name}' needs retina-face on ONNX Runtime; it runs on something else here")
        if session is None:
            if path is None:
                raise ModelError(f"the detector '{name}' needs a weights file")
            session = open_session(path, device=device)
        expect(session, name, (None, None, 3), (4, 8, 20) * 3)
        self.name, self.weights, self.providers = name, weights, running_on([session])
        self._network, self._side_px, self._min_score = RetinaFace(session), min(side_px, _LARGEST_PX), min_score

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        canvas, factor = shrink(bgr, self._side_px, 32)
        found = package.detect_faces(
            canvas, threshold=self._min_score, model=self._network, allow_upscaling=False
        ).values()
        xyxy = np.array([face["facial_area"] for face in found], np.float32).reshape(-1, 4)
        score = np.array([face["score"] for face in found], np.float32)
        points = [[face["landmarks"][name] for name in _POINTS] for face in found]
        landmarks = np.array(points, np.float32).reshape(-1, 5, 2)
        votes = np.ones(len(xyxy), np.uint8)
        return best_first(Faces(xyxy * np.tile(factor, 2), score, landmarks * factor, votes))

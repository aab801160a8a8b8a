"""SFace (Zhong et al., 2021), the face model of OpenCV's zoo, on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cvid.align import arcface_crop
from cvid.embedders.crops import CropEmbedder
from cvid.errors import ModelError
from cvid.sessions import Session, expect, open_session, run_float
from cvid.types import Bytes, FaceChip, Floats


class SFaceEmbedder(CropEmbedder):
    """128-d vectors of 112×112 crops, RGB 0..255, as OpenCV's FaceRecognizerSF feeds them; the graph normalises.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        mirror: average with the mirror image; OpenCV does not.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "sface",
        mirror: bool = False,
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if session is None:
            if path is None:
                raise ModelError(f"the embedder '{name}' needs a weights file")
            session = open_session(path, device=device)
        super().__init__(name, weights, session, 128, expect(session, name, (3, 112, 112), (128,)), mirror)
        self._session = session
        self._input = session.get_inputs()[0].name

    def _cut(self, chip: FaceChip) -> Bytes:
        return arcface_crop(chip.bgr, chip.landmarks)

    def _describe(self, crops: list[Bytes]) -> Floats:
        rgb = np.stack(crops)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        return run_float(self._session, {self._input: np.ascontiguousarray(rgb)})[0]

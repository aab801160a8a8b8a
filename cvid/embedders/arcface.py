"""ArcFace (Deng et al., 2019) as InsightFace offers it: ResNet-50, ResNet-100 and MobileFaceNet, on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cvid.align import arcface_crop
from cvid.embedders.crops import CropEmbedder
from cvid.errors import ModelError
from cvid.guests import guest
from cvid.sessions import expect, open_session
from cvid.types import Bytes, FaceChip, Floats

with guest():
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX


class ArcFaceEmbedder(CropEmbedder):
    """512-d vectors of 112×112 crops through InsightFace's own class, which knows channel order and normalisation.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        mirror: average with the mirror image, as MobileFaceNet does; costs as much again.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "arcface_r50",
        mirror: bool = True,
        device: str = "auto",
    ) -> None:
        if path is None:
            raise ModelError(f"the embedder '{name}' needs a weights file")
        session = open_session(path, device=device)
        super().__init__(name, weights, session, 512, expect(session, name, (3, 112, 112), (512,)), mirror)
        self._network = ArcFaceONNX(model_file=str(path), session=session)

    def _cut(self, chip: FaceChip) -> Bytes:
        return arcface_crop(chip.bgr, chip.landmarks)

    def _describe(self, crops: list[Bytes]) -> Floats:
        return np.asarray(self._network.get_feat(crops), np.float32)

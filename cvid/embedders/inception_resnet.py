"""InceptionResnetV1 (facenet-pytorch, trained on VGGFace2), exported to ONNX by tools/export_inception_resnet."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cvid.embedders.crops import CropEmbedder
from cvid.errors import ModelError
from cvid.opencv import cv2
from cvid.sessions import Session, expect, open_session, run_float
from cvid.types import Bytes, FaceChip, Floats

SIDE = 160


class InceptionResnetEmbedder(CropEmbedder):
    """512-d vectors of the detector's box itself at 160×160, RGB, (x − 127.5) / 128.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        mirror: average with the mirror image; facenet-pytorch does not.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "inception_resnet",
        mirror: bool = False,
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if session is None:
            if path is None:
                raise ModelError(f"the embedder '{name}' needs a weights file")
            session = open_session(path, device=device)
        super().__init__(name, weights, session, 512, expect(session, name, (3, SIDE, SIDE), (512,)), mirror)
        self._session = session
        self._input = session.get_inputs()[0].name

    def _cut(self, chip: FaceChip) -> Bytes:
        return box_crop(chip)

    def _describe(self, crops: list[Bytes]) -> Floats:
        rgb = (np.stack(crops)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 128
        return run_float(self._session, {self._input: np.ascontiguousarray(rgb)})[0]


def box_crop(chip: FaceChip) -> Bytes:
    """The box as far as the picture reaches, uint8 (160, 160, 3), as facenet-pytorch's MTCNN(margin=0) cuts it.

    Its sides are stretched to a square; nothing is turned or aligned.
    """
    height, width = chip.bgr.shape[:2]
    left, top = (int(np.clip(edge, 0, size - 1)) for edge, size in zip(chip.xyxy[:2], (width, height), strict=True))
    right, bottom = max(int(min(chip.xyxy[2], width)), left + 1), max(int(min(chip.xyxy[3], height)), top + 1)
    face = chip.bgr[top:bottom, left:right]
    return np.asarray(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)

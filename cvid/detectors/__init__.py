"""Face detectors: one file each behind one protocol."""

from __future__ import annotations

from typing import Protocol

from cvid.registry import Registry
from cvid.types import Bytes, Faces


class Detector(Protocol):
    """Finds faces in one picture.

    `name` is the registry's name; `weights` the first 12 hex digits of the sha256 of its weights.
    """

    name: str
    weights: str

    def detect(self, bgr: Bytes) -> Faces:
        """All faces of an upright picture, uint8 (h, w, 3), best score first; empty where there is none.

        Any size from 1×1 px on is legal. Boxes are px of the given picture and may reach over its edge.
        """
        ...


DETECTORS = Registry(
    "detector",
    {
        "scrfd_500m": "cvid.detectors.scrfd:ScrfdDetector",
        "scrfd_2.5g": "cvid.detectors.scrfd:ScrfdDetector",
        "mtcnn": "cvid.detectors.mtcnn:MtcnnDetector",
    },
)

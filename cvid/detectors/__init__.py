"""Face detectors: one file each behind one protocol; several work in tandem through ensemble.py or cascade.py."""

from __future__ import annotations

from typing import Protocol

from cvid.registry import Registry
from cvid.types import Bytes, Faces, Floats


class Detector(Protocol):
    """Finds faces in one picture.

    `name` is the registry's name, or several joined by "+"; `weights` the first 12 hex digits of the sha256 of its
    weights; `providers` what ONNX Runtime really runs it on.
    """

    name: str
    weights: str
    providers: tuple[str, ...]

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, uint8 (h, w, 3), best score first; empty where there is none.

        Any size from 1×1 px on is legal. Boxes are px of the given picture and may reach over its edge.

        Args:
            expected: float32 (k, 4), px: where a video's tracks should be now; a cascade looks twice there.
        """
        ...


_SCRFD = "cvid.detectors.scrfd:ScrfdDetector"
DETECTORS = Registry(
    "detector",
    {
        "scrfd_500m": _SCRFD,
        "scrfd_2.5g": _SCRFD,
        "scrfd_10g": _SCRFD,
        "retinaface_mnet": "cvid.detectors.retinaface:RetinaFaceDetector",
        "retinaface_r50": "cvid.detectors.retinaface_r50:RetinaFaceR50Detector",
        "mtcnn": "cvid.detectors.mtcnn:MtcnnDetector",
        "yunet": "cvid.detectors.yunet:YuNetDetector",
    },
    extras={"retinaface_r50": "pip install 'cvid[deepface]'"},
)

TANDEMS = Registry(
    "way for detectors to work together",
    {
        "cascade": "cvid.detectors.cascade:CascadeDetector",
        "union": "cvid.detectors.ensemble:UnionDetector",
        "vote": "cvid.detectors.ensemble:VoteDetector",
    },
)

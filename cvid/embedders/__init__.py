"""Face embedders: one file each behind one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cvid.registry import Registry
from cvid.types import Embeddings, FaceChip


class Embedder(Protocol):
    """Turns faces into unit vectors in which one person's faces lie close together.

    `name` is the registry's name; `model` is name + weights hash, the space its vectors live in;
    `dimensions` is d; `providers` what ONNX Runtime really runs it on.
    """

    name: str
    model: str
    dimensions: int
    providers: tuple[str, ...]

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """One vector a chip, float32 (n, d), unit length, in the given order; (0, d) for none.

        Each embedder aligns the chip in its own way.

        Args:
            views: n of `cvid.embedders.views`, what is looked at; None for the face and its mirror image, whose mean is
                the vector. Models that gain nothing by it always look at the plain face alone.
        """
        ...


_ARCFACE = "cvid.embedders.arcface:ArcFaceEmbedder"
_DEEPFACE = "cvid.embedders.deepface:DeepFaceEmbedder"
EMBEDDERS = Registry(
    "embedder",
    {
        "mobilefacenet": "cvid.embedders.mobilefacenet:MobileFaceNetEmbedder",
        "dlib_resnet": "cvid.embedders.dlib_resnet:DlibResnetEmbedder",
        "arcface_r50": _ARCFACE,
        "arcface_r100": _ARCFACE,
        "arcface_mbf": _ARCFACE,
        "facenet512": _DEEPFACE,
        "vggface": _DEEPFACE,
        "inception_resnet": "cvid.embedders.inception_resnet:InceptionResnetEmbedder",
        "sface": "cvid.embedders.sface:SFaceEmbedder",
    },
    extras=dict.fromkeys(("facenet512", "vggface"), "pip install 'cvid[deepface]'")
    | dict.fromkeys(("arcface_r50", "arcface_r100", "arcface_mbf"), "pip install insightface"),
)

"""Face embedders: one file each behind one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cvid.registry import Registry
from cvid.types import Embeddings, FaceChip


class Embedder(Protocol):
    """Turns faces into unit vectors in which one person's faces lie close together.

    `name` is the registry's name; `model` is name + weights hash, the space its vectors live in;
    `dimensions` is d.
    """

    name: str
    model: str
    dimensions: int

    def embed(self, chips: Sequence[FaceChip]) -> Embeddings:
        """One vector a chip, float32 (n, d), unit length, in the given order; (0, d) for none.

        Each embedder aligns the chip in its own way.
        """
        ...


EMBEDDERS = Registry(
    "embedder",
    {
        "mobilefacenet": "cvid.embedders.mobilefacenet:MobileFaceNetEmbedder",
        "dlib_resnet": "cvid.embedders.dlib_resnet:DlibResnetEmbedder",
    },
)

"""What embedders have in common: crops in batches, the mirror image, unit length."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from cvid.embedders.views import PLAIN, summed, viewed
from cvid.errors import ModelError
from cvid.exposure import lift
from cvid.sessions import Session, running_on
from cvid.types import Bytes, Embeddings, FaceChip, Floats

_BATCH = 8  # faces at once; memory stays flat


class CropEmbedder(ABC):
    """Cuts each face out in its own way, lifts its contrast, and describes the crops in batches.

    Args:
        name: the registry's name.
        weights: first 12 hex digits of the file's sha256.
        session: what runs the graph.
        dimensions: length of a vector.
        at_once: how many faces the graph takes at once; 0 for any number.
        mirror: a face's vector is the mean of the face's and its mirror image's.
    """

    def __init__(
        self, name: str, weights: str, session: Session, dimensions: int, at_once: int = 0, mirror: bool = False
    ) -> None:
        # Vectors with and without the mirror image are not compared with each other.
        recipe = f"{weights} {'mirror' if mirror else 'plain'}"
        self.name, self.dimensions = name, dimensions
        self.model = f"{name}:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
        self.providers = running_on([session])
        self._at_once, self._batch, self._mirror = at_once, at_once or _BATCH, mirror

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """One vector a chip; see `Embedder.embed`."""
        vectors = np.zeros((len(chips), self.dimensions), np.float32)
        for start in range(0, len(chips), self._batch):
            crops = [lift(self._cut(chip)) for chip in chips[start : start + self._batch]]
            wanted = (views and views[start : start + self._batch]) if self._mirror else [PLAIN] * len(crops)
            pictures, shows = viewed(crops, wanted)
            found = [self._units(pictures[i : i + self._batch]) for i in range(0, len(pictures), self._batch)]
            vectors[start : start + len(crops)] = _unit(summed(np.concatenate(found), shows, len(crops)))
        return Embeddings(vectors, self.model)

    @abstractmethod
    def _cut(self, chip: FaceChip) -> Bytes:
        """The face as the model was trained to see it, uint8 (h, w, 3), BGR."""

    @abstractmethod
    def _describe(self, crops: list[Bytes]) -> Floats:
        """One vector a crop, float32 (n, d), of any length."""

    def _units(self, crops: list[Bytes]) -> Floats:
        missing = self._at_once - len(crops) if self._at_once else 0  # a last, shorter batch is filled up
        found = self._describe(crops + crops[-1:] * missing)[: len(crops)]
        if found.shape != (len(crops), self.dimensions):
            raise ModelError(
                f"the model '{self.name}' gives {found.shape[1:]} numbers a face, not {self.dimensions}: its file "
                "holds another kind of model; fetch it again"
            )
        return _unit(found)


def _unit(vectors: Floats) -> Floats:
    """The same directions with length 1; a vector of zeros, which has none, gets one."""
    vectors = np.where(np.abs(vectors).max(axis=1, keepdims=True) > 1e-9, vectors, 1)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

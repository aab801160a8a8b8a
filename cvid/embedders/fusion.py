"""Several embedders as one: their unit vectors side by side, weighed so that a cosine sums their evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from cvid.calibration import calibration_of
from cvid.embedders import Embedder
from cvid.types import Embeddings, FaceChip


class FusedEmbedder:
    """The vectors v of m embedders as √w₁·v₁, …, √wₘ·vₘ, which has unit length where Σw = 1.

    The cosine of two such vectors is Σ w·cosine. With the weights of a calibration it is the log-odds of a logistic
    regression but for a factor and a shift, so that one index serves.

    Args:
        embedders: what is fused, in this order.
        fusion: "calibrated" for the weights of `cvid.calibration`, equal where there are none; "equal" for equal ones.
    """

    def __init__(self, embedders: Sequence[Embedder], fusion: str = "calibrated") -> None:
        self._embedders = list(embedders)
        self.name = "+".join(embedder.name for embedder in embedders)
        measured = calibration_of(self.name) if fusion == "calibrated" else None
        equal = np.full(len(embedders), 1 / len(embedders))
        self._weights = np.array(measured.weights) if measured else equal
        recipe = " ".join(f"{e.model} {w:.4f}" for e, w in zip(embedders, self._weights, strict=True))
        self.model = f"{self.name}:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
        self.dimensions = sum(embedder.dimensions for embedder in embedders)
        self.providers = tuple(dict.fromkeys(p for embedder in embedders for p in embedder.providers))

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """One vector a chip; see `Embedder.embed`."""
        parts = [embedder.embed(chips, views).vectors for embedder in self._embedders]
        scaled = [np.float32(np.sqrt(w)) * part for w, part in zip(self._weights, parts, strict=True)]
        return Embeddings(np.hstack(scaled).astype(np.float32), self.model)

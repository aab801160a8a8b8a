"""Fusion as arithmetic on vectors: embedders run once, and every way to weigh them is tried on what they gave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvid.types import Floats


def fused(vectors: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """√w₁·v₁, …, √wₘ·vₘ side by side, as `cvid.embedders.fusion` makes them; models of weight 0 are left out."""
    scaled = [np.float32(np.sqrt(w)) * v for w, v in zip(weights, vectors, strict=True) if w > 0]
    return np.asarray(scaled[0] if len(scaled) == 1 else np.hstack(scaled), np.float32)

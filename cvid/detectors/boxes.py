"""What all detectors do with boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvid.types import Faces, Floats, Ints


def overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of every box of `a` with every box of `b`.

    Args:
        a: float32 (n, 4), px, as x1, y1, x2, y2.
        b: float32 (m, 4).

    Returns:
        float32 (n, m), 0..1.
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    total = area(a)[:, None] + area(b)[None] - shared
    return np.asarray(shared / np.maximum(total, 1e-9), np.float32)


def area(xyxy: Floats) -> Floats:
    """Area of each box, float32 (n,), px²."""
    return np.asarray(np.prod(np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None), axis=1), np.float32)


def non_maximum_suppression(xyxy: Floats, score: Floats, limit: float) -> Ints:
    """Of boxes that overlap by more than `limit`, keep the one of the highest score.

    Returns:
        int64 (k,): indices of the kept boxes, best score first.
    """
    order = np.argsort(-score, kind="stable")
    kept: list[Any] = []
    overlaps = overlap(xyxy[order], xyxy[order]) > limit
    alive: NDArray[np.bool_] = np.ones(len(order), np.bool_)
    for i in range(len(order)):
        if alive[i]:
            kept.append(order[i])
            alive &= ~overlaps[i]
    return np.array(kept, np.int64)


def best_first(faces: Faces) -> Faces:
    """The same faces, best score first; without those that have no area or no finite number."""
    sound = np.isfinite(faces.xyxy).all(axis=1) & np.isfinite(faces.landmarks).all(axis=(1, 2)) & (area(faces.xyxy) > 0)
    faces = faces[sound]
    return faces[np.argsort(-faces.score, kind="stable")]

"""Who may found a person: a higher bar than to join one, so that a poor face never becomes somebody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvid.settings import ClusteringSettings
from cvid.types import Bytes, Clusters, Doubles, Floats, TrackSet

ALONE = 2
"""What it takes to found a person: one long clear track, or two clear ones."""

_BRIEF = 3
"""Two tracks found a person together if each is a third as long as one alone must be: a thing that was taken for a face
is seen for an instant, and may be so twice (measured on footage without people)."""


def founding_of(
    duration_s: Doubles, picture: NDArray[np.bool_], quality: Floats, settings: ClusteringSettings
) -> Bytes:
    """What each of n tracks is worth as a founder, `TrackSet.founding`, uint8 (n,).

    Args:
        duration_s: float64 (n,), how long the face was followed.
        picture: bool (n,), whether it is a still, which has no duration and needs none.
        quality: float32 (n,), 0..1, of its best face.
        settings: `found_s` and `found_quality`.
    """
    clear = quality >= settings.found_quality
    long = picture | (duration_s >= settings.found_s - 1e-3)
    followed = long | (duration_s >= settings.found_s / _BRIEF - 1e-3)
    return np.asarray(clear * (followed.astype(np.uint8) + long), np.uint8)


def as_clusters(group: NDArray[np.int64], tracks: TrackSet) -> Clusters:
    """Labels 0, 1, … in order of first appearance; −1 for groups that may not found a person.

    Args:
        group: int64 (n,), any numbers ≥ 0 that say which tracks belong together, −1 = alone and nobody's.
    """
    labels = np.full(len(group), -1, np.int32)
    worth = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    inside = group >= 0
    np.add.at(worth, group[inside], np.where(tracks.person >= 0, ALONE, tracks.founding)[inside])
    kept = inside & (worth[group] >= ALONE) if len(worth) else inside
    _, first, inverse = np.unique(group[kept], return_index=True, return_inverse=True)
    labels[kept] = np.argsort(np.argsort(first))[inverse].astype(np.int32)
    return Clusters(labels)

"""Sorts pictures into people as the archive would: its clustering method, its bar, its rule for who founds a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvid.clustering import CLUSTERERS, Clusterer
from cvid.clustering.founding import founding_of
from cvid.settings import ClusteringSettings
from cvid.types import Floats, TrackSet


def sorted_into_people(
    vectors: Floats, quality: Floats, face: NDArray[np.bool_], model: str, settings: ClusteringSettings
) -> NDArray[np.int32]:
    """A label for each of n pictures, −1 for those that are nobody's, int32 (n,).

    A picture counts as a track of its own, so the bar is that of an archive with as many tracks as there are faces.
    It may found a person if its face is clear enough; a group of nothing but poor faces is nobody's.

    Args:
        vectors: float32 (k, d), unit length, of the pictures with a face; likewise `quality`.
        face: bool (n,), which pictures have one.
        model: name + weights hash, which the bar depends on.
    """
    tracks = TrackSet(
        template=vectors,
        exemplars=vectors,
        owner=np.arange(len(vectors), dtype=np.int32),
        quality=quality,
        founding=founding_of(np.zeros(len(quality)), np.ones(len(quality), np.bool_), quality, settings),
        cannot=np.zeros((0, 2), np.int32),
        person=np.full(len(vectors), -1, np.int32),
        size=len(vectors),
        others=vectors[:0],
        model=model,
    )
    labels = np.full(len(face), -1, np.int32)
    clusterer: Clusterer = CLUSTERERS.create(settings.method, settings=settings)
    labels[face] = clusterer.cluster(tracks).labels
    return labels

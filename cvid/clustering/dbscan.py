"""DBSCAN: who has similar neighbours belongs to them, and to whoever belongs to those."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import DBSCAN

from cvid.clustering.bars import bar_for
from cvid.clustering.constraints import Points, obeying
from cvid.clustering.limits import refuse_more
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Ints, TrackSet

_STRICTER = 10
"""The bar is that of an archive so many times larger: one false neighbour melts two people here, where average-link
asks for the mean of all. On the LFW half a tenth of the false links gives B-cubed F 0.980, all of them 0.894."""
_LEAST = 2
"""Tracks that make a core. With 3 and 4, people who were seen twice are lost: B-cubed F 0.939 and 0.92 there."""
_MOST = 50_000
"""Tracks at most: each may have all others in its radius, and their numbers are kept (8 bytes a pair)."""


class Dbscan:
    """Scikit-learn's DBSCAN at a fixed radius, 1 − the bar, for cosines.

    Use it for photographs of many people with few pictures of each, or to compare with what others publish. Do not
    use it where people look alike or the faces are poor: a chain of neighbours, each just inside the radius, makes
    one person of many, and a little more radius makes one person of nearly all.

    Ester et al., A density-based algorithm for discovering clusters, KDD 1996.
    """

    remark = ""

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        refuse_more("dbscan", len(tracks), _MOST)
        bar = bar_for(tracks.model, _STRICTER * tracks.size, self.settings)
        return obeying(tracks, self.settings, lambda points: within_radius(points, bar, _LEAST))


def within_radius(points: Points, bar: float, least: int) -> Ints:
    """DBSCAN's group of each point, int64 (p,), −1 = noise.

    Args:
        bar: cosine at the radius.
        least: tracks that make a core.
    """
    # Between unit vectors the cosine c is the distance √(2 − 2c), for which scikit-learn has compiled code.
    radius = float(np.sqrt(2 - 2 * bar))
    method = DBSCAN(eps=radius, min_samples=least, metric="euclidean", algorithm="brute")
    return np.asarray(method.fit(points.vectors, sample_weight=points.weight).labels_, np.int64)

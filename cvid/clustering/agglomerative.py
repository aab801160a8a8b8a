"""Agglomerative clustering over all pairs, average linkage, down to a distance."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from cvid.clustering.bars import bar_for
from cvid.clustering.constraints import Points, obeying
from cvid.clustering.limits import refuse_more
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Ints, TrackSet

_MOST = 20_000
"""Tracks at most: two tables of all distances are held, 8 bytes a pair of tracks (measured: 0.9 GiB for 10,000)."""


class Agglomerative:
    """Scikit-learn's agglomerative clustering: average linkage over all pairs, cut at 1 − the bar.

    Use it to check `average`, which gives the same without the table of all distances, and adds cohesion. Do not use
    it for many tracks, for time and memory grow with their square, nor for people of one session, whom a model finds
    alike: the bar is the same for everybody.

    Constraints do not guide the merging but correct it afterwards, cluster by cluster.
    """

    remark = ""

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        refuse_more("agglomerative", len(tracks), _MOST)
        bar = bar_for(tracks.model, tracks.size, self.settings)
        return obeying(tracks, self.settings, lambda points: _average_linked(points, bar))


def _average_linked(points: Points, bar: float) -> Ints:
    vectors = points.repeated
    if len(vectors) < 2:
        return np.zeros(len(points), np.int64)
    method = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - bar)
    return points.of_repeated(method.fit(vectors).labels_)

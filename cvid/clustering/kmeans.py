"""K-means: so many groups, each around its mean."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import KMeans as LloydKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from cvid.clustering.constraints import Points, obeying
from cvid.clustering.counting import groups_wanted
from cvid.errors import SettingsError
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Ints, TrackSet

_SEED = 0
_STARTS = 3
"""The best of so many starts; with one, B-cubed F on parts of the LFW half is about 0.02 lower."""
_MOST = 200_000_000
"""Tracks times groups at most, for time (measured: 20 s for 25 million, 100 s for 100 million)."""


class KMeans:
    """Scikit-learn's k-means: k groups, each track in the one whose mean is nearest.

    Use it when the number of people is known, small, and everybody is seen about equally often: the cast of a series,
    a team. Do not use it otherwise: a person with many tracks is divided among several means, and those with few
    share one. Where k is not given it is estimated, and `remark` says so.

    Under constraints more groups may come out than k, without a founder fewer.
    """

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings
        self.remark = ""

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        k, self.remark = groups_wanted(tracks, self.settings)
        if len(tracks) * k > _MOST:
            raise SettingsError(
                f"clustering.method: kmeans would take very long for {k:,} groups of {len(tracks):,} tracks; "
                "use hybrid, or give a smaller clustering.k"
            )
        return obeying(tracks, self.settings, lambda points: _around_means(points, k))


def _around_means(points: Points, k: int) -> Ints:
    method = LloydKMeans(k, n_init=_STARTS, random_state=_SEED)
    # One thread: sums in another order would give another result, and threads in such small steps cost more than they
    # bring (measured: 78 s instead of 4 s on two busy cores).
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal vectors: fewer groups than wanted
        return np.asarray(method.fit(points.vectors, sample_weight=points.weight).labels_, np.int64)

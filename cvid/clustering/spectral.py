"""Spectral clustering: k-means on what the eigenvectors of all similarities leave of the tracks."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from cvid.clustering.bars import bar_for
from cvid.clustering.constraints import Points, obeying
from cvid.clustering.counting import groups_wanted
from cvid.clustering.limits import refuse_more
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Doubles, Floats, Ints, TrackSet

_SEED = 0
_STARTS = 3
_STEEPNESS = 12.0
"""How fast similarity turns into affinity at the bar. From 10 to 15 results hardly differ; at 30, and with plain
cosines or only the nearest neighbours, B-cubed F on parts of the LFW half is 0.03 to 0.2 lower, as it is at 6."""
_MOST = 6_000
"""Tracks at most: the time grows with their cube (measured: ten seconds for 2,400, two minutes for 5,000)."""


class Spectral:
    """Scikit-learn's spectral clustering into k groups, over soft links: affinity ½ at the bar, near 0 and 1 beyond.

    Use it for a few hundred tracks of a known number of people whose groups are no round clouds, such as one person
    from many sides. Do not use it for more: it solves for as many eigenvectors as there are people. Where k is not
    given it is estimated, and `remark` says so.

    A person of a human's word counts as a single track. Under constraints more groups may come out than k, without a
    founder fewer.

    Ng, Jordan and Weiss, On spectral clustering, NIPS 2001.
    """

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings
        self.remark = ""

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        refuse_more("spectral", len(tracks), _MOST)
        k, self.remark = groups_wanted(tracks, self.settings)
        bar = bar_for(tracks.model, tracks.size, self.settings)
        return obeying(tracks, self.settings, lambda points: _by_eigenvectors(points, k, bar))


def _by_eigenvectors(points: Points, k: int, bar: float) -> Ints:
    n = len(points)
    if k == n:
        return np.arange(n, dtype=np.int64)
    # For many of the eigenvectors scikit-learn solves for all, and only so when lobpcg is asked for.
    solver = "lobpcg" if n <= 5 * k else "arpack"
    method = SpectralClustering(
        k, affinity="precomputed", eigen_solver=solver, assign_labels="kmeans", n_init=_STARTS, random_state=_SEED
    )
    with threadpool_limits(1), warnings.catch_warnings():  # one thread: as for k-means
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(method.fit(_affinity(points.vectors, bar)).labels_, np.int64)


def _affinity(vectors: Floats, bar: float) -> Doubles:
    """How surely each pair is one person, float64 (n, n), 0..1."""
    return 1 / (1 + np.exp(-_STEEPNESS * ((vectors @ vectors.T).astype(np.float64) - bar)))

"""HDBSCAN: density clusters at every radius at once, each taken where it is most stable."""

from __future__ import annotations

import numpy as np
from hdbscan import HDBSCAN

from cvid.clustering.bars import bar_for
from cvid.clustering.constraints import Points, alone_numbered, obeying
from cvid.clustering.dbscan import within_radius
from cvid.clustering.limits import refuse_more
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Doubles, Floats, Ints, TrackSet

_LEAST = 2
_NEAR = 1
"""Neighbours that make the density of a point. With 2, people with two tracks are lost: B-cubed F 0.926 on the LFW
half, where 1 gives 0.953."""
_MOST = 30_000
"""Tracks at most: the time grows with their square (measured: about a minute for 20,000)."""


class Hdbscan:
    """HDBSCAN of the package `hdbscan`, clusters of two tracks and more, and no cluster wider than the bar allows.

    Use it where faces of some people are much more alike among themselves than those of others, such as portraits
    beside shaky footage: it needs no common radius. Do not use it for archives of a few people, because it sees
    clusters by their contrast with what surrounds them, nor for many thousands of tracks, for its time grows with the
    square.

    It knows no similarity below which nothing belongs together and finds clusters among strangers too. So what it
    groups is parted where no chain of neighbours above the bar leads from one part to the other: B-cubed F rises from
    0.953 to 0.974 on the LFW half. What is noise to it stands alone.

    Campello et al., Density-based clustering based on hierarchical density estimates, PAKDD 2013.
    """

    remark = ""

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        refuse_more("hdbscan", len(tracks), _MOST)
        bar = bar_for(tracks.model, tracks.size, self.settings)
        return obeying(tracks, self.settings, lambda points: _dense_and_near(points, bar))


def _dense_and_near(points: Points, bar: float) -> Ints:
    """The groups that both HDBSCAN and the bar hold together."""
    both = np.column_stack([_dense(points.vectors), within_radius(points, bar, least=1)])
    return np.asarray(np.unique(both, axis=0, return_inverse=True)[1].ravel(), np.int64)


def _dense(vectors: Floats) -> Ints:
    """HDBSCAN's group of each vector, int64 (p,); noise is a group of its own."""
    # Equal vectors are infinitely dense: each such pair would be a cluster of its own that nothing else may join.
    different, place = np.unique(vectors, axis=0, return_inverse=True)
    method = HDBSCAN(min_cluster_size=_LEAST, min_samples=_NEAR)
    found = method.fit(_with_a_couple_of_nobody(different)).labels_[:-2]
    return alone_numbered(found.astype(np.int64))[place.ravel()]


def _with_a_couple_of_nobody(vectors: Floats) -> Doubles:
    """The vectors and two more, equally unlike all of them.

    An archive of one person is a single cluster, which HDBSCAN sees only beside another one. Two points that nobody
    resembles are that; they change nothing else.
    """
    n, d = vectors.shape
    more = np.zeros((n + 2, d + 1))
    more[:n, :d], more[n:, d] = vectors, 1
    return more

"""Constrained, cohesion-aware average-link over a neighbour graph: the default method."""

from __future__ import annotations

import numpy as np

from cvid.clustering.bars import bar_for, cohesion_for
from cvid.clustering.founding import as_clusters
from cvid.clustering.graph import neighbours
from cvid.clustering.linkage import as_groups, link
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, TrackSet

_ROUNDING = 2e-3
"""So much less than the bar is asked of neighbours: a large archive's index rounds cosines (measured: below 1e-3)."""


class AverageLink:
    """Merge the two groups whose mean similarity is highest, until none reaches its bar.

    The bar is the archive's (see `bars`), raised for groups that hold together well: the mean between two groups must
    also reach a share, the cohesion, of the mean inside each of them. People of one session, whom a model finds
    alike, then stay apart, and one person's photographs of many years still come together.

    Between unit vectors the mean of all pairs is the dot product of the groups' sums over the product of their sizes,
    so a merge costs no more than its neighbours, and the memory is that of the graph.

    Use it by default: it degrades slowly when the bar is a little off, where DBSCAN collapses.
    """

    remark = ""

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        bar = bar_for(tracks.model, tracks.size, self.settings)
        pairs, _ = neighbours(tracks.template, bar - _ROUNDING)
        groups = link(
            tracks.template,
            pairs,
            start=as_groups(tracks.person),
            cannot=tracks.cannot,
            bar=bar,
            cohesion=cohesion_for(tracks.model, self.settings),
            shift=np.zeros(len(tracks), np.float32),
            apart=tracks.person,
        )
        return as_clusters(groups, tracks)

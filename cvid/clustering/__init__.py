"""Clusterers: tracks of a whole archive become people. One file a method behind one protocol."""

from __future__ import annotations

from typing import Protocol

from cvid.registry import Registry
from cvid.types import Clusters, TrackSet


class Clusterer(Protocol):
    """Groups tracks by person. Made from `ClusteringSettings`, its only part: `CLUSTERERS.create(name, settings=…)`.

    Every method obeys the same constraints: a pair in `TrackSet.cannot` never shares a label, also not through a
    third track; rows of one number in `TrackSet.person` always do, of two numbers never; and a label stands only for a
    group that may found a person.
    """

    def cluster(self, tracks: TrackSet) -> Clusters:
        """One label a track, int32 (n,): 0, 1, … in order of first appearance, −1 = unassigned."""
        ...

    remark: str
    """What a user should know of the last result beside the labels, such as an estimated k; mostly empty."""


CLUSTERERS = Registry(
    "clustering method",
    {
        "hybrid": "cvid.clustering.hybrid:Hybrid",
        "average": "cvid.clustering.average:AverageLink",
        "dbscan": "cvid.clustering.dbscan:Dbscan",
        "agglomerative": "cvid.clustering.agglomerative:Agglomerative",
        "hdbscan": "cvid.clustering.hdbscan:Hdbscan",
        "kmeans": "cvid.clustering.kmeans:KMeans",
        "spectral": "cvid.clustering.spectral:Spectral",
    },
    extras=dict.fromkeys(("dbscan", "agglomerative", "kmeans", "spectral"), "pip install scikit-learn"),
)

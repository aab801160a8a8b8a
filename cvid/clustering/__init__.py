"""Clusterers: tracks of a whole archive become people. One file a method behind one protocol."""

from __future__ import annotations

from typing import Protocol

from cvid.registry import Registry
from cvid.types import Clusters, TrackSet


class Clusterer(Protocol):
    """Groups tracks by person. Made from `ClusteringSettings`, its only part: `CLUSTERERS.create(name, settings=…)`.

    Every method obeys the same constraints: a pair in `TrackSet.cannot` never shares a label, also not through a
    third track, and a label stands only for a group that holds at least one founding track.
    """

    def cluster(self, tracks: TrackSet) -> Clusters:
        """One label a track, int32 (n,): 0, 1, … in order of first appearance, −1 = unassigned."""
        ...


CLUSTERERS = Registry("clustering method", {"average": "cvid.clustering.average:AverageLink"})

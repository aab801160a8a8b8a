"""Constrained, cohesion-aware average-link over a neighbour graph: the default method."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cvid.clustering.bars import bar_for, cohesion_for
from cvid.clustering.constraints import CannotLinks
from cvid.clustering.founding import as_clusters
from cvid.clustering.graph import MOST, neighbours
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, TrackSet

_FLOOR = 0.75
"""Pairs below this share of the bar are not followed: a mean above the bar has some pair well above this."""
_ROUNDING = 1e-4


class AverageLink:
    """Merge the two groups whose mean similarity is highest, until none reaches its bar.

    The bar is the archive's (see `bars`), raised for groups that hold together well: the mean between two groups must
    also reach a share, the cohesion, of the mean inside each of them. People of one session, whom a model finds
    alike, then stay apart, and one person's photographs of many years still come together.

    Between unit vectors the mean of all pairs is the dot product of the groups' sums over the product of their sizes,
    so a merge costs no more than its neighbours, and the memory is that of the graph.

    Use it by default: it degrades slowly when the bar is a little off, where DBSCAN collapses.
    """

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        bar = bar_for(tracks.model, len(tracks), self.settings)
        groups = _Groups(tracks, bar, cohesion_for(tracks.model, self.settings))
        groups.merge_all()
        return as_clusters(groups.member_of(), tracks)


class _Groups:
    """The groups while they merge; each is named by one of its rows."""

    def __init__(self, tracks: TrackSet, bar: float, cohesion: float) -> None:
        n = len(tracks)
        self.bar, self.cohesion = bar, cohesion
        self.sum = tracks.template.astype(np.float64)
        self.size = np.ones(n)
        self.inner = np.zeros(n)  # mean similarity inside; 0 for a single track, which has none
        self.parent = np.arange(n)
        self.age = [0] * n  # a heap entry of an older group is out of date
        self.near: list[set[int]] = [set() for _ in range(n)]
        self.cannot = CannotLinks(n, tracks.cannot)
        pairs, cosine = neighbours(tracks.template, bar * _FLOOR)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for (a, b), similarity in zip(pairs.tolist(), cosine.tolist(), strict=True):
            self.near[a].add(b)
            self.near[b].add(a)
            if similarity >= bar:
                self.heap.append((-similarity, a, b, 0, 0))
        heapq.heapify(self.heap)
        self.crowded = np.array([len(near) >= MOST for near in self.near], np.bool_)

    def merge_all(self) -> None:
        """Merge the most similar pair that may merge, again and again."""
        self._merge_queued()
        while self._meet_again():
            self._merge_queued()

    def _meet_again(self) -> bool:
        """Make the groups themselves neighbours, where the graph could not: is anything new on the heap?

        A row has no more than `MOST` neighbours. Of a person with more tracks than that from each of two days, every
        track's neighbours are of its own day, and nothing in the graph leads from the one day to the other.
        """
        groups = np.unique(self.member_of()[self.crowded])
        if len(groups) < 2:
            return False
        centres = self.sum[groups] / np.linalg.norm(self.sum[groups], axis=1, keepdims=True)
        pairs, _ = neighbours(centres.astype(np.float32), self.bar - _ROUNDING)  # never less than the mean of all pairs
        for a, b in groups[pairs].tolist():
            if b not in self.near[a]:
                self.near[a].add(b)
                self.near[b].add(a)
                self._push(a, [b])
        return bool(self.heap)

    def _merge_queued(self) -> None:
        while self.heap:
            negative, a, b, age_a, age_b = heapq.heappop(self.heap)
            if (
                self.age[a] == age_a
                and self.age[b] == age_b
                and not self.cannot.forbid(a, b)
                and self._hold(a, b, -negative)
            ):
                self._merge(a, b)

    def member_of(self) -> NDArray[np.int64]:
        """The group each track ended in, int64 (n,)."""
        parent = self.parent
        while (parent != parent[parent]).any():
            parent = parent[parent]
        return parent.astype(np.int64)

    def _hold(self, a: int, b: int, similarity: float) -> bool:
        """Does the mean between the groups stand up to the cohesion of each?"""
        return similarity >= self.cohesion * float(max(self.inner[a], self.inner[b]))

    def _merge(self, a: int, b: int) -> None:
        kept, gone = (a, b) if len(self.near[a]) >= len(self.near[b]) else (b, a)
        self.sum[kept] += self.sum[gone]
        self.size[kept] += self.size[gone]
        n = self.size[kept]
        self.inner[kept] = (self.sum[kept] @ self.sum[kept] - n) / (n * (n - 1))
        self.parent[gone] = kept
        self.age[kept] += 1
        self.age[gone] = -1
        self.cannot.merge(kept, gone)
        for other in self.near[gone]:
            self.near[other].discard(gone)
            if other != kept:
                self.near[other].add(kept)
                self.near[kept].add(other)
        self.near[gone] = set()
        self._push(kept, sorted(self.near[kept]))

    def _push(self, group: int, near: Sequence[int]) -> None:
        """Put the group's new similarities to its neighbours on the heap."""
        others = np.array([o for o in near if not self.cannot.forbid(group, o)], np.int64)
        if not len(others):
            return
        means = (self.sum[others] @ self.sum[group]) / (self.size[others] * self.size[group])
        for other, mean in zip(others.tolist(), means.tolist(), strict=True):
            if mean >= self.bar:
                low, high = min(group, other), max(group, other)
                heapq.heappush(self.heap, (-mean, low, high, self.age[low], self.age[high]))

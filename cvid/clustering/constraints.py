"""What every method obeys: whom a human calls one person stays together, and who may not be one person stays apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvid.clustering.bars import bar_for, cohesion_for
from cvid.clustering.founding import as_clusters
from cvid.clustering.graph import neighbours
from cvid.clustering.linkage import as_groups, link
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Floats, Ints, TrackSet

_ROUNDING = 2e-3
"""So much less than the bar is asked of neighbours, as in average-link."""


@dataclass(frozen=True, eq=False)
class Points:
    """What a method groups: one point for all tracks that a human calls one person, and one for each other track."""

    vectors: Floats  # (p, d), unit length, the mean direction of the point's tracks
    weight: Ints  # (p,), how many tracks
    of: Ints  # (n,), the point of each track; points come in the order of their first tracks

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def repeated(self) -> Floats:
        """Every point as often as it has tracks, float32 (n, d): for methods that know no weights."""
        return np.asarray(self.vectors[self.of], np.float32)

    def of_repeated(self, group: Ints) -> Ints:
        """The group of each point, from those of `repeated`."""
        return np.asarray(group[np.unique(self.of, return_index=True)[1]], np.int64)


def obeying(tracks: TrackSet, settings: ClusteringSettings, group: Callable[[Points], Ints]) -> Clusters:
    """Let a method that knows no constraints group the tracks, and hold it to them.

    Tracks of one person, by a human's word, come to the method as a single point, so that nothing parts them. Where
    it puts together what may not be one person, that cluster has been shown to be wrong: it is parted again by
    average-link under all constraints, at the archive's bar and cohesion (measured: better on footage, for every
    method, than to part it into as few pieces as the constraints allow).

    Args:
        group: from points to the group of each, int64 (p,); −1 = in none.
    """
    if not len(tracks):
        return Clusters(np.zeros(0, np.int32))
    points = contracted(tracks)
    found = alone_numbered(group(points))
    return as_clusters(_parted(found[points.of], tracks, settings), tracks)


def contracted(tracks: TrackSet) -> Points:
    """The tracks with those of one person made one point."""
    _, first, number = np.unique(as_groups(tracks.person), return_index=True, return_inverse=True)
    of = np.argsort(np.argsort(first))[number]
    sums = np.zeros((len(first), tracks.template.shape[1]), np.float64)
    np.add.at(sums, of, tracks.template)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    opposed = length < 1e-6  # tracks that cancel out, which real ones never do
    vectors = np.where(opposed, tracks.template[np.sort(first)], sums / np.where(opposed, 1, length))
    return Points(vectors.astype(np.float32), np.bincount(of).astype(np.int64), of.astype(np.int64))


def alone_numbered(group: Ints) -> Ints:
    """The groups with a number of its own for each −1: what is noise to a method may still be somebody seen once."""
    alone = group < 0
    numbers = int(group.max(initial=-1)) + 1 + np.arange(len(group), dtype=np.int64)
    return np.where(alone, numbers, group)


def _parted(group: Ints, tracks: TrackSet, settings: ClusteringSettings) -> Ints:
    """The groups, each that holds a forbidden pair parted."""
    bar, cohesion = bar_for(tracks.model, tracks.size, settings), cohesion_for(tracks.model, settings)
    parted, free = group.copy(), int(group.max()) + 1
    inside: Ints = np.full(len(tracks), -1, np.int64)
    cannot = tracks.cannot[group[tracks.cannot[:, 0]] == group[tracks.cannot[:, 1]]]
    for broken in _broken(group, cannot, tracks.person):
        rows = np.flatnonzero(group == broken)
        inside[rows] = np.arange(len(rows))
        vectors, person = tracks.template[rows], tracks.person[rows]
        parts = link(
            vectors,
            neighbours(vectors, bar - _ROUNDING)[0],
            start=as_groups(person),
            cannot=inside[cannot[group[cannot[:, 0]] == broken]].astype(np.int32),
            bar=bar,
            cohesion=cohesion,
            shift=np.zeros(len(rows), np.float32),
            apart=person,
        )
        parted[rows] = free + parts
        free += len(rows)
    return parted


def _broken(group: Ints, cannot: NDArray[np.int32], person: NDArray[np.int32]) -> list[int]:
    """The groups that hold a forbidden pair, or tracks of two persons.

    Args:
        cannot: int32 (c, 2), the forbidden pairs whose rows are of one group. A human's word that they are one person
            (twice in one picture: a mirror, a screen) stands above them.
    """
    first, second = person[cannot[:, 0]], person[cannot[:, 1]]
    forbidden = group[cannot[(first != second) | (first < 0), 0]]
    said = person >= 0
    each = np.unique(np.column_stack([group[said], person[said]]), axis=0)[:, 0]
    of_two = each[1:][each[1:] == each[:-1]]
    return sorted({*forbidden.tolist(), *of_two.tolist()})

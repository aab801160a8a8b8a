"""Give clusters the identities they had before: ids stay with the people (invariant 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def match(labels: Labels, before: Labels, identities: int) -> Labels:
    """Which earlier identity each cluster takes over: the assignment that keeps most tracks where they were.

    Args:
        labels: (n,), the cluster of each track, −1 = none.
        before: (n,), the row of the identity that each track belonged to, −1 = none.
        identities: how many earlier identities there are.

    Returns:
        (clusters,), the row of an identity, or −1 where a cluster is new.
    """
    clusters = int(labels.max(initial=-1)) + 1
    taken: Labels = np.full(clusters, -1, np.int64)
    both = (labels >= 0) & (before >= 0)
    if not both.any():
        return taken
    pairs, shared = np.unique(np.stack([labels[both], before[both]], axis=1), axis=0, return_counts=True)
    from scipy.sparse import coo_array  # only sorting needs it, and whoever decides loads this file
    from scipy.sparse.csgraph import connected_components

    nodes = clusters + identities
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], clusters + pairs[:, 1])), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][pairs[:, 0]]
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        ours, theirs = np.unique(pairs[rows, 0]), np.unique(pairs[rows, 1])
        gain = np.zeros((len(ours), len(theirs)))
        gain[np.searchsorted(ours, pairs[rows, 0]), np.searchsorted(theirs, pairs[rows, 1])] = shared[rows]
        for a, b in _dearest(gain):
            if gain[a, b] > 0:
                taken[ours[a]] = theirs[b]
    return taken


def _dearest(gain: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The assignment of rows to columns that gains most."""
    if min(gain.shape) == 1:
        row, column = np.unravel_index(gain.argmax(), gain.shape)
        return [(int(row), int(column))]
    from scipy.optimize import linear_sum_assignment  # takes half as long to load as all else that sorting needs

    return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True)]


def overlapping(video: Labels, start_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> NDArray[np.int32]:
    """Pairs of tracks that are seen at one time in one video, (k, 2), each with the smaller row first.

    Args:
        video: (n,), a number for each track's video, 0, 1, …
        start_s: (n,); `end_s` (n,) belongs to the track too: two that touch share a frame.
    """
    if not len(video):
        return np.zeros((0, 2), np.int32)
    start, end = _microseconds(start_s), _microseconds(end_s)
    length = int(end.max()) + 2  # whole numbers: sums of floats would lose the touch of two tracks
    start, end = video * length + start, video * length + end
    order = np.argsort(start, kind="stable")
    until = np.searchsorted(start[order], end[order], side="right")
    follow = until - np.arange(len(order)) - 1
    first = np.repeat(np.arange(len(order)), follow)
    second = np.arange(len(first)) - np.repeat(np.cumsum(follow) - follow, follow) + first + 1
    pairs = np.sort(np.stack([order[first], order[second]], axis=1), axis=1)
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], np.int32).reshape(-1, 2)


def _microseconds(time_s: NDArray[np.float64]) -> Labels:
    return np.asarray(np.rint(time_s * 1e6), np.int64)

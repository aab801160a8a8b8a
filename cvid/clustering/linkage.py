"""Average-link over a neighbour graph, from any beginning, under constraints: the engine of the methods that merge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvid.clustering.graph import MOST, neighbours
from cvid.types import Floats, Ints

_ROUNDING = 1e-4


def link(
    vectors: Floats,
    pairs: Ints,
    start: Ints,
    cannot: NDArray[np.int32],
    bar: float,
    cohesion: float,
    shift: Floats,
    apart: NDArray[np.int32],
) -> Ints:
    """Merge the two groups that are most alike, again and again, until no two may merge.

    How alike two groups are is the mean cosine of all pairs between them, less half the mean shift of each. They may
    merge if that reaches the bar and a share, the cohesion, of what the same measure gives inside each of them.

    The mean over all pairs is the dot product of the groups' sums over the product of their sizes, so a merge costs
    no more than the neighbours of the two. A mean that reaches the bar has a pair that does: the result is that over
    all pairs of rows if `pairs` holds each whose cosine, less half of both shifts, reaches the bar.

    Args:
        vectors: float32 (n, d), unit length.
        pairs: int64 (k, 2), rows that are neighbours. Only groups with neighbouring rows are compared; groups of rows
            with `MOST` neighbours and more, who may miss some, are compared to each other as well.
        start: int64 (n,): rows of one number begin as one group, which is never taken apart, whatever forbids it.
        cannot: int32 (c, 2), rows whose groups never become one, whatever they have merged with.
        bar: the least similarity at which two groups become one.
        cohesion: share of the similarity inside a group that a merge must reach, 0 to ask for nothing.
        shift: float32 (n,), what a row's similarities are lowered by, half of it at each end of a pair; 0 for none.
        apart: int32 (n,): groups with rows of different numbers ≥ 0 never become one; −1 forbids nothing.

    Returns:
        int64 (n,), the group of each row, named by its first row. Ties go to the first rows.
    """
    from cvid.clustering.merging import merge_all

    cohort = np.ascontiguousarray(vectors), shift.astype(np.float64), np.ascontiguousarray(apart)
    limits = np.ascontiguousarray(cannot, np.int32), float(bar), float(cohesion)
    groups = merge_all(*cohort, np.ascontiguousarray(pairs), _first_rows(start), *limits)
    crowded = np.bincount(pairs.ravel(), minlength=len(vectors)) >= MOST
    while len(met := _meet_again(vectors, groups, crowded, bar, shift)):
        pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
        before, groups = groups, merge_all(*cohort, np.concatenate([pairs, met]), groups, *limits)
        if (before == groups).all():
            break
    return groups


def as_groups(person: NDArray[np.int32]) -> Ints:
    """Where `link` may start when a human has spoken: int64 (n,), a group for each number ≥ 0 and one for each −1."""
    free = len(person) + np.arange(len(person), dtype=np.int64)
    return np.where(person < 0, -free, person)


def _first_rows(numbers: Ints) -> Ints:
    """Each row's group, named by the first row that has its number."""
    _, first, group = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(first[group], np.int64)


def _meet_again(vectors: Floats, groups: Ints, crowded: NDArray[np.bool_], bar: float, shift: Floats) -> Ints:
    """Pairs of groups, int64 (k, 2), that may reach the bar though the graph could not make them neighbours.

    A row has no more than `MOST` neighbours. Of a person with more tracks than that from each of two days, every
    track's neighbours are of its own day, and nothing in the graph leads from the one day to the other.
    """
    names = np.unique(groups[crowded])
    if len(names) < 2:
        return np.zeros((0, 2), np.int64)
    inside = np.isin(groups, names)
    place = np.searchsorted(names, groups[inside])
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(len(names)))
    sums = np.add.reduceat(vectors[inside][order], first, dtype=np.float64)
    shifts = np.bincount(place, shift[inside]) / np.bincount(place)
    centres = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    # The cosine of two centres is never less than the mean over the pairs between the groups.
    found, _ = neighbours(centres, bar + float(shifts.min()) - _ROUNDING)
    return names[found]

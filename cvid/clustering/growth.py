"""Where an archive has to be sorted again when tracks are added: around them, and nowhere else.

New tracks are put to the identities that they come near, and these are clustered anew together with them. The rest of
the archive stays as it is, so that the cost follows what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cvid.clustering.graph import MOST, NeighbourIndex
from cvid.types import Floats, Ints, TrackSet

_FLOOR = 0.75
"""Tracks below this share of the bar are not looked at: nobody among them could be the same person."""
_NEAR = 0.9
"""An identity is sorted again if a new track's mean similarity to it reaches this share of the bar."""
_COHORT = 1000
"""Identities that stand for the rest of the archive."""
_SAMPLE = 128
"""Tracks that stand for an identity which has more; its mean is known well enough by them."""
_BLOCK = 1 << 23


def grow(
    tracks: TrackSet,
    before: Ints,
    fresh: NDArray[np.bool_],
    bar: float,
    cluster: Callable[[TrackSet, Ints], Ints],
    index: NeighbourIndex | None = None,
) -> tuple[Ints, Ints]:
    """Sort the fresh tracks, and what they come near.

    Of an identity of many tracks some stand for all: the others go where most of these go.

    Args:
        before: int64 (n,), the group of each track so far, −1 = none; `fresh`, `bar`: see `region`.
        cluster: gives labels, int64 (k,), of some tracks that it gets with their rows.
        index: over all templates, where there is one already.

    Returns:
        int64 (n,), the groups from now on: those that were not touched keep their numbers, the others have new ones.
        And the rows that were sorted again.
    """
    labels = before.copy()
    if not len(tracks):
        return labels, before
    rows = region(tracks.template, before, fresh, bar, index or NeighbourIndex(tracks.template))
    if not len(rows):
        return labels, rows
    others = _others(tracks.template, before, rows)

    def sort(some: Ints) -> Ints:
        return cluster(replace(tracks[some], others=others), some)

    found = _sorted_by_some(tracks, before, fresh, rows, sort)
    labels[rows] = np.where(found >= 0, found + before.max(initial=-1) + 1, -1)
    return labels, rows


def _sorted_by_some(
    tracks: TrackSet, before: Ints, fresh: NDArray[np.bool_], rows: Ints, sort: Callable[[Ints], Ints]
) -> Ints:
    """Labels of some rows, int64 (k,), where large identities are sorted by a part of their tracks."""
    kept = _standing_for_all(tracks, before, fresh, rows)
    found: Ints = np.full(len(rows), -1, np.int64)
    found[kept] = sort(rows[kept])
    if kept.all():
        return found
    pairs, votes = np.unique(np.stack([before[rows[kept]], found[kept]], axis=1), axis=0, return_counts=True)
    best = pairs[np.lexsort((-votes, pairs[:, 0]))]
    best = best[np.flatnonzero(np.diff(best[:, 0], prepend=-2))]
    found[~kept] = best[np.searchsorted(best[:, 0], before[rows[~kept]]), 1]
    label_of = np.full(len(tracks), -1, np.int64)
    label_of[rows] = found
    one, other = label_of[tracks.cannot].T
    return sort(rows) if ((one >= 0) & (one == other)).any() else found


def _standing_for_all(tracks: TrackSet, before: Ints, fresh: NDArray[np.bool_], rows: Ints) -> NDArray[np.bool_]:
    """(k,), of large groups an even sample, and all that somebody said something of, or that is fresh."""
    group = before[rows]
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-2))
    size = np.diff(np.append(first, len(order)))
    place = np.arange(len(order)) - np.repeat(first, size)
    share = np.repeat(np.minimum(_SAMPLE / size, 1), size)
    sampled = np.empty(len(rows), np.bool_)
    sampled[order] = np.floor((place + 1) * share + 1e-9) > np.floor(place * share + 1e-9)
    bound = np.zeros(len(tracks), np.bool_)
    bound[tracks.cannot[fresh[tracks.cannot].any(axis=1)]] = True
    return np.asarray(sampled | (group < 0) | fresh[rows] | (tracks.person[rows] >= 0) | bound[rows])


def region(template: Floats, before: Ints, fresh: NDArray[np.bool_], bar: float, index: NeighbourIndex) -> Ints:
    """The rows that are to be clustered again, ascending: all fresh ones, and what lies near them.

    Args:
        template: float32 (n, d), unit length.
        before: int64 (n,), the identity of each row so far, −1 = none.
        fresh: bool (n,), rows that are new, or that a human took out of where they were.
        bar: the cosine from which tracks may be one person.
        index: over all of `template`.
    """
    rows = np.flatnonzero(fresh)
    if not len(rows) or len(rows) == len(template):
        return rows
    cosine, found = index.search(template[rows], min(MOST + 1, len(template)))
    close = (found >= 0) & (cosine >= bar * _FLOOR)
    asking = np.repeat(rows, close.sum(axis=1))
    group = before[found[close]]
    pairs = np.unique(np.stack([asking, group], axis=1)[group >= 0], axis=0)
    groups, place = np.unique(pairs[:, 1], return_inverse=True)
    means = _means(template, before, groups)
    near = np.einsum("kd,kd->k", template[pairs[:, 0]], means[place]) >= bar * _NEAR
    touched = np.unique(place[near])
    chosen = fresh | _among(before, groups[touched])
    lonely = np.flatnonzero((before < 0) & ~fresh)
    chosen[_reached(template, lonely, np.concatenate([means[touched], template[rows]]), bar)] = True
    return np.flatnonzero(chosen)


def _among(before: Ints, groups: Ints) -> NDArray[np.bool_]:
    """(n,), which rows are of these groups."""
    wanted = np.zeros(int(before.max(initial=-1)) + 2, np.bool_)  # the last place is read by −1
    wanted[groups] = True
    return np.asarray(wanted[before])


def _others(template: Floats, before: Ints, rows: Ints) -> Floats:
    """A track each of some identities that are not sorted again, float32 (c, d): what the archive is like."""
    outside = np.ones(len(template), np.bool_)
    outside[rows] = False
    untouched = np.flatnonzero(outside & (before >= 0))
    first_row = np.zeros(int(before.max(initial=-1)) + 1, np.int64)
    first_row[before[untouched[::-1]]] = untouched[::-1]
    first = first_row[np.bincount(before[untouched], minlength=len(first_row)) > 0]
    return template[first[np.linspace(0, len(first) - 1, _COHORT).astype(np.int64)] if len(first) > _COHORT else first]


def _means(template: Floats, before: Ints, groups: Ints) -> Floats:
    """(g, d), the mean of each of some groups, which are ascending; its product with a vector is the mean cosine."""
    inside = np.flatnonzero(_among(before, groups))
    inside = inside[np.argsort(before[inside], kind="stable")]
    starts = np.searchsorted(before[inside], groups)
    if not len(groups):
        return template[:0]
    sums = np.add.reduceat(template[inside], starts, axis=0)
    return np.asarray(sums / np.diff(np.append(starts, len(inside)))[:, None], np.float32)


def _reached(template: Floats, rows: Ints, points: Floats, bar: float) -> Ints:
    """Those of `rows` that come near one of the points."""
    step = max(_BLOCK // max(len(points), 1), 1)
    near = [
        block[(template[block] @ points.T).max(axis=1, initial=-1) >= bar * _NEAR]
        for block in (rows[start : start + step] for start in range(0, len(rows), step))
    ]
    return np.concatenate([rows[:0], *near])

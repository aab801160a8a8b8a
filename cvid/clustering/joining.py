"""The second pass: small groups that were left over join a person whose faces together are like theirs.

Average-link asks for the mean of all pairs, which a person's years pull down: of five photographs a sixth may be like
the one, and little like the others. The mean direction of the five is a better likeness than any of them, so a leftover
is compared with that. A stranger is no nearer to it than to a single face, but who belongs there is (measured on
footage: five against one, mean of the pairs 0.38 to 0.40 and mean direction 0.47 to 0.50, where strangers reach 0.41).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvid.types import Doubles, Floats, Ints, TrackSet

LEFTOVER = 4
"""Tracks of a leftover at most. Larger groups stand for somebody by themselves (measured: 1 loses, 8 gains nothing)."""
REACH = 0.75
"""Neighbours down to this share of the bar are looked at."""
_LEAST_MEAN = 0.7
"""The mean of all pairs must still reach this share of the bar: faces that have nothing in common but their blur have a
mean direction too, and would gather around it."""
_AT_ONCE = 0.5
"""Of its own tracks a group takes in so many in one round. Without a limit blurred faces gather before they are seen to
be of several people (measured among strangers: 0.046 of the sightings mixed instead of 0.038)."""


@dataclass(frozen=True)
class Terms:
    """What a leftover must reach: `bar` by mean directions, `margin` above the next, `cohesion` as in average-link."""

    bar: float
    margin: float
    cohesion: float


@dataclass(frozen=True, eq=False)
class _Groups:
    """The groups as they are, named 0 … g − 1. Those that became part of others keep their place, unused."""

    total: Floats  # (g, d), sum of the vectors
    size: Ints  # (g,)
    inner: Doubles  # (g,), mean cosine of its pairs; −1 for a single track
    shift: Doubles  # (g,), sum
    person: Ints  # (g,), −1 = free


def join_leftovers(tracks: TrackSet, pairs: Ints, groups: Ints, shift: Floats, terms: Terms) -> Ints:
    """Let leftovers join the group that they are most like, where that is clear, again and again.

    Args:
        pairs: int64 (k, 2), rows that are neighbours: only groups with neighbouring rows are compared.
        groups: int64 (n,), any numbers that say which tracks are together.
        shift: float32 (n,), what the similarity of a pair is lowered by, half of it at each end.

    Returns:
        int64 (n,), the group of each row.
    """
    _, of = np.unique(groups, return_inverse=True)
    now = _measured(tracks, of, shift)
    pairs, forbidden = _between(now, of[pairs]), of[tracks.cannot]
    looking = np.ones(len(now.size), np.bool_)
    while True:
        seen = looking[pairs].any(axis=1)
        joins = _allowed(now, _proposals(now, pairs[seen], looking, terms), forbidden)
        if not joins:
            return np.asarray(of, np.int64)
        now, become = _joined(now, joins)
        of, forbidden, pairs = become[of], become[forbidden], _between(now, become[pairs])
        looking = _around(pairs, np.array(list(joins.values())), len(become))


def _measured(tracks: TrackSet, of: Ints, shift: Floats) -> _Groups:
    """The groups 0 … g − 1 of the rows."""
    size = np.bincount(of)
    order = np.argsort(of, kind="stable")
    first = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    total = np.add.reduceat(tracks.template[order], first, axis=0) if len(size) else tracks.template[:0]
    person = np.full(len(size), -1, np.int64)
    np.maximum.at(person, of, tracks.person)
    shifts = np.asarray(np.bincount(of, shift, len(size)), np.float64)
    return _Groups(total, size, _inner(total, size), shifts, person)


def _inner(total: Floats, size: Ints) -> Doubles:
    square = np.einsum("gd,gd->g", total, total, dtype=np.float64)
    return np.asarray(np.where(size > 1, (square - size) / np.maximum(size * (size - 1), 1), -1), np.float64)


def _between(now: _Groups, pairs: Ints) -> Ints:
    """The pairs of different groups of which one is a leftover, each once."""
    pairs = np.sort(pairs[now.size[pairs].min(axis=1) <= LEFTOVER], axis=1)
    keys = np.unique(pairs[pairs[:, 0] != pairs[:, 1]] @ np.array([len(now.size), 1]))
    return np.column_stack(np.divmod(keys, max(len(now.size), 1)))


def _joined(now: _Groups, joins: dict[int, int]) -> tuple[_Groups, Ints]:
    """The groups after the joins, and what each has become, int64 (g,)."""
    gone, kept = np.array(list(joins.items()), np.int64).T
    new = deepcopy(now)
    np.add.at(new.total, kept, now.total[gone])
    np.add.at(new.size, kept, now.size[gone])
    np.add.at(new.shift, kept, now.shift[gone])
    np.maximum.at(new.person, kept, now.person[gone])
    new.inner[kept] = _inner(new.total[kept], new.size[kept])
    become = np.arange(len(now.size))
    become[gone] = kept
    return new, become


def _around(pairs: Ints, changed: Ints, count: int) -> NDArray[np.bool_]:
    """(g,), which groups have changed or have a neighbour that did: all others would decide as before."""
    mask = np.zeros(count, np.bool_)
    mask[changed] = True
    mask[pairs[mask[pairs].any(axis=1)]] = True
    return mask


def _proposals(now: _Groups, pairs: Ints, looking: NDArray[np.bool_], terms: Terms) -> Ints:
    """Which leftover wants to join which group, int64 (p, 2), the most similar ones first.

    Each that is looking wants the one that it is most like, and only if the terms allow it.
    """
    alike, allowed = _judged(now, pairs, terms)
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    alike, allowed = np.tile(alike, 2), np.tile(allowed, 2)
    order = np.lexsort((other, -alike, one))
    one, other, alike, allowed = one[order], other[order], alike[order], allowed[order]
    best = np.flatnonzero(np.diff(one, prepend=-1))
    after = np.minimum(best + 1, len(one) - 1)
    alone = (after == best) | (one[after] != one[best])
    clear = alone | (alike[best] - alike[after] >= terms.margin)
    small = now.size[one[best]] <= np.minimum(now.size[other[best]], LEFTOVER)
    wants = looking[one[best]] & small & allowed[best] & clear
    best = best[wants]
    best = best[np.lexsort((one[best], other[best], -alike[best]))]
    return np.column_stack([one[best], other[best]])


def _judged(now: _Groups, pairs: Ints, terms: Terms) -> tuple[Doubles, NDArray[np.bool_]]:
    """How alike two groups are by their mean directions, less shifts, and whether that is enough to be one."""
    a, b = pairs.T
    product = np.einsum("kd,kd->k", now.total[a], now.total[b], dtype=np.float64)
    length = np.linalg.norm(now.total, axis=1).astype(np.float64)
    shift = (now.shift[a] / now.size[a] + now.shift[b] / now.size[b]) / 2
    alike, mean = product / np.maximum(length[a] * length[b], 1e-9) - shift, product / (now.size[a] * now.size[b])
    near = (alike >= terms.bar) & (mean - shift >= _LEAST_MEAN * terms.bar)
    return alike, near & (mean >= terms.cohesion * np.maximum(now.inner[a], now.inner[b]))


def _allowed(now: _Groups, proposals: Ints, forbidden: Ints) -> dict[int, int]:
    """The proposals that are taken in this round: leftover → group.

    Whoever is joined does not join somebody else, and a group takes one, or more up to a share of its own size: then
    it is somewhat different, and all look again.
    """
    enemies = _enemies(forbidden[np.isin(forbidden, proposals).all(axis=1)])
    together: dict[int, set[int]] = {}
    person: dict[int, int] = {}
    taken: dict[int, int] = {}
    joins: dict[int, int] = {}
    for leftover, group in proposals.tolist():
        members = together.get(group, {group})
        said = {int(now.person[leftover]), person.get(group, int(now.person[group]))} - {-1}
        more = taken.get(group, 0) + int(now.size[leftover])
        full = group in taken and more > _AT_ONCE * now.size[group]
        moved = leftover in together or group in joins
        if full or moved or len(said) > 1 or members & enemies.get(leftover, set()):
            continue
        joins[leftover], taken[group] = group, more
        together[group] = members | {leftover}
        person[group] = said.pop() if said else -1
    return joins


def _enemies(forbidden: Ints) -> dict[int, set[int]]:
    """The groups that each of some groups may never be one with."""
    found: dict[int, set[int]] = {}
    for a, b in np.unique(forbidden, axis=0).tolist():
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return found

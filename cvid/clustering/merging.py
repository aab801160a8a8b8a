"""The merging itself, compiled by numba: too many small steps for Python, too dependent on each other for numpy.

The groups are named by their first row. What a group has of rows (neighbours, or enemies that it may never be one
with) lies in the places that its rows had for theirs: two groups' lists become one by a chain of their places, and,
as doubles fall out, whatever they hold together always fits. So nothing grows while groups merge.

Numba is imported here and only here. It keeps the compiled code beside this file, or below the user's cache folder
where that is read-only; compiling takes about eight seconds, loading what was kept half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from cvid.types import Doubles, Floats, Ints

Rows = NDArray[np.int32]
F = TypeVar("F", bound=Callable[..., Any])

_STEPS = 1 << 20
"""Similarities are ranked in steps of a millionth, so that rounding does not decide between equal ones."""
_NAME = 0xFFFFFFFF
_NOTHING = 1 << 62


def compiled(function: F) -> F:
    """Compile for this machine, and keep the result where that is possible."""
    # Sums in any order let the processor add several numbers at once; what is kept does not depend on threads.
    options = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz"}}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for it can be written to
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


class Lists(NamedTuple):
    """A list of rows for each group, in the places of the rows that it consists of."""

    items: Rows  # (2k,)
    place: Ints  # (n + 1,), where in `items` each row's place begins
    used: Rows  # (n,), how much of the place is in use
    after: Rows  # (n,), the row whose place goes on with the list, −1 = none
    last: Rows  # (n,), the last row of the chain that begins with this one


class Groups(NamedTuple):
    """The groups while they merge."""

    total: Floats  # (n, d), sum of the vectors
    size: Doubles  # (n,)
    shift: Doubles  # (n,), sum of the shifts
    inner: Doubles  # (n,), similarity inside; −1 for a single row, which has none
    apart: Rows  # (n,), −1 = free
    parent: Rows  # (n,), the row itself while it names a group
    changed: Rows  # (n,), the merge that last changed the group
    mark: Rows  # (n,), scratch: the number of the last search that came by
    found: Rows  # (n,), scratch: what a search found
    counts: Ints  # (2,), merges and searches so far
    near: Lists
    enemies: Lists


class Queue(NamedTuple):
    """A binary heap of the groups' best merges, each as good as it was when the group last looked for it.

    A merge never makes two groups more alike to a third than the nearer of them was. So what changed since is no
    better than its entry says, and looks again when its turn comes. There are never more entries than rows.
    """

    entries: Ints  # (n, 2): rank and lower name in one number; higher name, time, and whose best in the other
    filled: Ints  # (1,), how many there are


def merge_all(
    vectors: Floats,
    shift: Doubles,
    apart: Rows,
    pairs: Ints,
    start: Ints,
    cannot: Rows,
    bar: float,
    cohesion: float,
) -> Ints:
    """The group of each row, int64 (n,); the arguments as of `linkage.link`, `start` naming groups by first rows."""
    n = len(vectors)
    groups = Groups(
        vectors.copy(),
        np.ones(n),
        shift.copy(),
        np.full(n, -1.0),
        apart.copy(),
        np.arange(n, dtype=np.int32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.empty(n, np.int32),
        np.zeros(2, np.int64),
        _lists(n, pairs),
        _lists(n, cannot.astype(np.int64)),
    )
    queue = Queue(np.empty((n, 2), np.int64), np.zeros(1, np.int64))
    _begin(groups, start)
    _run(groups, queue, bar, cohesion)
    parent = groups.parent
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return parent.astype(np.int64)


@compiled
def _lists(n: int, pairs: Ints) -> Lists:
    """Each row's partners in the pairs."""
    place = np.zeros(n + 1, np.int64)
    for k in range(len(pairs)):
        place[pairs[k, 0] + 1] += 1
        place[pairs[k, 1] + 1] += 1
    place = np.cumsum(place)
    items = np.empty(2 * len(pairs), np.int32)
    used = np.zeros(n, np.int32)
    for k in range(len(pairs)):
        a, b = pairs[k, 0], pairs[k, 1]
        items[place[a] + used[a]] = b
        used[a] += 1
        items[place[b] + used[b]] = a
        used[b] += 1
    return Lists(items, place, used, np.full(n, -1, np.int32), np.arange(n).astype(np.int32))


@compiled
def _begin(groups: Groups, start: Ints) -> None:
    """Put together what begins together."""
    for row in range(len(start)):
        if start[row] != row:
            _absorb(groups, start[row], row)
    for row in range(len(start)):
        if groups.parent[row] == row and groups.size[row] > 1:
            groups.inner[row] = _inner(groups, row)


@compiled
def _run(groups: Groups, queue: Queue, bar: float, cohesion: float) -> None:
    """Merge the best two groups again and again."""
    for group in range(len(groups.parent)):
        if groups.parent[group] == group:
            _queue_best(groups, queue, group, bar, cohesion)
    while queue.filled[0]:
        low, high, time, owner = _pop(queue)
        if groups.changed[owner] > time:
            continue
        if max(groups.changed[low], groups.changed[high]) <= time:
            _merge(groups, low, high)
            owner = low
        _queue_best(groups, queue, owner, bar, cohesion)


@compiled
def _merge(groups: Groups, kept: int, gone: int) -> None:
    groups.counts[0] += 1
    _absorb(groups, kept, gone)
    groups.inner[kept] = _inner(groups, kept)
    groups.changed[kept] = groups.counts[0]
    groups.changed[gone] = groups.counts[0]


@compiled
def _queue_best(groups: Groups, queue: Queue, group: int, bar: float, cohesion: float) -> None:
    """Put the group's merge with the neighbour that it is most alike to in the queue, if it may merge with any."""
    best, nearest = _NOTHING, -1
    for k in range(_settle(groups, group)):
        other = groups.found[k]
        alike = _alike(groups, group, other)
        if alike >= bar and alike >= cohesion * max(groups.inner[group], groups.inner[other]):
            rank = -round(alike * _STEPS)
            if rank < best or (rank == best and other < nearest):
                best, nearest = rank, other
    if nearest >= 0:
        _push(queue, best, group, nearest, groups.counts[0])


@compiled
def _settle(groups: Groups, group: int) -> int:
    """Find the group's neighbours that it may merge with, each once, and forget the others; how many there are."""
    groups.counts[1] += 1
    groups.mark[group] = groups.counts[1]
    count = _gather(groups, groups.enemies, group)
    _rewrite(groups.enemies, group, groups.found, count)
    count = _gather(groups, groups.near, group)
    kept = 0
    for k in range(count):
        other = groups.found[k]
        if groups.apart[group] < 0 or groups.apart[other] < 0 or groups.apart[group] == groups.apart[other]:
            groups.found[kept] = other
            kept += 1
    _rewrite(groups.near, group, groups.found, kept)
    return kept


@compiled
def _gather(groups: Groups, lists: Lists, group: int) -> int:
    """Write the groups in a list to `found`, but for those that this search has marked, and mark them; how many."""
    count = 0
    row = group
    while row >= 0:
        begin = lists.place[row]
        for k in range(begin, begin + lists.used[row]):
            other = _find(groups.parent, lists.items[k])
            if groups.mark[other] != groups.counts[1]:
                groups.mark[other] = groups.counts[1]
                groups.found[count] = other
                count += 1
        row = lists.after[row]
    return count


@compiled
def _rewrite(lists: Lists, group: int, found: Rows, count: int) -> None:
    """Let the group's list hold the first `count` of `found`, and its chain end where the list does."""
    written = 0
    row = group
    while True:
        begin = lists.place[row]
        room = min(lists.place[row + 1] - begin, count - written)
        for k in range(room):
            lists.items[begin + k] = found[written + k]
        lists.used[row] = room
        written += room
        if written == count or lists.after[row] < 0:
            break
        row = lists.after[row]
    lists.after[row] = -1
    lists.last[group] = row


@compiled
def _absorb(groups: Groups, kept: int, gone: int) -> None:
    for k in range(groups.total.shape[1]):
        groups.total[kept, k] += groups.total[gone, k]
    groups.size[kept] += groups.size[gone]
    groups.shift[kept] += groups.shift[gone]
    groups.apart[kept] = max(groups.apart[kept], groups.apart[gone])
    groups.parent[gone] = kept
    _chain(groups.near, kept, gone)
    _chain(groups.enemies, kept, gone)


@compiled
def _chain(lists: Lists, kept: int, gone: int) -> None:
    lists.after[lists.last[kept]] = gone
    lists.last[kept] = lists.last[gone]


@compiled
def _find(parent: Rows, row: int) -> int:
    """The group that a row is in by now; the way there becomes shorter."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@compiled
def _dot(a: Floats, b: Floats) -> float:
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return float(total)


@compiled
def _alike(groups: Groups, a: int, b: int) -> float:
    """Mean cosine of all pairs between two groups, less half the mean shift of each."""
    cosine = _dot(groups.total[a], groups.total[b]) / (groups.size[a] * groups.size[b])
    return float(cosine - (groups.shift[a] / groups.size[a] + groups.shift[b] / groups.size[b]) / 2)


@compiled
def _inner(groups: Groups, group: int) -> float:
    """The same of all pairs inside one group of at least two rows."""
    n = groups.size[group]
    cosine = (_dot(groups.total[group], groups.total[group]) - n) / (n * (n - 1))
    return float(cosine - groups.shift[group] / n)


@compiled
def _push(queue: Queue, rank: int, owner: int, other: int, time: int) -> None:
    low, high = min(owner, other), max(owner, other)
    at = queue.filled[0]
    queue.filled[0] += 1
    queue.entries[at, 0] = rank << 32 | low
    queue.entries[at, 1] = high << 32 | time << 1 | (owner == high)
    _rise(queue.entries, at)


@compiled
def _pop(queue: Queue) -> tuple[int, int, int, int]:
    """The best entry: lower name, higher name, time, whose best it was."""
    entries = queue.entries
    low, high = entries[0, 0] & _NAME, entries[0, 1] >> 32
    time, owner = (entries[0, 1] & _NAME) >> 1, high if entries[0, 1] & 1 else low
    queue.filled[0] -= 1
    last = queue.filled[0]
    entries[0, 0], entries[0, 1] = entries[last, 0], entries[last, 1]
    _sink(entries, last)
    return low, high, time, owner


@compiled
def _before(entries: Ints, i: int, j: int) -> bool:
    """Does entry i come before entry j?"""
    tied = entries[i, 0] == entries[j, 0]
    return bool(entries[i, 1] < entries[j, 1] if tied else entries[i, 0] < entries[j, 0])


@compiled
def _swap(entries: Ints, i: int, j: int) -> None:
    for k in range(2):
        entries[i, k], entries[j, k] = entries[j, k], entries[i, k]


@compiled
def _rise(entries: Ints, at: int) -> None:
    while at > 0 and _before(entries, at, (at - 1) // 2):
        _swap(entries, at, (at - 1) // 2)
        at = (at - 1) // 2


@compiled
def _sink(entries: Ints, count: int) -> None:
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            return
        if child + 1 < count and _before(entries, child + 1, child):
            child += 1
        if not _before(entries, child, at):
            return
        _swap(entries, at, child)
        at = child

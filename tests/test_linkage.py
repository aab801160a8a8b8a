"""The linkage engine: average-link from any beginning, under every constraint, as one would do it by hand."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from cvid.clustering.graph import MOST, NeighbourIndex, neighbours
from cvid.clustering.linkage import as_groups, link
from cvid.types import Floats, Ints
from tests.test_clustering import cluster, partition, people, track_set, unit

ROOT = Path(__file__).parent.parent


def linked(vectors: Floats, pairs: Any = None, **changes: Any) -> list[int]:
    """`link` over all pairs of rows, each row a group, with nothing forbidden and nothing asked but a bar of 0.5."""
    n = len(vectors)
    every = np.array(list(combinations(range(n), 2)) if pairs is None else pairs, np.int64).reshape(-1, 2)
    given_: dict[str, Any] = {
        "start": np.arange(n),
        "cannot": np.array(changes.pop("cannot", ()), np.int32).reshape(-1, 2),
        "bar": 0.5,
        "cohesion": 0.0,
        "shift": np.zeros(n, np.float32),
        "apart": np.full(n, -1, np.int32),
    }
    typed = {key: np.asarray(value, getattr(given_[key], "dtype", None)) for key, value in changes.items()}
    groups = link(vectors, every, **given_ | typed)
    assert groups.dtype == np.int64 and groups.shape == (n,)
    return groups.tolist()


def by_hand(
    vectors: Floats, bar: float, cohesion: float, start: Ints, cannot: Any, shift: Floats, apart: Any
) -> set[frozenset[int]]:
    """The same, slowly, from all pairs of rows."""
    alike = (vectors @ vectors.T).astype(np.float64) - (shift[:, None] + shift) / 2
    groups = [np.flatnonzero(start == number).tolist() for number in dict.fromkeys(start.tolist())]
    forbidden = {frozenset(map(int, pair)) for pair in cannot}

    def inner(group: list[int]) -> float:
        return float(np.mean([alike[i, j] for i, j in combinations(group, 2)])) if len(group) > 1 else -1.0

    def may(a: list[int], b: list[int], mean: float) -> bool:
        held = {int(apart[i]) for i in a + b} - {-1}
        return (
            mean >= max(bar, cohesion * max(inner(a), inner(b)))
            and not any(frozenset((i, j)) in forbidden for i in a for j in b)
            and len(held) < 2
        )

    while True:
        means = [(float(alike[np.ix_(a, b)].mean()), a, b) for a, b in combinations(groups, 2)]
        allowed = [found for found in means if may(found[1], found[2], found[0])]
        if not allowed:
            return {frozenset(group) for group in groups}
        _, a, b = max(allowed, key=lambda found: found[0])
        groups.remove(b)
        a += b


@st.composite
def problem(draw: st.DrawFn) -> tuple[Floats, dict[str, Any]]:
    """A few tracks of a few people, constraints of all kinds, and no two pairs that are equally alike."""
    n = draw(st.integers(2, 18))
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    vectors = people(4, 5, spread=draw(st.floats(0.3, 1.6)), dimensions=8, seed=int(random.integers(1000)))
    start = np.arange(n)
    apart = np.full(n, -1, np.int32)
    if draw(st.booleans()):
        apart = random.choice([-1, -1, -1, 0, 1], n).astype(np.int32)
        start = as_groups(apart)
    some = random.integers(0, n, (draw(st.integers(0, 12)), 2))
    cannot = some[start[some[:, 0]] != start[some[:, 1]]].astype(np.int32)
    shift = (draw(st.sampled_from([0.0, 0.2])) * random.random(n)).astype(np.float32)
    limits = {"bar": draw(st.floats(0.15, 0.8)), "cohesion": draw(st.sampled_from([0.0, 0.6, 0.9]))}
    rows = random.permutation(20)[:n]
    return vectors[rows], {"start": start, "cannot": cannot, "shift": shift, "apart": apart, **limits}


@examples(max_examples=300, deadline=None)
@given(asked=problem())
def test_it_merges_as_by_hand(asked: tuple[Floats, dict[str, Any]]) -> None:
    vectors, limits = asked
    assert partition(np.array(linked(vectors, **limits))) == by_hand(vectors, **limits)


@examples(max_examples=100, deadline=None)
@given(asked=problem())
def test_pairs_below_the_bar_make_no_difference(asked: tuple[Floats, dict[str, Any]]) -> None:
    vectors, limits = asked
    alike = vectors @ vectors.T - (limits["shift"][:, None] + limits["shift"]) / 2
    near = np.argwhere(np.triu(alike >= limits["bar"] - 1e-6, 1))
    assert linked(vectors, near, **limits) == linked(vectors, **limits)
    assert linked(vectors, np.repeat(near[:, ::-1], 2, axis=0), **limits) == linked(vectors, **limits), "pairs twice"


def test_nobody_and_nothing_near() -> None:
    assert linked(np.zeros((0, 8), np.float32)) == []
    assert linked(people(3, 2), pairs=()) == [0, 1, 2, 3, 4, 5]
    assert linked(people(1, 3), pairs=(), start=[7, 3, 7]) == [0, 1, 0]


def test_groups_are_named_by_their_first_rows() -> None:
    vectors = people(3, 3)[[6, 0, 7, 3, 1, 4, 2, 5, 8]]
    assert linked(vectors) == [0, 1, 0, 3, 1, 3, 1, 3, 0]


def test_ties_go_to_the_first_rows() -> None:
    same = np.repeat(people(1, 1), 4, axis=0)
    assert linked(same, cannot=[(0, 1)]) == [0, 1, 0, 0]
    assert linked(same, cannot=[(2, 3)]) == [0, 0, 0, 3]


def test_what_is_forbidden_stays_so_through_others() -> None:
    """Row 1 lies between 0 and 2, who may not be one; nearer to 0 it goes there, and 2 may not follow."""
    angles = np.radians([0, 10, 25])
    vectors = unit(np.column_stack([np.cos(angles), np.sin(angles)]))
    assert linked(vectors) == [0, 0, 0]
    assert linked(vectors, cannot=[(2, 0)]) == [0, 0, 2]
    assert linked(vectors, apart=[5, -1, 3]) == [0, 0, 2]
    assert linked(vectors, apart=[5, -1, 5]) == [0, 0, 0]


def test_a_group_that_begins_together_stays_together() -> None:
    """Whatever speaks against it: it has been said by a human."""
    vectors = np.eye(4, dtype=np.float32)
    assert linked(vectors, start=[8, 8, 3, 4], cannot=[(0, 1)]) == [0, 0, 2, 3]


def test_a_beginning_weighs_with_all_its_rows() -> None:
    """Alone, row 3 would go to row 2; together with a stranger row 2 is too far from it."""
    vectors = unit(np.array([[1, 0, 0], [0, 1, 0], [0, 0.1, 1], [0, 0, 1]]))
    assert linked(vectors) == [0, 1, 2, 2]
    assert linked(vectors, start=[0, 1, 0, 3]) == [0, 1, 0, 3]


def test_shifts_lower_how_alike_rows_are() -> None:
    vectors = unit(np.array([[1, 0], [1, 0.75]]))  # cosine 0.8
    assert linked(vectors, shift=[0.2, 0.39]) == [0, 0]
    assert linked(vectors, shift=[0.2, 0.41]) == [0, 1]


def test_cohesion_asks_for_a_share_of_what_is_inside() -> None:
    """0.8 inside one group, 0.5 from there to the third row."""
    vectors = unit(np.array([[1, 0.5, 0], [1, -0.5, 0], [1, 0, 1.49]]))
    inside, between = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert linked(vectors, bar=0.3, cohesion=between / inside - 0.01) == [0, 0, 0]
    assert linked(vectors, bar=0.3, cohesion=between / inside + 0.01) == [0, 0, 2]


def test_groups_of_crowded_rows_meet_again() -> None:
    """Two days of one person, each with more tracks than a row has neighbours: no pair leads from one to the other."""
    random = np.random.default_rng(0)
    days = unit(np.array([[1, 0.4] + [0] * 30, [1, -0.4] + [0] * 30]))
    vectors = unit(np.repeat(days, 2 * MOST, axis=0) + 0.02 * random.normal(size=(4 * MOST, 32)))
    pairs, _ = neighbours(vectors, 0.5)
    assert ((pairs < 2 * MOST).sum(axis=1) != 1).all()
    assert set(linked(vectors, pairs)) == {0}
    assert set(linked(vectors, pairs, cannot=[(0, 4 * MOST - 1)])) == {0, 2 * MOST}
    assert set(linked(vectors, pairs, cohesion=0.9)) == {0, 2 * MOST}


def test_average_link_obeys_a_human() -> None:
    vectors = people(2, 4)
    assert cluster(track_set(vectors)).tolist() == [0] * 4 + [1] * 4
    assert cluster(track_set(vectors, person=[2, -1, -1, -1, 2, -1, -1, -1])).tolist()[4] == 0
    parted = cluster(track_set(vectors, person=[2, -1, -1, 5, -1, -1, -1, -1]))
    assert parted[0] != parted[3] and set(parted[1:3].tolist()) <= {parted[0], parted[3]}


def test_persons_become_groups() -> None:
    groups = as_groups(np.array([-1, 3, -1, 3, 0], np.int32))
    assert partition(groups.astype(np.int32)) == {frozenset(g) for g in ({0}, {1, 3}, {2}, {4})}


@pytest.mark.parametrize("exact_below", [0, 50_000])
def test_an_index_finds_the_nearest(exact_below: int) -> None:
    vectors = people(60, 20, dimensions=64)
    cosine, found = NeighbourIndex(vectors, exact_below).search(vectors[:50], 20)
    assert found.shape == cosine.shape == (50, 20) and found.dtype == np.int64
    assert (found[:, 0] == np.arange(50)).all() and (np.diff(cosine, axis=1) <= 0).all()
    assert np.allclose(cosine, np.einsum("id,ikd->ik", vectors[:50], vectors[found]), atol=2e-3)
    assert (found // 20 == np.arange(50)[:, None] // 20).mean() > 0.98


def test_an_index_of_few_or_none_says_what_is_missing() -> None:
    vectors = people(2, 1)
    assert NeighbourIndex(vectors[:1]).search(vectors, 3)[1].tolist() == [[0, -1, -1]] * 2
    assert NeighbourIndex(vectors[:0]).search(vectors, 1)[1].tolist() == [[-1], [-1]]
    assert NeighbourIndex(vectors).search(vectors[:0], 2)[1].shape == (0, 2)


def test_what_cannot_be_kept_is_compiled_all_the_same() -> None:
    """A function without a file stands for one in a folder that nobody may write to."""
    from cvid.clustering.merging import compiled

    named: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", named)
    assert compiled(named["double"])(21) == 42


def test_the_compiler_is_loaded_when_something_is_merged() -> None:
    code = "import sys, cvid.clustering.average, cvid.clustering.linkage; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

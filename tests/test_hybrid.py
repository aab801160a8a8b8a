"""Hybrid clustering: what the second pass finds, what it leaves alone, and how a common face counts less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from test_clustering import PLAIN, cluster, partition, people, track_set, unit

from cvid.calibration import SHIPPED
from cvid.clustering.bars import STRICTNESS, bar_for
from cvid.clustering.graph import neighbours
from cvid.clustering.joining import LEFTOVER, Terms, join_leftovers
from cvid.clustering.normalise import COHORT, NEAREST, shifts
from cvid.settings import ClusteringSettings
from cvid.types import Floats, Ints, TrackSet

BAR = 0.6


def spread(count: int, mean: float, first: int, dimensions: int = 24) -> Floats:
    """(count, d): faces whose cosine with each other is `mean`; what is their own lies along axes from `first` on."""
    vectors = np.zeros((count, dimensions))
    vectors[:, first] = mean**0.5
    vectors[np.arange(count), first + 1 + np.arange(count)] = (1 - mean) ** 0.5
    return unit(vectors)


def years(mean: float, dimensions: int = 24) -> Floats:
    """(6, d): five faces of somebody, and a sixth whose cosine with each of them is `mean`."""
    five = spread(5, 0.65, 0, dimensions)
    sixth = mean * five.sum(axis=0) / (five[0] @ five.sum(axis=0))
    sixth[-1] = (1 - sixth @ sixth) ** 0.5
    return np.concatenate([five, sixth[None].astype(np.float32)])


def hybrid(tracks: TrackSet, **changes: Any) -> list[int]:
    return cluster(tracks, "hybrid", **{"bar": BAR, "cohesion": PLAIN} | changes).tolist()


def join(tracks: TrackSet, groups: Any, shift: Any = None, bar: float = BAR, margin: float = 0.0) -> list[int]:
    """The groups after the second pass, numbered in order."""
    pairs, _ = neighbours(tracks.template, 0.1)
    lowered = np.zeros(len(tracks), np.float32) if shift is None else np.asarray(shift, np.float32)
    found = join_leftovers(tracks, pairs, np.asarray(groups, np.int64), lowered, Terms(bar, margin, PLAIN))
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[number]).tolist()


def test_a_face_like_all_of_somebodys_joins_though_it_is_like_none_of_them() -> None:
    """Its cosine with each of five is below the bar, with their mean direction above it."""
    tracks = track_set(years(0.55))
    assert (tracks.template[:5] @ tracks.template[5]).max() < BAR
    assert hybrid(tracks, second_pass=False) == [0, 0, 0, 0, 0, 1]
    assert hybrid(tracks) == [0] * 6
    assert hybrid(track_set(years(0.48))) == [0, 0, 0, 0, 0, 1]


def test_one_face_is_no_better_likeness_than_it_is() -> None:
    pair = years(0.55)[4:]
    assert hybrid(track_set(pair)) == [0, 1]


def test_the_bar_is_stricter_than_that_of_average_link() -> None:
    """Two faces that average-link just links are two people to hybrid."""
    settings = ClusteringSettings()
    bar = bar_for("mobilefacenet:0", 2, settings)
    angle = np.arccos(bar + 0.005)
    vectors = unit(np.array([[1, 0], [np.cos(angle), np.sin(angle)]]))
    assert cluster(track_set(vectors), "average").tolist() == [0, 0]
    assert cluster(track_set(vectors), "hybrid").tolist() == [0, 1]


def test_it_joins_the_nearest_and_only_with_a_margin() -> None:
    """A face between two people, a little nearer to the second."""
    two = np.concatenate([spread(4, 0.7, 0), spread(4, 0.7, 8)])
    first, second = unit(two[:4].sum(axis=0, keepdims=True))[0], unit(two[4:].sum(axis=0, keepdims=True))[0]
    between = unit((0.69 * first + 0.715 * second)[None])
    tracks = track_set(np.concatenate([two, between]))
    groups = [0] * 4 + [1] * 4 + [2]
    assert join(tracks, groups) == [0] * 4 + [1] * 5
    assert join(tracks, groups, margin=0.1) == groups


def test_a_common_face_must_be_more_alike() -> None:
    tracks, groups = track_set(years(0.5)), [0] * 5 + [1]
    alike = float(years(0.5)[5] @ unit(years(0.5)[:5].sum(axis=0, keepdims=True))[0])
    assert join(tracks, groups, bar=alike - 0.02) == [0] * 6
    assert join(tracks, groups, [0] * 5 + [0.06], bar=alike - 0.02) == groups
    assert join(tracks, groups, [-0.02] * 5 + [-0.08], bar=alike + 0.03) == [0] * 6


def test_faces_with_nothing_in_common_do_not_gather_around_their_mean() -> None:
    """Of many hardly alike faces the mean direction is like each of them; the mean of the pairs is not."""
    crowd = spread(9, 0.3, 0)
    tracks = track_set(crowd)
    assert join(tracks, [0] * 8 + [1], bar=0.45) == [0] * 8 + [1]
    assert float(crowd[8] @ unit(crowd[:8].sum(axis=0, keepdims=True))[0]) > 0.45


def test_large_groups_are_nobodys_leftovers() -> None:
    size = LEFTOVER + 1
    vectors = people(1, 2 * size, spread=0.4)
    apart = [0] * size + [1] * size
    assert join(track_set(vectors), apart, bar=0.5) == apart
    assert join(track_set(vectors[1:]), apart[1:], bar=0.5) == [0] * (2 * size - 1)


def test_a_constraint_holds_through_a_second_leftover() -> None:
    """Two leftovers are like one person and were seen together: the nearer one joins, the other does not."""
    vectors = np.concatenate([years(0.58), years(0.56)[5:]])
    vectors[6, -2:] = vectors[6, -1], 0
    groups = [0] * 5 + [1, 2]
    assert join(track_set(vectors), groups) == [0] * 7
    assert join(track_set(vectors, [(5, 6)]), groups) == [0] * 6 + [1]
    assert join(track_set(vectors, [(2, 6)]), groups) == [0] * 6 + [1]


def test_nobody_joins_a_person_whom_a_human_told_apart() -> None:
    groups = [0] * 5 + [1]
    assert join(track_set(years(0.58), person=[-1] * 4 + [3, 7]), groups) == groups
    assert join(track_set(years(0.58), person=[-1] * 4 + [3, -1]), groups) == [0] * 6
    both = np.concatenate([years(0.58), years(0.56)[5:]])
    both[6, -2:] = both[6, -1], 0
    assert join(track_set(both, person=[-1] * 5 + [3, 7]), [0] * 5 + [1, 2]) == [0] * 6 + [1]


def test_leftovers_join_whoever_joins_nobody() -> None:
    """Three single faces of one person end as one, whichever begins; nobody is lost in a ring."""
    assert join(track_set(people(1, 3, spread=0.3)), [0, 1, 2], bar=0.5) == [0, 0, 0]
    assert join(track_set(people(1, 12, spread=0.3)), list(range(12)), bar=0.5) == [0] * 12


@st.composite
def grouped(draw: st.DrawFn) -> tuple[TrackSet, Ints]:
    """A few tracks, alike enough to be joined, in groups that obey all rules."""
    n = draw(st.integers(2, 14))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    vectors = unit(np.eye(6)[0] + draw(st.floats(0.01, 0.6)) * random.normal(size=(n, 6)))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    person = draw(st.lists(st.sampled_from([-1, -1, -1, 0, 1]), min_size=n, max_size=n))
    tracks = track_set(vectors, draw(st.lists(pair, max_size=12)), person=person)
    groups = np.where(tracks.person < 0, 2 + np.arange(n), tracks.person).astype(np.int64)
    keep = groups[tracks.cannot[:, 0]] != groups[tracks.cannot[:, 1]]
    return replace(tracks, cannot=tracks.cannot[keep]), groups


@examples(max_examples=200, deadline=None)
@given(grouped(), st.floats(0.1, 0.9), st.floats(0, 0.05))
def test_what_the_second_pass_obeys(drawn: tuple[TrackSet, Ints], bar: float, margin: float) -> None:
    """Forbidden pairs and persons stay apart, what was together stays together."""
    tracks, groups = drawn
    after = np.array(join(tracks, groups, bar=bar, margin=margin))
    assert not (after[tracks.cannot[:, 0]] == after[tracks.cannot[:, 1]]).any()
    said = tracks.person >= 0
    assert len(set(zip(after[said].tolist(), tracks.person[said].tolist(), strict=True))) == len(set(after[said]))
    assert len(set(zip(groups.tolist(), after.tolist(), strict=True))) == len(set(groups.tolist()))


def test_a_face_like_everybody_is_shifted_up_and_a_lonely_one_down() -> None:
    random = np.random.default_rng(3)
    crowd = unit(random.normal(size=(200, 128)) + 0.9 * np.eye(128)[0])
    tracks = track_set(np.concatenate([crowd, np.eye(128, dtype=np.float32)[:1], -np.eye(128, dtype=np.float32)[:1]]))
    shift = shifts(tracks, np.arange(202))
    assert shift[200] > np.quantile(shift[:200], 0.95)
    assert shift[201] == shift.min() < 0


def test_ones_own_faces_are_no_strangers() -> None:
    """Forty faces of one person among strangers: told that they are one, they are no more common than others."""
    tracks = track_set(
        np.concatenate([people(1, 40, spread=0.3, dimensions=64), people(100, 1, dimensions=64, seed=1)])
    )
    groups = np.concatenate([np.zeros(40, np.int64), np.arange(1, 101)])
    apart = shifts(tracks, np.arange(140))
    together = shifts(tracks, groups)
    assert apart[:40].min() > together[:40].max()


def test_a_few_strangers_say_nothing() -> None:
    assert not shifts(track_set(people(NEAREST, 2)), np.repeat(np.arange(NEAREST), 2)).any()
    assert shifts(track_set(people(NEAREST + 5, 2)), np.repeat(np.arange(NEAREST + 5), 2)).any()


def test_a_part_of_the_archive_is_judged_by_all_of_it() -> None:
    """What is around stands in for what was there: shifts differ little, and are not those of the part alone."""
    everybody = people(600, 1, dimensions=64)
    whole = shifts(track_set(everybody), np.arange(600))[:50]
    part = replace(track_set(everybody[:50]), size=600, others=everybody[50:])
    assert shifts(part, np.arange(50)) == pytest.approx(whole, abs=1e-6)
    alone = shifts(track_set(everybody[:50]), np.arange(50))
    assert np.abs(alone - whole).mean() > 0.01


def test_a_large_archive_is_sampled() -> None:
    tracks = track_set(people(3 * COHORT, 1, dimensions=16))
    assert len(shifts(tracks, np.arange(3 * COHORT))) == 3 * COHORT


def test_words_of_strictness() -> None:
    own = SHIPPED["mobilefacenet"].false_links
    bars = [bar_for("mobilefacenet:0", 500, ClusteringSettings(strictness=word)) for word in STRICTNESS]
    assert list(STRICTNESS) == ["cautious", "balanced", "eager"] and bars == sorted(bars, reverse=True)
    by_number = [ClusteringSettings(strictness=own * times) for times in STRICTNESS.values()]
    assert [bar_for("mobilefacenet:0", 500, settings) for settings in by_number] == pytest.approx(bars)
    stated = ClusteringSettings(strictness="eager", false_links=own)
    assert bar_for("mobilefacenet:0", 500, stated) == pytest.approx(bars[1]), "false links are said in so many words"


@pytest.mark.parametrize("words", ["bold", "", -1, 0, float("inf")])
def test_other_words_are_refused(words: Any) -> None:
    with pytest.raises(ValueError, match="strictness"):
        ClusteringSettings(strictness=words)


def test_the_partition_does_not_depend_on_the_order_of_tracks() -> None:
    vectors = people(12, 5, spread=1.0, dimensions=64, seed=5)
    order = np.random.default_rng(1).permutation(60)
    straight = partition(cluster(track_set(vectors), "hybrid"))
    shuffled = cluster(track_set(vectors[order]), "hybrid")
    assert {frozenset(order[list(group)].tolist()) for group in partition(shuffled)} == straight

"""What is sorted again when tracks are added, and what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from test_clustering import partition, people, track_set

from cvid.clustering.average import AverageLink
from cvid.clustering.graph import NeighbourIndex
from cvid.clustering.growth import grow, region
from cvid.settings import ClusteringSettings
from cvid.types import Ints, TrackSet

BAR = 0.5


def cluster(tracks: TrackSet, rows: Ints) -> Ints:
    return AverageLink(ClusteringSettings(bar=BAR)).cluster(tracks).labels.astype(np.int64)


def one_by_one(tracks: TrackSet, order: Ints) -> Ints:
    """Labels of tracks that came one after the other."""
    known: Ints = np.zeros(0, np.int64)
    labels: Ints = np.full(len(tracks), -1, np.int64)
    for row in order.tolist():
        known = np.sort(np.append(known, row))
        labels[known], _ = grow(tracks[known], labels[known], known == row, BAR, cluster)
    return labels


@pytest.mark.parametrize("seed", range(5))
def test_one_by_one_in_any_order_comes_to_the_same(seed: int) -> None:
    tracks = track_set(people(8, 5, spread=0.4, seed=seed))
    together = partition(cluster(tracks, np.arange(40)).astype(np.int32))
    grown = one_by_one(tracks, np.random.default_rng(seed).permutation(40))
    assert partition(grown.astype(np.int32)) == together and len(together) == 8


def test_a_newcomer_can_bring_two_parts_of_a_person_together() -> None:
    left, right = np.array([1, 0, 0.0]), np.array([0, 1, 0.0])
    between = (left + right) / np.sqrt(2)
    tracks = track_set(np.array([left, right, between], np.float32))
    labels, again = grow(tracks, np.array([4, 7, -1]), np.array([False, False, True]), 0.3, cluster)
    assert again.tolist() == [0, 1, 2], "both parts are looked at"
    assert labels[2] in labels[:2] and (labels > 7).all()


def test_who_is_far_is_not_looked_at() -> None:
    vectors = people(30, 4, spread=0.3)
    before = np.repeat(np.arange(30), 4)
    fresh = np.zeros(120, np.bool_)
    fresh[119] = True
    before[119] = -1
    rows = region(vectors, before, fresh, BAR, NeighbourIndex(vectors))
    assert set(rows.tolist()) == {116, 117, 118, 119}
    labels, _ = grow(track_set(vectors), before, fresh, BAR, cluster)
    assert (labels[:116] == before[:116]).all() and len(set(labels[116:].tolist())) == 1


def test_who_was_nobody_is_tried_again() -> None:
    """Poor tracks that are nobody's join when somebody like them is founded."""
    vectors = people(1, 4, spread=0.2)
    tracks = track_set(vectors, founding=[False, False, False, True])
    labels, _ = grow(tracks, np.full(4, -1, np.int64), np.array([False, False, False, True]), BAR, cluster)
    assert set(labels.tolist()) == {0}


def test_nothing_new_changes_nothing() -> None:
    vectors = people(3, 3)
    before = np.repeat(np.arange(3), 3)
    labels, again = grow(track_set(vectors), before, np.zeros(9, np.bool_), BAR, cluster)
    assert (labels == before).all() and not len(again)
    empty, none = grow(track_set(vectors[:0]), before[:0], np.zeros(0, np.bool_), BAR, cluster)
    assert not len(empty) and not len(none)


@examples(deadline=None, max_examples=30)
@given(st.data())
def test_rules_hold_while_it_grows(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 10))
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    vectors = random.normal(size=(n, 4)) * 0.4 + np.eye(4)[0]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    cannot = data.draw(st.lists(pair, max_size=6))
    tracks = track_set(vectors, cannot)
    labels = one_by_one(tracks, random.permutation(n))
    assert (labels >= 0).all()
    assert all(labels[a] != labels[b] for a, b in cannot)


def test_a_large_identity_is_sorted_by_some_of_its_tracks_and_the_others_follow() -> None:
    vectors = people(3, 400, spread=0.4)
    before = np.repeat(np.arange(3), 400)
    fresh = np.zeros(1200, np.bool_)
    fresh[5] = fresh[405] = True
    before[[5, 405]] = -1
    asked: list[int] = []

    def counting(some: TrackSet, rows: Ints) -> Ints:
        asked.append(len(rows))
        return cluster(some, rows)

    labels, again = grow(track_set(vectors), before, fresh, BAR, counting)
    assert len(again) == 800 and asked[0] < 300
    assert len(set(labels[:400].tolist())) == len(set(labels[400:800].tolist())) == 1
    assert labels[0] != labels[400] and (labels[800:] == 2).all()


def test_who_follows_never_breaks_a_rule() -> None:
    """A track that stands for nobody was seen beside the newcomer, so the identity cannot take the newcomer in."""
    vectors = people(1, 401, spread=0.1)
    before = np.zeros(401, np.int64)
    before[400] = -1
    for seen_beside in range(0, 400, 37):
        tracks = track_set(vectors, cannot=[(seen_beside, 400)])
        labels, _ = grow(tracks, before, before < 0, BAR, cluster)
        assert labels[seen_beside] != labels[400]
    tracks = track_set(vectors, cannot=[(a, a + 1) for a in range(0, 400, 2)])  # wrong from the start
    labels, _ = grow(tracks, before, before < 0, BAR, cluster)
    assert all(labels[a] != labels[a + 1] for a in range(0, 400, 2))

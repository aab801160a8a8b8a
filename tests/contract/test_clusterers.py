"""What every clustering method of the registry must do, whatever it thinks of the tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from test_clustering import PLAIN, Labels, cluster, partition, people, track_set, unit

from cvid.clustering import CLUSTERERS
from cvid.errors import SettingsError
from cvid.settings import ClusteringSettings
from cvid.types import Floats, TrackSet

METHODS = CLUSTERERS.names()
COUNTING = ("kmeans", "spectral")
"""They are told how many groups there are; where k-means begins depends on the order of the tracks."""
LIMITED = {"agglomerative": 20_000, "dbscan": 50_000, "hdbscan": 30_000, "spectral": 6_000}

every_method = pytest.mark.parametrize("method", METHODS)


def apart(count: int, tracks: int, spread: float = 0.3, seed: int = 0) -> Floats:
    """People at right angles to each other, the tracks of one after those of another, (count · tracks, 32)."""
    noise = np.random.default_rng(seed).normal(size=(count * tracks, 32)) / 32**0.5
    return unit(np.repeat(np.eye(32)[:count], tracks, axis=0) + spread * noise)


def test_the_methods_of_the_mission_are_there() -> None:
    assert {"average", "dbscan", "agglomerative", "hdbscan", "kmeans", "spectral"} <= set(METHODS)


@every_method
def test_nobody_and_one(method: str) -> None:
    assert cluster(track_set(np.zeros((0, 8), np.float32)), method).tolist() == []
    assert cluster(track_set(people(1, 1)), method).tolist() == [0]
    assert cluster(track_set(people(1, 1), founding=[False]), method).tolist() == [-1]


@every_method
def test_two_tracks_are_one_person_or_two(method: str) -> None:
    assert cluster(track_set(apart(1, 2)), method).tolist() == [0, 0]
    assert cluster(track_set(unit(np.eye(8)[:2])), method).tolist() == [0, 1]


@every_method
def test_people_far_apart_are_found(method: str) -> None:
    order = np.random.default_rng(0).permutation(48)
    labels = cluster(track_set(apart(8, 6)[order]), method)
    assert partition(labels) == {frozenset(np.flatnonzero(order // 6 == who).tolist()) for who in range(8)}
    _, first = np.unique(labels, return_index=True)
    assert (np.diff(first) > 0).all() and labels[0] == 0, "numbered by first appearance"


@every_method
def test_an_archive_of_one_person_is_one_person(method: str) -> None:
    assert set(cluster(track_set(apart(1, 12)), method).tolist()) == {0}


@every_method
def test_the_same_face_many_times_is_one_person(method: str) -> None:
    vectors = np.concatenate([np.repeat(apart(1, 1), 40, axis=0), apart(4, 3)[3:]])
    labels = cluster(track_set(vectors), method)
    assert set(labels[:40].tolist()) == {0} and 0 not in labels[40:]
    assert set(cluster(track_set(vectors[:40]), method).tolist()) == {0}


@every_method
def test_poor_tracks_found_nobody_but_may_join(method: str) -> None:
    founding = np.zeros(12, np.bool_)
    founding[5] = True
    tracks = track_set(apart(3, 4), founding=founding)
    assert cluster(tracks, method).tolist() == [-1] * 4 + [0] * 4 + [-1] * 4


@every_method
def test_one_person_by_a_humans_word_is_one(method: str) -> None:
    """However unlike the tracks are; and those who are no more like them than before stay away."""
    person = np.full(24, -1)
    person[[0, 6]] = 3
    labels = cluster(track_set(apart(4, 6), person=person), method)
    assert labels[0] == labels[6] == 0 and 0 not in labels[12:]


@every_method
def test_two_persons_by_a_humans_word_are_parted(method: str) -> None:
    """However alike they are, and with everybody else in one of the two."""
    labels = cluster(track_set(apart(1, 9), person=[0, 0, 0, -1, -1, -1, 1, 1, 1]), method)
    assert set(labels[:3].tolist()) == {0} and len(set(labels[6:].tolist())) == 1 and labels[6] > 0


@every_method
def test_a_mirror_is_a_humans_word(method: str) -> None:
    """What a human calls one person is one, also twice in a picture."""
    tracks = track_set(apart(1, 4), [(0, 1), (2, 3)], person=[5, 5, -1, -1])
    labels = cluster(tracks, method)
    assert labels[0] == labels[1] == 0 and labels[2] != labels[3]


@st.composite
def constrained(draw: st.DrawFn) -> TrackSet:
    """A few tracks, alike enough to be merged; many pairs were seen together, of many a human has spoken."""
    n = draw(st.integers(2, 14))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    vectors = unit(np.eye(6)[0] + draw(st.floats(0.01, 0.6)) * random.normal(size=(n, 6)))
    person = draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n) | st.just([-1] * n))
    row = st.integers(0, n - 1)
    pair = st.tuples(row, row).filter(lambda p: p[0] < p[1] and (person[p[0]] != person[p[1]] or person[p[0]] < 0))
    founding = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.uint8)
    return replace(track_set(vectors, draw(st.lists(pair, max_size=20)), person=person), founding=founding)


@every_method
@examples(max_examples=40, deadline=None)
@given(tracks=constrained())
def test_what_every_method_obeys(method: str, tracks: TrackSet) -> None:
    """Faces seen together never share a label, also not through a third; a human's word holds; labels are founded."""
    labels = cluster(tracks, method, bar=0.3, cohesion=PLAIN)
    a, b = tracks.cannot.T
    assert not ((labels[a] == labels[b]) & (labels[a] >= 0)).any()
    said = tracks.person >= 0
    pairs = set(zip(labels[said].tolist(), tracks.person[said].tolist(), strict=True))
    assert len({label for label, _ in pairs}) == len({person for _, person in pairs}) == len(pairs)
    for label in range(labels.max(initial=-1) + 1):
        worth = tracks.founding[labels == label]
        assert worth.sum() >= 2 or (said & (labels == label)).any()
    first = [labels.tolist().index(label) for label in range(labels.max(initial=-1) + 1)]
    assert first == sorted(first), "numbered by first appearance, without gaps"


@every_method
@examples(max_examples=10, deadline=None)
@given(tracks=constrained())
def test_the_same_tracks_give_the_same_people(method: str, tracks: TrackSet) -> None:
    before = [tracks.template.copy(), tracks.cannot.copy(), tracks.person.copy()]
    first, second = cluster(tracks, method), cluster(tracks, method)
    assert first.tolist() == second.tolist()
    after = [tracks.template, tracks.cannot, tracks.person]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)), "nothing is written to"


@pytest.mark.parametrize("method", [name for name in METHODS if name not in COUNTING])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_tracks_does_not_matter(method: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = people(8, 6, spread=1.0, seed=seed)
    cannot = np.array([(a, b) for a, b in random.integers(0, 48, (30, 2)) if a < b])
    person = np.full(48, -1)
    person[[3, 9, 20]], person[[30, 31]] = 0, 1
    order = random.permutation(48)  # row i of the shuffled set is track order[i]
    place = np.argsort(order)
    straight = cluster(track_set(vectors, cannot, person=person), method)
    shuffled = cluster(track_set(vectors[order], place[cannot], person=person[order]), method)
    assert {frozenset(order[list(group)].tolist()) for group in partition(shuffled)} == partition(straight)


@pytest.mark.parametrize("method", LIMITED)
def test_what_compares_all_pairs_refuses_many(method: str) -> None:
    few = LIMITED[method]
    with pytest.raises(SettingsError, match=rf"{method} .* at most {few:,} tracks, and there are {few + 1:,}; use hy"):
        cluster(track_set(np.repeat(people(1, 1, dimensions=2), few + 1, axis=0)), method)


def made(method: str, tracks: TrackSet, **changes: Any) -> tuple[Labels, str]:
    """The labels, and what the method says of them."""
    clusterer = CLUSTERERS.create(method, settings=ClusteringSettings(**changes))
    return clusterer.cluster(tracks).labels, clusterer.remark


@every_method
def test_only_an_estimate_is_remarked_on(method: str) -> None:
    _, remark = made(method, track_set(apart(5, 4)))
    assert remark == ("k = 5, estimated: average-link finds that many" if method in COUNTING else "")


@pytest.mark.parametrize("method", COUNTING)
@pytest.mark.parametrize("k", [1, 2, 5, 12, 20])
def test_as_many_groups_as_are_wanted(method: str, k: int) -> None:
    labels, remark = made(method, track_set(apart(5, 4)), k=k)
    assert len(set(labels.tolist())) == k and remark == ""


@pytest.mark.parametrize("method", COUNTING)
def test_more_groups_than_tracks_are_refused(method: str) -> None:
    tracks = track_set(people(2, 3), person=[7, 7, -1, -1, -1, -1])
    with pytest.raises(SettingsError, match=r"clustering\.k: 6 .* 6 tracks, which decisions make 5 of; give at most 5"):
        cluster(tracks, method, k=6)
    with pytest.raises(SettingsError, match="7 groups cannot be made of 6 tracks; give at most 6, or 0"):
        cluster(track_set(people(2, 3)), method, k=7)
    assert sorted(cluster(tracks, method, k=5).tolist()) == [0, 0, 1, 2, 3, 4]


def test_kmeans_refuses_what_takes_very_long() -> None:
    with pytest.raises(SettingsError, match="kmeans would take very long for 15,000 groups of 15,000 tracks"):
        cluster(track_set(np.repeat(people(1, 1, dimensions=2), 15_000, axis=0)), "kmeans", k=15_000)

"""Clustering: average-link as the book says, its bar, and the neighbour graph; tests/contract has what all obey."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cvid.calibration import SHIPPED
from cvid.clustering import CLUSTERERS
from cvid.clustering.bars import bar_for
from cvid.clustering.founding import as_clusters, founding_of
from cvid.clustering.graph import MOST, neighbours
from cvid.errors import UnknownBackend
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Floats, TrackSet

Labels = NDArray[np.int32]
PLAIN = 1e-9
"""A cohesion that asks for nothing; 0 would stand for the model's own."""


def unit(vectors: NDArray[Any]) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def people(count: int, tracks: int, spread: float = 0.5, dimensions: int = 32, seed: int = 0) -> Floats:
    """(count · tracks, d): tracks of one person after those of another, around points that lie far apart."""
    random = np.random.default_rng(seed)
    middles = unit(random.normal(size=(count, dimensions)))
    own = np.repeat(middles, tracks, axis=0)
    return unit(own + spread * random.normal(size=own.shape) / dimensions**0.5)


def track_set(
    vectors: Floats,
    cannot: Any = (),
    founding: Any = None,
    person: Any = None,
    model: str = "mobilefacenet:0",
) -> TrackSet:
    n = len(vectors)
    return TrackSet(
        vectors,
        vectors,
        np.arange(n, dtype=np.int32),
        np.full(n, 0.8, np.float32),
        np.full(n, 2, np.uint8) if founding is None else 2 * np.asarray(founding, np.uint8),
        np.array(cannot, np.int32).reshape(-1, 2),
        np.full(n, -1, np.int32) if person is None else np.asarray(person, np.int32),
        n,
        vectors[:0],
        model,
    )


def cluster(tracks: TrackSet, method: str = "average", **changes: Any) -> Labels:
    found: Clusters = CLUSTERERS.create(method, settings=ClusteringSettings(**changes)).cluster(tracks)
    assert found.labels.shape == (len(tracks),)
    return found.labels


def partition(labels: Labels) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def by_the_book(vectors: Floats, bar: float) -> set[frozenset[int]]:
    """Average-link, slowly: merge the two groups with the highest mean of all pairs, while it reaches the bar."""
    cosine = (vectors @ vectors.T).astype(np.float64)
    groups = [[i] for i in range(len(vectors))]
    while len(groups) > 1:
        means = {(a, b): cosine[np.ix_(groups[a], groups[b])].mean() for b in range(len(groups)) for a in range(b)}
        (a, b), best = max(means.items(), key=lambda item: item[1])
        if best < bar:
            break
        groups[a] += groups.pop(b)
    return {frozenset(group) for group in groups}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("bar", [0.2, 0.45, 0.7])
def test_it_is_average_link(seed: int, bar: float) -> None:
    random = np.random.default_rng(seed)
    vectors = people(5, 5, spread=random.uniform(0.3, 1.5), dimensions=8, seed=seed)
    assert partition(cluster(track_set(vectors), bar=bar, cohesion=PLAIN)) == by_the_book(vectors, bar)


def test_an_unknown_method_lists_the_choices() -> None:
    with pytest.raises(UnknownBackend, match=r"choose one of: .*average"):
        CLUSTERERS.create("magic", settings=ClusteringSettings())


def test_a_constraint_holds_through_a_third_track() -> None:
    """The middle one is most like the first; the last, like the middle one, was seen beside the first."""
    angles = np.radians([0, 10, 25])
    vectors = unit(np.column_stack([np.cos(angles), np.sin(angles)]))
    assert cluster(track_set(vectors)).tolist() == [0, 0, 0]
    assert cluster(track_set(vectors, [(0, 2)])).tolist() == [0, 0, 1]


def test_without_a_founder_there_is_nobody() -> None:
    vectors = people(3, 4)
    founding = np.zeros(12, np.bool_)
    founding[5] = True
    assert cluster(track_set(vectors, founding=founding)).tolist() == [-1] * 4 + [0] * 4 + [-1] * 4


def test_who_may_found() -> None:
    s = ClusteringSettings(found_s=1.5, found_quality=0.2)
    length = np.array([1.5, 0.0, 1.4, 0.5, 0.4, 60, 0.0])
    picture = np.array([False, True, False, False, False, False, True])
    quality = np.array([0.2, 0.2, 0.9, 0.9, 0.9, 0.19, 0.19], np.float32)
    assert founding_of(length, picture, quality, s).tolist() == [2, 2, 1, 1, 0, 0, 0]


def test_two_short_clear_tracks_found_a_person_together_and_a_human_alone() -> None:
    tracks = replace(
        track_set(people(1, 8)),
        founding=np.array([1, 1, 1, 0, 0, 0, 2, 0], np.uint8),
        person=np.array([-1, -1, -1, -1, -1, 4, -1, -1], np.int32),
    )
    assert as_clusters(np.array([7, 7, 3, 3, 1, 0, 2, -1]), tracks).labels.tolist() == [0, 0, -1, -1, -1, 1, 2, -1]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_tracks_does_not_matter(seed: int) -> None:
    vectors = people(8, 6, spread=1.0, seed=seed)
    random = np.random.default_rng(seed)
    cannot = [(int(a), int(b)) for a, b in random.integers(0, 48, (30, 2)) if a < b]
    order = random.permutation(48)  # row i of the shuffled set is track order[i]
    place = np.argsort(order)
    straight = partition(cluster(track_set(vectors, cannot)))
    shuffled = cluster(track_set(vectors[order], [(place[a], place[b]) for a, b in cannot]))
    assert {frozenset(order[list(group)].tolist()) for group in partition(shuffled)} == straight


def test_cohesion_keeps_people_of_one_session_apart() -> None:
    """Two people whom the model finds alike (0.5) but who each hold together (0.9): a constant bar joins them."""
    random = np.random.default_rng(0)
    middles = unit(np.array([[1, 0.55] + [0] * 30, [1, -0.55] + [0] * 30]))
    vectors = unit(np.repeat(middles, 6, axis=0) + 0.05 * random.normal(size=(12, 32)))
    assert len(partition(cluster(track_set(vectors), bar=0.4, cohesion=PLAIN))) == 1
    assert partition(cluster(track_set(vectors), bar=0.4, cohesion=0.65)) == {
        frozenset(range(6)),
        frozenset(range(6, 12)),
    }
    assert len(partition(cluster(track_set(vectors[[0, 6]]), bar=0.4, cohesion=0.65))) == 1, "single tracks have none"


@pytest.mark.parametrize("tracks", [20, MOST + 6, 3 * MOST])
def test_a_person_of_many_tracks_stays_one(tracks: int) -> None:
    """From each of two days more tracks than a row has neighbours: the days must find each other all the same."""
    random = np.random.default_rng(0)
    days = np.repeat(np.array([[1, 0.4], [1, -0.4]]), tracks, axis=0)
    vectors = np.column_stack([days, 0.02 * random.normal(size=(2 * tracks, 62))])
    assert (unit(vectors[:tracks]) @ unit(vectors[tracks:]).T).mean() > 0.6
    assert set(cluster(track_set(unit(vectors))).tolist()) == {0}
    assert set(cluster(track_set(unit(vectors), [(0, 2 * tracks - 1)])).tolist()) == {0, 1}


def test_many_times_the_same_face_is_one_person() -> None:
    assert set(cluster(track_set(np.repeat(people(1, 1), 500, axis=0))).tolist()) == {0}


@pytest.mark.parametrize("model", [*SHIPPED, "another"])
def test_the_bar_grows_with_the_archive_and_with_caution(model: str) -> None:
    defaults = ClusteringSettings()
    bars = [bar_for(f"{model}:0", n, defaults) for n in (50, 500, 5_000, 50_000, 500_000)]
    assert bars == sorted(bars) and len(set(bars)) == 5 and bars[0] > 0 and bars[-1] < 1
    careful = [bar_for(f"{model}:0", 1000, ClusteringSettings(false_links=f)) for f in (10, 1, 0.1, 0.01)]
    assert careful == sorted(careful) and len(set(careful)) == 4
    assert bar_for(f"{model}:0", 0, defaults) == bar_for(f"{model}:0", 1, defaults) == bars[0]


def test_the_bar_is_the_measured_one() -> None:
    """FAR 1e-4 at one false link a track: an archive of 10,000."""
    s = ClusteringSettings(false_links=1)
    for model, measured in SHIPPED.items():
        assert bar_for(f"{model}:0123", 10_000, s) == pytest.approx(dict(measured.tail)[-4])
    assert bar_for("unheard of:0", 10_000, s) == bar_for("mobilefacenet:0", 10_000, s)
    assert bar_for("mobilefacenet:0", 10_000, ClusteringSettings(bar=0.77)) == 0.77


def test_the_neighbour_graph_is_exact() -> None:
    vectors = people(20, 10, spread=1.0)
    pairs, cosine = neighbours(vectors, 0.4)
    full = np.triu(vectors @ vectors.T, 1)
    assert {tuple(p) for p in pairs.tolist()} == {tuple(p) for p in np.argwhere(full >= 0.4).tolist()}
    assert np.allclose(cosine, full[tuple(pairs.T)], atol=1e-5)


def test_the_index_for_large_archives_finds_the_people() -> None:
    vectors = people(150, 20, dimensions=64)
    exact, _ = neighbours(vectors, 0.6)
    found, cosine = neighbours(vectors, 0.6, exact_below=0)
    missed = {tuple(p) for p in exact.tolist()} - {tuple(p) for p in found.tolist()}
    assert len(exact) > 20_000 and len(missed) < len(exact) / 50
    assert (found[:, 0] < found[:, 1]).all() and len(np.unique(found, axis=0)) == len(found)
    assert np.allclose(cosine, (vectors[found[:, 0]] * vectors[found[:, 1]]).sum(axis=1), atol=5e-3)


LARGE = """
import resource, sys
import numpy as np
from cvid.clustering.average import AverageLink
from cvid.settings import ClusteringSettings
from cvid.types import TrackSet
import faiss
vectors = np.random.default_rng(0).normal(size=(20_000, 128)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
tracks = TrackSet(vectors, vectors[:0], np.zeros(0, np.int32), np.ones(20_000, np.float32),
                  np.full(20_000, 2, np.uint8),
                  np.random.default_rng(1).integers(0, 20_000, (5_000, 2), dtype=np.int32),
                  np.full(20_000, -1, np.int32), 20_000, vectors[:0], "mobilefacenet:0")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = AverageLink(ClusteringSettings()).cluster(tracks).count
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks Unix for the memory used")
def test_twenty_thousand_strangers() -> None:
    """Seconds, and memory for the graph alone: all pairs would take 1.6 GB."""
    started = time.monotonic()
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", LARGE], cwd=root, capture_output=True, text=True, check=True)
    count, grown_kb = map(int, done.stdout.split())
    assert count > 19_800 and time.monotonic() - started < 60
    assert grown_kb < 400_000 * (1024 if sys.platform == "darwin" else 1)

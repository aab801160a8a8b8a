"""From tracks to people: ids that stay, who may not be one person, and how sure a guess is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import analysis, painted_settings, sha_of, track, track_analysis, unit
from hypothesis import given
from hypothesis import strategies as st

from archive.catalogue import Catalogue
from archive.decisions.carrying_out import decide_in
from archive.decisions.verbs import name as name_somebody
from archive.found import Found, Stamp
from archive.records import Appearance
from archive.sorting.matching import match, overlapping
from archive.sorting.settle import settle
from cvid.types import Floats

RED, GREEN, BLUE = unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)
SETTINGS = painted_settings()
MODELS = {"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    made = Catalogue.create_or_open(tmp_path)
    made.settle_models(MODELS)
    made.start_run({})
    return made


def add(
    catalogue: Catalogue, name: str, *people: Floats | None, start_s: float = 0, length_s: float = 5, **more: float
) -> None:
    """A video in which each of `people` is seen for a while, all at once."""
    seen = [track_analysis(track(start_s, start_s + length_s, x=60.0 * i, **more), who) for i, who in enumerate(people)]
    catalogue.record([Found("/footage", name, Stamp(1, 2, 3), sha_of(name), None)])
    catalogue.save(1, analysis(sha_of(name), seen))


def who(catalogue: Catalogue) -> dict[str, list[str]]:
    """Video → identities, by their place from the left."""
    found: dict[str, list[str]] = {}
    for a in sorted(catalogue.appearances(), key=lambda a: (a.video, a.x1, a.start_s)):
        found.setdefault(a.video, []).append(a.identity)
    return found


def by_video(catalogue: Catalogue) -> dict[str, Appearance]:
    return {a.video: a for a in catalogue.appearances()}


def test_people_recur(catalogue: Catalogue) -> None:
    add(catalogue, "a", RED, GREEN)
    add(catalogue, "b", GREEN)
    add(catalogue, "c", BLUE)
    settle(catalogue, SETTINGS)
    seen = who(catalogue)
    assert seen["a"][1] == seen["b"][0] and len({*seen["a"], *seen["b"], *seen["c"]}) == 3
    assert [p.id for p in catalogue.people()] == ["P0001", "P0002", "P0003"]
    green = catalogue.person(seen["b"][0])
    assert (green.videos, green.appearances, green.screen_time_s, green.status) == (2, 2, 10, "unconfirmed")
    assert (green.first.video, green.last.video, green.last.time_s) == ("a", "b", 5)


def test_new_ids_follow_sha256_time_and_box(catalogue: Catalogue) -> None:
    names = sorted("abcdef", key=sha_of)
    for name in sorted("abcdef"):
        add(catalogue, name, {"a": RED, "b": GREEN, "c": BLUE, "d": -RED, "e": -GREEN, "f": -BLUE}[name])
    settle(catalogue, SETTINGS)
    assert [who(catalogue)[name][0] for name in names] == [f"P000{i + 1}" for i in range(6)]


def test_ids_stay_when_footage_is_added_and_are_never_given_again(catalogue: Catalogue) -> None:
    add(catalogue, "a", RED, GREEN)
    settle(catalogue, SETTINGS)
    before = who(catalogue)["a"]
    for name in "bcdefgh":
        add(catalogue, name, BLUE, RED, GREEN)
    settle(catalogue, SETTINGS)
    assert who(catalogue)["a"] == before
    assert all(seen[1:] == before for name, seen in who(catalogue).items() if name != "a")
    for name in "bcdefgh":
        catalogue.save(1, analysis(sha_of(name), []))
    settle(catalogue, SETTINGS)
    assert [p.id for p in catalogue.people()] == ["P0001", "P0002"], "P0003 is dissolved"
    add(catalogue, "i", BLUE)
    settle(catalogue, SETTINGS)
    assert who(catalogue)["i"] == ["P0004"]


def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    answers = []
    for order in ("abcd", "dbca"):
        with Catalogue.create_or_open(tmp_path / order) as catalogue:
            catalogue.settle_models(MODELS)
            catalogue.start_run({})
            catalogue.record([Found("/footage", name, Stamp(1, 2, 3), sha_of(name), None) for name in "abcd"])
            for name in order:
                add(catalogue, name, RED if name in "ac" else GREEN, BLUE)
            settle(catalogue, SETTINGS)
            answers.append((list(catalogue.appearances()), catalogue.people()))
    assert answers[0] == answers[1]


def test_what_a_human_named_is_never_dissolved(catalogue: Catalogue) -> None:
    add(catalogue, "a", RED)
    add(catalogue, "b", GREEN)
    settle(catalogue, SETTINGS)
    named, other = who(catalogue)["a"][0], who(catalogue)["b"][0]
    decide_in(catalogue, SETTINGS, lambda c: name_somebody(c, named, "Jane"))
    for name in "ab":
        catalogue.save(1, analysis(sha_of(name), []))
    settle(catalogue, SETTINGS)
    (jane,) = catalogue.people()
    assert (jane.id, jane.name, jane.appearances, jane.first.video) == (named, "Jane", 0, "")
    assert other != named


def test_two_faces_in_one_frame_are_never_one_identity(catalogue: Catalogue) -> None:
    add(catalogue, "twins", RED, RED, RED)
    settle(catalogue, SETTINGS)
    assert len(set(who(catalogue)["twins"])) == 3


def test_who_is_nobody_and_why(catalogue: Catalogue) -> None:
    add(catalogue, "good", RED)
    add(catalogue, "short-known", RED, length_s=0.4)
    add(catalogue, "short", GREEN, length_s=0.4)
    add(catalogue, "poor", BLUE, quality=0.03)
    add(catalogue, "faceless", None)
    settle(catalogue, SETTINGS)
    seen = by_video(catalogue)
    assert seen["short-known"].identity == seen["good"].identity == "P0001"
    assert {name: a.reason for name, a in seen.items()} == {
        "good": "",
        "short-known": "",
        "short": "too short, and nobody similar",
        "poor": "not clear enough, and nobody similar",
        "faceless": "no clear face",
    }
    assert catalogue.status().unassigned == 3


def test_how_sure(catalogue: Catalogue) -> None:
    add(catalogue, "a", unit(1, 0.2, 0), GREEN)
    add(catalogue, "b", unit(1, -0.2, 0))
    settle(catalogue, SETTINGS)
    red = next(a for a in catalogue.appearances() if a.video == "b")
    cosine = float(unit(1, 0.2, 0) @ unit(1, -0.2, 0))
    assert red.similarity == pytest.approx(cosine, abs=1e-5) and red.support == 1
    assert red.margin == pytest.approx(cosine - float(unit(1, -0.2, 0) @ GREEN), abs=1e-5)
    green = next(a for a in catalogue.appearances() if a.video == "a" and a.x1 > 0)
    assert (green.similarity, green.margin, green.support) == (None, None, 0)


def test_settling_twice_changes_nothing_and_settings_do(catalogue: Catalogue) -> None:
    add(catalogue, "a", unit(1, 0.5, 0))
    add(catalogue, "b", unit(1, -0.5, 0))
    settle(catalogue, painted_settings(clustering={"bar": 0.9}))
    apart = list(catalogue.appearances())
    assert len(catalogue.people()) == 2
    catalogue.set_fact("settled", "")
    settle(catalogue, painted_settings(clustering={"bar": 0.9}))
    assert list(catalogue.appearances()) == apart
    settle(catalogue, painted_settings(clustering={"bar": 0.3}))
    assert [p.appearances for p in catalogue.people()] == [2]


def test_vectors_of_another_model_are_never_clustered(catalogue: Catalogue) -> None:
    add(catalogue, "a", RED)
    catalogue.record([Found("/footage", "b", Stamp(1, 2, 3), sha_of("b"), None)])
    catalogue.save(1, analysis(sha_of("b"), [track_analysis(track(0, 5), RED, model="others:1")]))
    settle(catalogue, SETTINGS)
    assert who(catalogue) == {"a": ["P0001"], "b": [""]}


def test_an_empty_archive(catalogue: Catalogue) -> None:
    settle(catalogue, SETTINGS)
    assert catalogue.people() == [] and list(catalogue.appearances()) == []


def labels(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_the_larger_part_keeps_the_id() -> None:
    assert match(labels(0, 0, 1), labels(0, 0, 0), 2).tolist() == [0, -1], "split: the larger part"
    assert match(labels(0, 0, 0), labels(0, 1, 1), 2).tolist() == [1], "merge: the larger part"
    assert match(labels(0, 0, 1, 1), labels(0, 1, 1, 1), 2).tolist() == [0, 1]
    assert match(labels(0, 1, -1), labels(-1, -1, 0), 2).tolist() == [-1, -1]
    assert match(labels(), labels(), 2).tolist() == []


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=40))
def test_no_id_is_given_twice(tracks: list[tuple[int, int]]) -> None:
    before = labels(*(b for _, b in tracks))
    used = {label: i for i, label in enumerate(sorted({c for c, _ in tracks if c >= 0}))}
    taken = match(labels(*(used.get(c, -1) for c, _ in tracks)), before, 6)
    given_out = [t for t in taken.tolist() if t >= 0]
    assert len(given_out) == len(set(given_out)) and len(taken) == len(used)


spans = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 3)), max_size=25)


@given(spans)
def test_overlaps_are_those_of_the_definition(tracks: list[tuple[int, int, int]]) -> None:
    video, start, end = (
        labels(*(v for v, _, _ in tracks)),
        [s / 8 for _, s, _ in tracks],
        [(s + d) / 8 for _, s, d in tracks],
    )
    expected = [
        [i, j]
        for i in range(len(tracks))
        for j in range(i + 1, len(tracks))
        if video[i] == video[j] and start[i] <= end[j] and start[j] <= end[i]
    ]
    assert overlapping(video, np.array(start, np.float64), np.array(end, np.float64)).tolist() == expected

"""Faces become tracks: on boxes that move by known rules, with looks that are the same or not at all alike."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from cvid.align import ARCFACE_POINTS
from cvid.assignment import cheapest
from cvid.kalman import BoxFilter
from cvid.opencv import cv2
from cvid.settings import FaceSettings, TrackingSettings
from cvid.tracking import OpenTrack, Tracker, look_of
from cvid.types import FaceChip, Faces, Track

SIDE = 40.0
STEP_S = 0.25


@dataclass(frozen=True)
class Seen:
    """A face: who (their look), the middle of the box, and what the detector and `judge` make of it."""

    who: int
    x: float
    y: float = 100.0
    score: float = 0.9
    quality: float = 0.5


def chip_of(who: int, noise: int = 0) -> FaceChip:
    """A face of 112 px; of one person always alike, of two never."""
    coarse = np.random.default_rng(who).integers(0, 255, (7, 7, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC).astype(int)
    picture += np.random.default_rng(noise).integers(-15, 16, picture.shape)
    box = np.array([0, 0, 112, 112], np.float32)
    return FaceChip(np.clip(picture, 0, 255).astype(np.uint8), box, ARCFACE_POINTS, 1.0)


def faces_of(seen: Sequence[Seen]) -> Faces:
    n = len(seen)
    middle = np.array([(s.x, s.y) for s in seen], np.float32).reshape(n, 2)
    return Faces(
        np.hstack([middle - SIDE / 2, middle + SIDE / 2]),
        np.array([s.score for s in seen], np.float32),
        np.repeat(middle[:, None], 5, axis=1),
        np.ones(n, np.uint8),
    )


def follow(shot: Sequence[Sequence[Seen]], times: Sequence[float] | None = None, **changes: Any) -> list[Track]:
    """The tracks of a shot, given frame by frame, in the order in which they began."""
    return [track.as_track() for track in follow_open(shot, times, FaceSettings(), **changes)]


def follow_open(
    shot: Sequence[Sequence[Seen]], times: Sequence[float] | None, faces: FaceSettings, **changes: Any
) -> list[OpenTrack]:
    tracker = Tracker(TrackingSettings(**changes), faces)
    ended = []
    for i, seen in enumerate(shot):
        time_s = times[i] if times else i * STEP_S
        quality = np.array([s.quality for s in seen], np.float32)
        ended += tracker.update(time_s, i, faces_of(seen), [chip_of(s.who, i) for s in seen], quality)
    ended += tracker.end_shot()
    assert tracker.end_shot() == []
    return sorted(ended, key=lambda t: (t.sightings[0].time_s, t.sightings[0].xyxy[0]))


def middles(track: Track) -> list[float]:
    return ((track.xyxy[:, 0] + track.xyxy[:, 2]) / 2).round(3).tolist()


def test_looks_tell_people_apart() -> None:
    assert look_of(chip_of(1, 1)) @ look_of(chip_of(1, 2)) > 0.9
    assert look_of(chip_of(1)) @ look_of(chip_of(2)) < 0.3
    flat = FaceChip(np.full((112, 112, 3), 9, np.uint8), np.zeros(4, np.float32), ARCFACE_POINTS, 1.0)
    assert look_of(flat).tolist() == [0.0] * 144


def test_nobody() -> None:
    assert follow([]) == [] and follow([[], [], []]) == []


def test_one_face_is_one_track() -> None:
    (track,) = follow([[Seen(1, 100 + 5 * i, quality=0.1 * i)] for i in range(8)])
    assert middles(track) == [100 + 5 * i for i in range(8)]
    assert track.time_s.tolist() == [i * STEP_S for i in range(8)] and track.frame_index.tolist() == list(range(8))
    assert track.best == 7 and track.quality.tolist() == pytest.approx([0.1 * i for i in range(8)])


def test_two_faces_side_by_side_are_two_tracks() -> None:
    tracks = follow([[Seen(1, 100), Seen(2, 150)] for _ in range(6)])
    assert [middles(t) for t in tracks] == [[100] * 6, [150] * 6]


def test_the_order_of_the_detections_does_not_matter() -> None:
    tracks = follow([[Seen(1, 100), Seen(2, 150)][:: 1 if i % 2 else -1] for i in range(6)])
    assert [middles(t) for t in tracks] == [[100] * 6, [150] * 6]


@pytest.mark.parametrize("step_px", [8, 15])
def test_crossing_faces_keep_their_tracks(step_px: int) -> None:
    """They walk through each other; in the middle both stand at nearly one place."""
    n = 200 // step_px
    shot = [[Seen(1, 100 + step_px * i, 100), Seen(2, 300 - step_px * i, 106)] for i in range(n)]
    tracks = follow(shot)
    assert [middles(t) for t in tracks] == [
        [100 + step_px * i for i in range(n)],
        [300 - step_px * i for i in range(n)],
    ]


def test_a_face_hidden_behind_another_comes_back_to_its_track() -> None:
    shot = [[Seen(1, 100 + 10 * i)] + ([Seen(2, 200, 104)] if i not in (9, 10, 11) else []) for i in range(20)]
    tracks = follow(shot)
    assert [len(t) for t in tracks] == [20, 17] and set(middles(tracks[1])) == {200}


def test_a_gap_is_bridged_up_to_its_length() -> None:
    for missing, count in ((4, 1), (5, 1), (6, 2), (12, 2)):
        shot = [[Seen(1, 100)]] * 4 + [[]] * missing + [[Seen(1, 100)]] * 4
        tracks = follow(shot, max_gap_s=1.5)
        assert len(tracks) == count, f"{(missing + 1) * STEP_S} s between two sightings"
        assert sum(len(t) for t in tracks) == 8


def test_who_moves_on_during_a_gap_is_found_where_expected() -> None:
    shot: list[list[Seen]] = [[Seen(1, 100 + 12 * i)] if i not in (6, 7, 8) else [] for i in range(14)]
    (track,) = follow(shot)
    assert len(track) == 11


def test_ended_tracks_come_back_at_once() -> None:
    tracker = Tracker(TrackingSettings(max_gap_s=1), FaceSettings())
    tracker.update(0, 0, faces_of([Seen(1, 100)]), [chip_of(1)], np.ones(1, np.float32))
    nobody = (Faces.empty(), [], np.zeros(0, np.float32))
    assert tracker.update(0.9, 1, *nobody) == []
    (ended,) = tracker.update(1.1, 2, *nobody)
    assert len(ended.sightings) == 1 and tracker.end_shot() == []


def test_a_cut_ends_all_tracks() -> None:
    tracker = Tracker(TrackingSettings(), FaceSettings())
    seen, chips, quality = faces_of([Seen(1, 100)]), [chip_of(1)], np.ones(1, np.float32)
    tracker.update(0, 0, seen, chips, quality)
    (before,) = tracker.end_shot()
    tracker.update(0.04, 1, seen, chips, quality)
    (after,) = tracker.end_shot()
    assert before is not after and len(before.sightings) == len(after.sightings) == 1


def test_faint_faces_extend_a_track_and_never_start_one() -> None:
    assert follow([[Seen(1, 100, score=0.4)] for _ in range(5)]) == []
    scores = [0.4, 0.4, 0.9, 0.3, 0.2, 0.9, 0.4]
    (track,) = follow([[Seen(1, 100, score=s)] for s in scores])
    assert track.score.tolist() == pytest.approx(scores[2:])


def test_a_clear_face_is_matched_before_a_faint_one() -> None:
    shot = [[Seen(1, 100)]] * 3 + [[Seen(1, 100, score=0.3), Seen(1, 104)]]
    (track,) = follow(shot)
    assert middles(track) == [100, 100, 100, 104]


def test_a_faint_face_that_nobody_expects_is_dropped() -> None:
    (track,) = follow([[Seen(1, 100), Seen(2, 300, score=0.45)] for _ in range(4)])
    assert set(middles(track)) == {100}


def test_faces_that_swap_places_across_a_missed_cut_are_new_tracks() -> None:
    """Nothing says that a shot ended; the looks do."""
    shot = [[Seen(1, 100), Seen(2, 300)]] * 4 + [[Seen(2, 100), Seen(1, 300)]] * 4
    tracks = follow(shot)
    assert [(middles(t), t.time_s[0]) for t in tracks] == [
        ([100] * 4, 0),
        ([300] * 4, 0),
        ([100] * 4, 1),
        ([300] * 4, 1),
    ]


def test_neighbours_that_swap_places_are_followed() -> None:
    """Heads so close that each box still overlaps the other's: the look decides."""
    shot = [[Seen(1, 100), Seen(2, 118)]] * 4 + [[Seen(2, 100), Seen(1, 118)]] * 4
    assert [middles(t) for t in follow(shot)] == [[100] * 4 + [118] * 4, [118] * 4 + [100] * 4]


def test_somebody_else_at_the_same_place_is_another_track() -> None:
    tracks = follow([[Seen(1, 100)]] * 3 + [[Seen(2, 100)]] * 3)
    assert [len(t) for t in tracks] == [3, 3]


def test_a_leap_is_no_track() -> None:
    """The same look at the other end of the picture: twins, a mirror, a screen."""
    tracks = follow([[Seen(1, 100)]] * 3 + [[Seen(1, 500)]] * 3)
    assert [len(t) for t in tracks] == [3, 3]


@st.composite
def crowds(draw: st.DrawFn) -> list[list[Seen]]:
    """Frames with faces anywhere, of few people, some of them faint."""
    face = st.builds(
        Seen,
        who=st.integers(0, 2),
        x=st.floats(0, 200),
        y=st.floats(90, 110),
        score=st.floats(0.05, 1),
        quality=st.floats(0, 1),
    )
    return draw(st.lists(st.lists(face, max_size=4), max_size=10))


@examples(max_examples=80, deadline=None)
@given(shot=crowds(), steps=st.lists(st.floats(0.01, 3), min_size=10, max_size=10))
def test_what_always_holds(shot: list[list[Seen]], steps: list[float]) -> None:
    """Each clear face is in exactly one track, each faint one in at most one; a track sees one face a frame."""
    times = np.cumsum(steps).tolist()
    tracks = follow(shot, times)
    used = [(int(i), *box) for t in tracks for i, box in zip(t.frame_index, t.xyxy.tolist(), strict=True)]
    given_faces = [(i, *box) for i, seen in enumerate(shot) for box in faces_of(seen).xyxy.tolist()]
    clear = [
        (i, *box)
        for i, seen in enumerate(shot)
        for s, box in zip(seen, faces_of(seen).xyxy.tolist(), strict=True)
        if np.float32(s.score) >= 0.5
    ]
    for face in {*used, *clear}:
        assert clear.count(face) <= used.count(face) <= given_faces.count(face)
    for t in tracks:
        assert (np.diff(t.time_s) > 0).all() and (np.diff(t.frame_index) > 0).all()
        assert (np.diff(t.time_s) <= 1.5 + 1e-9).all() and t.score[0] >= 0.5
        assert t.time_s.tolist() == [times[i] for i in t.frame_index]


def test_of_a_long_track_only_the_best_chips_stay_in_memory() -> None:
    qualities = np.random.default_rng(0).permutation(1200) / 1200
    tracker, chip = Tracker(TrackingSettings(), FaceSettings(exemplars=5)), chip_of(1)
    seen = faces_of([Seen(1, 100)])
    held = 0
    tracemalloc.start()
    for i, quality in enumerate(qualities):
        own = FaceChip(chip.bgr.copy(), chip.xyxy, chip.landmarks, 1.0)
        tracker.update(i * STEP_S, i, seen, [own], np.array([quality], np.float32))
        if i == 100:
            held = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    (track,) = tracker.end_shot()
    assert len(track.sightings) == 1200 and grown / 1100 < 2000, "bytes a face, of which a chip has 37,632"
    with_chip = [s for s in track.sightings if s.chip is not None]
    assert sorted(s.quality for s in with_chip) == pytest.approx(sorted(qualities)[-5:])
    assert {id(s) for s in track.best} == {id(s) for s in with_chip}


def test_of_equals_the_earlier_chips_stay() -> None:
    (track,) = follow_open([[Seen(1, 100)]] * 8, None, FaceSettings(exemplars=3, apart_s=0))
    assert [s.frame_index for s in track.best] == [0, 1, 2]


def test_equally_good_faces_are_kept_from_all_over_the_track() -> None:
    (track,) = follow_open([[Seen(1, 100)]] * 40, None, FaceSettings(exemplars=3))
    first, second, third = sorted(s.frame_index for s in track.best)
    assert second - first > 5 and third - second > 5


def test_pictures_of_all_faces_are_kept_where_asked_for() -> None:
    for keep, wanted in (("all", True), ("best", False), ("exemplars", False)):
        (track,) = follow_open([[Seen(1, 100)]] * 8, None, FaceSettings(keep=keep, exemplars=3))
        assert [bool(s.picture) for s in track.sightings] == [wanted] * 8


def test_who_was_seen_last_is_held_where_he_was() -> None:
    tracker = Tracker(TrackingSettings(), FaceSettings(keep="all"))
    for i, seen in enumerate(([Seen(1, 100), Seen(2, 200)], [Seen(1, 110)])):
        chips = [chip_of(s.who, i) for s in seen]
        tracker.update(i, i, faces_of(seen), chips, np.full(len(seen), 0.5, np.float32))
    for i in (2, 3):
        tracker.hold(i, i)
    assert tracker.visible() == [1]
    (lost,) = tracker.update(4, 4, faces_of([Seen(1, 110)]), [chip_of(1)], np.full(1, 0.5, np.float32))
    (held,) = tracker.end_shot()
    assert middles(held.as_track()) == [100, 110, 110, 110, 110] and held.as_track().time_s.tolist() == [0, 1, 2, 3, 4]
    assert held.as_track().frame_index.tolist() == [0, 1, 2, 3, 4]
    assert middles(lost.as_track()) == [200], "who was not seen at the last look is not held"
    assert [s.time_s for s in held.best] == [0, 1, 4], "what was not looked at has no picture"
    assert [bool(s.picture) for s in held.sightings] == [True, True, False, False, True]


def test_the_filter_learns_how_a_face_moves() -> None:
    box = np.array([0, 0, 40, 40], np.float32)
    follower = BoxFilter(box)
    for i in range(1, 9):
        follower.predict(STEP_S)
        follower.correct(box + np.float32([10 * i, 0, 10 * i, 0]))
    assert follower.predict(STEP_S)[[0, 2]] == pytest.approx([90, 130], abs=3)
    assert follower.predict(1.0)[[0, 2]] == pytest.approx([130, 170], abs=8)


def test_the_filter_takes_any_step_and_any_box() -> None:
    follower = BoxFilter(np.zeros(4, np.float32))
    for step_s in (0.0, 1e-3, 10.0, 1e4):
        expected = follower.predict(step_s)
        assert np.isfinite(expected).all() and (expected[2:] > expected[:2]).all()
        follower.correct(np.array([5, 5, 5, 5], np.float32))


@examples(max_examples=200, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_the_cheapest_assignment_is_the_hungarian_one(rows: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = random.uniform(-1, 3, (rows, columns)).astype(np.float32)
    allowed = random.random((rows, columns)) < random.choice([0.3, 0.7, 1.0])
    found = cheapest(cost, allowed)
    at, to = linear_sum_assignment(np.where(allowed, cost, 1e3))
    best = [(r, c) for r, c in zip(at.tolist(), to.tolist(), strict=True) if allowed[r, c]]
    assert len({r for r, _ in found}) == len({c for _, c in found}) == len(found) == len(best)
    assert all(allowed[pair] for pair in found) and found == sorted(found)
    assert sum(cost[pair] for pair in found) == pytest.approx(sum(cost[pair] for pair in best), abs=1e-5)

"""Which frames are analysed, and why: on painted pictures whose motion, cuts and light are known."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import BLUE, LEFT, MIDDLE, RED, Shot, painted_settings, write_video
from fakes import open_fakes

from cvid.analyse import analyse
from cvid.explain import explain
from cvid.frames import KEPT, SKIPPED, Decision, FrameSelector
from cvid.motion import MotionMeter
from cvid.opencv import cv2
from cvid.settings import SelectionSettings
from cvid.types import Bytes, Frame

WIDTH, HEIGHT, RATE = 320, 180, 25


def scene(seed: int = 0, width: int = 3 * WIDTH) -> Bytes:
    """A soft, structured background, wider than the picture, uint8 (h, w)."""
    random = np.random.default_rng(seed)
    small = random.integers(40, 215, (HEIGHT // 12, width // 12), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def still(seconds: float, background: Bytes) -> list[Bytes]:
    return [background[:, :WIDTH]] * round(seconds * RATE)


def pan(seconds: float, background: Bytes, px_a_frame: float) -> list[Bytes]:
    """The camera turns: the picture moves by fractions of a px."""
    frames = []
    for i in range(round(seconds * RATE)):
        shift = np.array([[1, 0, -i * px_a_frame], [0, 1, 0]], np.float32)
        frames.append(np.asarray(cv2.warpAffine(background, shift, (WIDTH, HEIGHT)), np.uint8))
    return frames


def faded(frames: Sequence[Bytes], start: float, end: float) -> list[Bytes]:
    return [
        (frame * share).astype(np.uint8)
        for frame, share in zip(frames, np.linspace(start, end, len(frames)), strict=True)
    ]


def decide(pictures: Sequence[Bytes], rate: float = RATE, **changes: Any) -> list[Decision]:
    """The selector's decisions; its counts must add up to the frames it saw."""
    selector = FrameSelector(SelectionSettings(**changes))
    frames = [Frame(i, i / rate, luma, lambda: np.zeros((1, 1, 3), np.uint8)) for i, luma in enumerate(pictures)]
    decided = list(selector.select(frames))
    assert [frame for frame, _ in decided] == frames
    decisions = [decision for _, decision in decided]
    counts = selector.counts()
    assert counts.decoded == len(pictures) == sum(counts.reasons.values())
    assert counts.reasons == {r: Counter(d.reason for d in decisions)[r] for r in KEPT + SKIPPED}
    assert all(d.keep == (d.reason in KEPT) for d in decisions)
    return decisions


def kept_at(decisions: Sequence[Decision], rate: float = RATE) -> list[float]:
    return [round(i / rate, 2) for i, d in enumerate(decisions) if d.keep]


def test_nothing_is_decided_on_nothing() -> None:
    assert decide([]) == []


def test_a_still_scene_is_looked_at_first_last_and_now_and_then() -> None:
    decisions = decide(still(3.5, scene()), same_s=0)
    assert kept_at(decisions) == [0, 1, 2, 3, 3.48]
    assert [d.reason for d in decisions if d.keep] == ["cut", "floor", "floor", "floor", "end"]
    assert {d.reason for d in decisions if not d.keep} == {"still", "soon"}
    assert all(d.reason == "soon" for d in decisions[1:6]) and decisions[6].reason == "still"
    assert max(d.flow for d in decisions) < 1e-3 and not any(d.hold for d in decisions)


def test_the_floor_is_a_setting() -> None:
    assert kept_at(decide(still(3, scene()), floor_s=0.5, same_s=0)) == [0, 0.52, 1.04, 1.56, 2.08, 2.6, 2.96]


def test_where_nothing_changes_faces_are_held_instead_of_looked_at() -> None:
    decisions = decide(still(12.5, scene()))
    assert kept_at(decisions) == [0, 1, 6, 11], "twice, and then every `same_s`"
    assert held_at(decisions) == [2, 3, 4, 5, 7, 8, 9, 10, 12, 12.44], "until the end of the shot"
    assert kept_at(decide(still(12.5, scene()), same_s=2)) == [0, 1, 3, 5, 7, 9, 11]


def held_at(decisions: Sequence[Decision]) -> list[float]:
    assert not any(d.hold and (d.keep or d.reason != "still") for d in decisions)
    return [round(i / RATE, 2) for i, d in enumerate(decisions) if d.hold]


@pytest.mark.parametrize("side", [6, 12, 40])
def test_who_comes_into_a_still_scene_is_looked_at(side: int) -> None:
    """However far away: 6 px of 320 are the head of somebody in a crowd."""
    without, scenery = still(4, scene()), scene()[:, :WIDTH].copy()
    scenery[80 : 80 + side, 150 : 150 + side] = np.where(scenery[80 : 80 + side, 150 : 150 + side] > 127, 20, 235)
    decisions = decide([*without, *[scenery] * 75])
    assert kept_at(decisions)[:3] == [0, 1, 4], "at once, since a look was due"
    assert decisions[100].reason == "floor" and not any(d.cut for d in decisions[1:])
    assert held_at(decisions) == [2, 3, 6, 6.96], "and again once that does not change either"


def test_noise_and_a_slow_fade_in_a_still_scene() -> None:
    random = np.random.default_rng(0)
    noisy = [np.clip(p + random.normal(0, 4, p.shape), 0, 255).astype(np.uint8) for p in still(5, scene())]
    assert kept_at(decide(noisy)) == [0, 1], "a sensor's noise is no change"
    assert len(kept_at(decide(faded(still(5, scene()), 1, 0.7)))) >= 5, "since the last look, not the last frame"


def test_motion_is_looked_at_as_often_as_allowed() -> None:
    decisions = decide(pan(2, scene(), px_a_frame=4))
    assert [d.reason for d in decisions if d.keep][1:-1] == ["motion"] * (sum(d.keep for d in decisions) - 2)
    assert kept_at(decisions)[:4] == [0, 0.24, 0.48, 0.72]
    assert {d.reason for d in decisions if not d.keep} == {"soon"}
    assert kept_at(decide(pan(2, scene(), px_a_frame=4), min_gap_s=0.6))[:3] == [0, 0.6, 1.2]


def test_a_slow_pan_accumulates() -> None:
    """A third of a px from frame to frame looks still; since the last look it is not."""
    pictures = pan(3, scene(), px_a_frame=0.35)
    between = [MotionMeter().between(*(shrunk(p) for p in pair)) for pair in itertools.pairwise(pictures)]
    assert max(between) < 0.005, "no single step is motion"
    decisions = decide(pictures, floor_s=100)
    moved = [i / RATE for i, d in enumerate(decisions) if d.reason == "motion"]
    assert 2 <= len(moved) <= 6 and all(d.flow >= 0.02 for d in decisions if d.reason == "motion")
    assert not any(d.cut for d in decisions[1:])


def shrunk(picture: Bytes) -> Bytes:
    return np.asarray(cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA), np.uint8)


def test_flow_is_told_in_picture_widths() -> None:
    background = scene()
    before, after = (shrunk(background[:, x : x + WIDTH]) for x in (0, 16))
    assert MotionMeter().between(before, after) == pytest.approx(16 / WIDTH, rel=0.15)
    assert MotionMeter().between(before, before) < 1e-3


def test_a_small_face_that_moves_is_motion() -> None:
    """A person of a fifth of the picture's height, before a wall."""
    wall, face = np.full((HEIGHT, WIDTH), 120, np.uint8), scene(3, 120)[:60, :50]
    pictures = []
    for i in range(RATE):
        picture = wall.copy()
        picture[60:120, 40 + 3 * i : 90 + 3 * i] = face
        pictures.append(picture)
    assert any(d.reason == "motion" for d in decide(pictures, floor_s=100))


def test_hard_cuts_are_found_and_start_a_look() -> None:
    shots = [scene(seed) for seed in range(4)]
    decisions = decide([p for shot in shots for p in still(1, shot)])
    assert [i for i, d in enumerate(decisions) if d.cut] == [0, 25, 50, 75]
    assert all(decisions[i].reason == "cut" for i in (0, 25, 50, 75))
    assert all(decisions[i].reason == "end" for i in (24, 49, 74, 99)), "until when somebody was there"


def test_cuts_between_moving_shots_are_found() -> None:
    pictures = [p for seed in range(3) for p in pan(1, scene(seed), px_a_frame=3)]
    assert [i for i, d in enumerate(decide(pictures)) if d.cut] == [0, 25, 50]


def test_a_cut_to_black_and_back() -> None:
    pictures = [*still(1, scene()), *[np.zeros((HEIGHT, WIDTH), np.uint8)] * 25, *still(1, scene(1))]
    decisions = decide(pictures)
    assert [i for i, d in enumerate(decisions) if d.cut] == [0, 25, 50]
    assert all(d.reason == "dark" for d in decisions[25:50]) and decisions[50].reason == "cut"


def test_a_fade_is_no_cut() -> None:
    decisions = decide([*faded(still(1, scene()), 1, 0), *faded(still(1, scene()), 0, 1)])
    assert [i for i, d in enumerate(decisions) if d.cut] == [0]


@pytest.mark.parametrize("px_a_frame", [1, 3, 8, 15])
def test_pans_of_any_speed_are_no_cuts(px_a_frame: int) -> None:
    """The camera comes from rest, swings and stops."""
    speed = px_a_frame * np.interp(range(45), [0, 10, 35, 45], [0, 1, 1, 0])
    background = scene(width=WIDTH + 45 * 15)
    pictures = [background[:, x : x + WIDTH] for x in np.cumsum(speed).astype(int)]
    decisions = decide(pictures)
    assert [i for i, d in enumerate(decisions) if d.cut] == [0]
    assert "motion" in {d.reason for d in decisions}


def test_a_flash_is_one_cut_at_most() -> None:
    pictures = still(2, scene())
    pictures[25] = np.full((HEIGHT, WIDTH), 250, np.uint8)
    assert sum(d.cut for d in decide(pictures)[1:]) <= 1
    pictures[25] = np.minimum(scene()[:, :WIDTH].astype(int) + 60, 255).astype(np.uint8)
    assert not any(d.cut for d in decide(pictures)[1:]), "a weak one leaves the picture recognisable"


def test_noise_is_no_cut() -> None:
    random = np.random.default_rng(0)
    pictures = [np.clip(p + random.normal(0, 12, p.shape), 0, 255).astype(np.uint8) for p in still(1, scene())]
    assert not any(d.cut for d in decide(pictures)[1:])


def test_dark_frames_are_skipped_and_dim_ones_kept() -> None:
    dark, dim = faded(still(2, scene()), 0.1, 0.1), faded(still(2, scene()), 0.35, 0.35)
    assert {d.reason for d in decide(dark)} == {"dark"}
    decisions = decide(dim)
    assert "dark" not in {d.reason for d in decisions} and decisions[0].reason == "cut" and decisions[0].luma < 90
    assert not {"dark"} & {d.reason for d in decide(dark, brightness=False)}


def test_a_lit_face_in_the_dark_is_looked_at() -> None:
    picture = np.full((HEIGHT, WIDTH), 8, np.uint8)
    picture[40:80, 100:130] = 120
    assert decide([picture] * 3)[0].reason == "cut"


def test_when_the_light_goes_on_the_first_bright_frame_is_looked_at() -> None:
    decisions = decide([*faded(still(1, scene()), 0.05, 0.05), *faded(still(1, scene()), 0.05, 1)])
    first = next(i for i, d in enumerate(decisions) if d.keep)
    assert decisions[first].reason == "cut" and all(d.reason == "dark" for d in decisions[:first]) and first > 25


def test_without_flow_time_alone_decides() -> None:
    decisions = decide(still(2, scene()), flow=False)
    assert kept_at(decisions) == [0, 0.24, 0.48, 0.72, 0.96, 1.2, 1.44, 1.68, 1.92]
    assert {d.reason for d in decisions} == {"cut", "floor", "soon"} and max(d.flow for d in decisions) == 0


def test_a_fixed_rate_decides_alone() -> None:
    dark = [np.zeros((HEIGHT, WIDTH), np.uint8)] * 50
    decisions = decide([*still(2, scene()), *dark], fixed_rate_hz=5)
    assert kept_at(decisions) == [round(i * 0.2, 2) for i in range(20)]
    assert {d.reason for d in decisions} == {"floor", "soon"}
    assert [i for i, d in enumerate(decisions) if d.cut] == [0, 50], "tracks still end at a cut"
    assert kept_at(decide(still(1, scene()), fixed_rate_hz=100)) == [i / 25 for i in range(25)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (17, 3), (2000, 20)])
def test_pictures_of_any_shape(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    decisions = decide([random.integers(0, 255, shape, dtype=np.uint8) for _ in range(30)])
    assert decisions[0].keep


def test_the_picture_may_change_its_shape() -> None:
    """A broadcast switches between 4:3 and 16:9."""
    decisions = decide([*still(1, scene()), *[scene()[:, :240]] * 25])
    assert [i for i, d in enumerate(decisions) if d.cut] == [0, 25]


def test_times_need_not_be_even() -> None:
    times = [0.0, 0.01, 0.3, 5.0, 5.01, 60.0]
    selector = FrameSelector(SelectionSettings())
    frames = [Frame(i, t, scene()[:, :WIDTH], lambda: np.zeros((1, 1, 3), np.uint8)) for i, t in enumerate(times)]
    assert [d.reason for _, d in selector.select(frames)] == ["cut", "soon", "still", "floor", "soon", "floor"]


def test_a_scene_is_decided_on_before_the_video_ends() -> None:
    """One frame is held back, no more: a camera may never end."""
    selector = FrameSelector(SelectionSettings())
    asked = []

    def camera() -> Any:
        for i in range(10):
            asked.append(i)
            yield Frame(i, i / RATE, scene()[:, :WIDTH], lambda: np.zeros((1, 1, 3), np.uint8))

    given = selector.select(camera())
    next(given)
    assert asked == [0, 1]


def test_explain_agrees_with_analyse(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "clip.mp4",
        [Shot(4, {RED: LEFT}, drift=0), Shot(1, {}, ground=3), Shot(2, {BLUE: MIDDLE}, ground=180), Shot(0.5, {})],
    )
    settings = painted_settings()
    seen = analyse(path, "abc", open_fakes(), settings)
    told = list(explain(path, open_fakes(), settings))
    assert [e.index for e in told] == list(range(75)) and seen.counts.decoded == 75
    assert seen.counts.reasons == {r: Counter(e.reason for e in told)[r] for r in KEPT + SKIPPED}
    assert seen.counts.reasons["dark"] == 10 and seen.counts.reasons["cut"] == 3
    assert seen.faces == sum(e.faces for e in told) and not any(e.faces for e in told if not e.kept)
    looked = {i for track in seen.tracks for i in track.track.frame_index.tolist()}
    assert looked == {e.index for e in told if e.tracks} > {e.index for e in told if e.faces}, "held ones too"
    assert seen.duration_s == told[-1].time_s


def test_painted_shots_are_cut_where_they_are(tmp_path: Path) -> None:
    """Through an encoder, with its noise; nobody crosses a cut."""
    path = write_video(tmp_path / "clip.mp4", [Shot(1.5, {RED: LEFT}, 60), Shot(1.5, {RED: MIDDLE}, 190)])
    tracks = analyse(path, "abc", open_fakes(), painted_settings()).tracks
    assert [(t.track.time_s[0], t.track.time_s[-1]) for t in tracks] == [(0, 1.4), (1.5, 2.9)]

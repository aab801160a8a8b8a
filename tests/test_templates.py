"""From a track's faces to exemplars, template and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import unit

from cvid.align import ARCFACE_POINTS
from cvid.kalman import BoxFilter
from cvid.opencv import cv2
from cvid.settings import FaceSettings
from cvid.templates import describe, mean_vector
from cvid.tracking import OpenTrack, Tracker
from cvid.types import Embeddings, FaceChip, Faces, Floats

BOX = np.array([0, 0, 112, 112], np.float32)


class BrightnessEmbedder:
    """A vector that turns with the brightness of a chip, and a count of how often it was called."""

    name, model, dimensions = "brightness", "brightness:0", 2

    def __init__(self) -> None:
        self.calls: list[int] = []

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        self.calls.append(len(chips))
        angles = [float(chip.bgr.mean()) / 255 * np.pi for chip in chips]
        vectors = np.array([(np.cos(a), np.sin(a)) for a in angles], np.float32).reshape(-1, 2)
        return Embeddings(vectors, self.model)


def tracked(faces: Sequence[tuple[float, int]], settings: FaceSettings) -> OpenTrack:
    """A track of faces given as (quality, brightness)."""
    from cvid.settings import TrackingSettings

    tracker = Tracker(TrackingSettings(min_likeness=-1), settings)
    one = Faces(BOX[None], np.ones(1, np.float32), ARCFACE_POINTS[None], np.ones(1, np.uint8))
    for i, (quality, brightness) in enumerate(faces):
        chip = FaceChip(np.full((112, 112, 3), brightness, np.uint8), BOX, ARCFACE_POINTS, 1.0)
        assert tracker.update(i / 4, i, one, [chip], np.array([quality], np.float32)) == []
    (track,) = tracker.end_shot()
    return track


def brightness_of(vector: Floats) -> float:
    return float(np.arctan2(vector[1], vector[0]) / np.pi * 255)


def test_the_best_faces_are_the_exemplars_best_first() -> None:
    settings = FaceSettings(exemplars=3)
    faces = [(0.1, 10), (0.9, 20), (0.5, 30), (0.9, 40), (0.7, 50)]
    (analysis,) = describe([tracked(faces, settings)], BrightnessEmbedder(), settings)
    assert [brightness_of(v) for v in analysis.exemplars.vectors] == pytest.approx([20, 40, 50], abs=0.1)
    assert len(analysis.track) == 5 and analysis.exemplars.model == analysis.template.model == "brightness:0"


def test_the_template_is_the_quality_weighted_mean() -> None:
    settings = FaceSettings()
    (analysis,) = describe([tracked([(0.2, 0), (0.8, 100)], settings)], BrightnessEmbedder(), settings)
    first, second = analysis.exemplars.vectors
    assert np.linalg.norm(analysis.template.vectors[0]) == pytest.approx(1)
    assert analysis.template.vectors[0] == pytest.approx(unit(*(0.801 * first + 0.201 * second)), abs=1e-4)


def test_all_tracks_are_embedded_in_one_call() -> None:
    settings, embedder = FaceSettings(exemplars=2), BrightnessEmbedder()
    tracks = [tracked([(0.5, b), (0.4, b), (0.3, b)], settings) for b in (10, 200, 90)]
    described = describe(tracks, embedder, settings)
    assert embedder.calls == [6]
    assert [brightness_of(a.template.vectors[0]) for a in described] == pytest.approx([10, 200, 90], abs=0.1)
    assert describe([], embedder, settings) == []


def test_faces_too_poor_are_not_embedded_and_still_tracked() -> None:
    settings = FaceSettings(min_quality=0.4)
    tracks = [tracked([(0.3, 10), (0.2, 10)], settings), tracked([(0.3, 10), (0.6, 60)], settings)]
    poor, mixed = describe(tracks, BrightnessEmbedder(), settings)
    assert (len(poor.track), len(poor.exemplars), len(poor.template), len(poor.pictures)) == (2, 0, 0, 1)
    assert poor.template.model == "brightness:0"
    assert [brightness_of(v) for v in mixed.exemplars.vectors] == pytest.approx([60], abs=0.1)


def test_a_track_of_worthless_faces_has_a_mean() -> None:
    settings = FaceSettings()
    (analysis,) = describe([tracked([(0.0, 40), (0.0, 60)], settings)], BrightnessEmbedder(), settings)
    assert brightness_of(analysis.template.vectors[0]) == pytest.approx(50, abs=0.1)


def test_a_mean_of_opposites_is_the_best_face() -> None:
    """Their mean has no direction; it must not end the run."""
    opposite = Embeddings(np.array([[1, 0], [-1, 0]], np.float32), "m:0")
    assert mean_vector(opposite, np.array([0.5, 0.5], np.float32)).vectors.tolist() == [[1, 0]]
    assert mean_vector(opposite, np.array([0.2, 0.8], np.float32)).vectors.tolist() == [[-1, 0]]


def test_a_mean_of_nothing_is_nothing() -> None:
    nothing = Embeddings(np.zeros((0, 7), np.float32), "m:0")
    assert mean_vector(nothing, np.zeros(0, np.float32)).vectors.shape == (0, 7)


@pytest.mark.parametrize(("keep", "times"), [("best", [0.25]), ("exemplars", [0.25, 0.5]), ("all", [0.25, 0.5, 0.0])])
def test_pictures(keep: Any, times: list[float]) -> None:
    settings = FaceSettings(keep=keep, exemplars=2)
    (analysis,) = describe([tracked([(0.1, 10), (0.9, 200), (0.5, 90)], settings)], BrightnessEmbedder(), settings)
    assert [time_s for time_s, _ in analysis.pictures] == times
    shown = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for _, data in analysis.pictures]
    assert [float(p.mean()) for p in shown] == pytest.approx([200, 90, 10][: len(times)], abs=2)
    assert all(p.shape == (112, 112, 3) for p in shown)


def test_one_face_is_enough() -> None:
    settings = FaceSettings()
    (analysis,) = describe([tracked([(0.4, 70)], settings)], BrightnessEmbedder(), settings)
    assert np.array_equal(analysis.template.vectors, analysis.exemplars.vectors) and len(analysis.pictures) == 1


def test_an_empty_track_has_no_place() -> None:
    """A track is made with its first face, never without."""
    empty = OpenTrack(1, BoxFilter(BOX), np.zeros(144, np.float32), 0.0, BOX)
    assert len(empty.as_track()) == 0 and empty.as_track().xyxy.shape == (0, 4)


def drifted() -> OpenTrack:
    """A track of eight faces: a dark one at the left, from 1 s on a bright one at the right."""
    from cvid.settings import TrackingSettings

    tracker = Tracker(TrackingSettings(min_likeness=-1, min_overlap=0), FaceSettings(exemplars=8))
    for i in range(8):
        later = i >= 4
        box = BOX + np.float32(70 if later else 0) * np.array([1, 0, 1, 0], np.float32)
        one = Faces(box[None], np.ones(1, np.float32), ARCFACE_POINTS[None], np.ones(1, np.uint8))
        chip = FaceChip(np.full((112, 112, 3), 150 if later else 10, np.uint8), BOX, ARCFACE_POINTS, 1.0)
        tracker.update(i / 4, i, one, [chip], np.array([0.5 + i / 100], np.float32))
    (track,) = tracker.end_shot()
    return track


def test_a_track_that_drifted_onto_another_person_becomes_two() -> None:
    settings = FaceSettings(exemplars=8)
    first, second = describe([drifted()], BrightnessEmbedder(), settings)
    assert (first.track.time_s[-1], second.track.time_s[0]) == (0.75, 1.0)
    assert brightness_of(first.template.vectors[0]) == pytest.approx(10, abs=1)
    assert brightness_of(second.template.vectors[0]) == pytest.approx(150, abs=1)
    assert [t for t, _ in first.pictures] == [0.75] and [t for t, _ in second.pictures] == [1.75]
    assert len(first.crops) == len(first.exemplars) == 4


def test_a_stranger_among_the_exemplars_is_no_exemplar() -> None:
    settings = FaceSettings(exemplars=5)
    track = tracked([(0.5, 10), (0.9, 150), (0.6, 12), (0.7, 9), (0.4, 11)], settings)
    (analysis,) = describe([track], BrightnessEmbedder(), settings)
    assert len(analysis.exemplars) == len(analysis.crops) == 4 and len(analysis.track) == 5
    assert brightness_of(analysis.template.vectors[0]) == pytest.approx(10.5, abs=1.5)
    assert [t for t, _ in analysis.pictures] == [0.75], "the stranger is not the picture either"

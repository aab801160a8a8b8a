"""What every detector of the registry must do; those whose weights are not here are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cvid.detectors import DETECTORS, Detector
from cvid.models.sets import choose
from cvid.models.store import is_present
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.types import Bytes

MODEL_DIR = os.environ.get("CVID_MODEL_DIR") or str(Path(__file__).resolve().parents[3] / "shared" / "models")


@pytest.fixture(scope="module", params=DETECTORS.names())
def detector(request: pytest.FixtureRequest) -> Iterator[Detector]:
    if not is_present(request.param, MODEL_DIR):
        pytest.skip(f"no weights of {request.param}")
    yield choose(detectors=request.param, models="embedded", model_dir=MODEL_DIR).open_detector()


@pytest.fixture(scope="module")
def portrait() -> Bytes:
    """Eileen Collins, from scikit-image: one face of about 100 px, 512×512."""
    picture = cv2.imread(str(packaged_file("skimage", "data/astronaut.png")))
    return np.asarray(picture, np.uint8)


def test_finds_the_face_with_its_points(detector: Detector, portrait: Bytes) -> None:
    faces = detector.detect(portrait)
    assert len(faces) == 1
    x1, y1, x2, y2 = faces.xyxy[0]
    assert 165 < x1 < 195 and 45 < y1 < 80 and 255 < x2 < 285 and 165 < y2 < 205
    eye_left, eye_right, nose, mouth_left, mouth_right = faces.landmarks[0]
    assert eye_left[0] < nose[0] < eye_right[0] and mouth_left[0] < mouth_right[0]
    assert max(eye_left[1], eye_right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert 0.5 < faces.score[0] <= 1


def test_points_and_box_follow_the_picture(detector: Detector, portrait: Bytes) -> None:
    """A mirrored picture gives mirrored faces: the order of the points is by place in the picture, not by anatomy."""
    plain, mirrored = detector.detect(portrait), detector.detect(np.ascontiguousarray(portrait[:, ::-1]))
    back = mirrored.landmarks[0][[1, 0, 2, 4, 3]] * [-1, 1] + [portrait.shape[1] - 1, 0]
    assert np.abs(back - plain.landmarks[0]).max() < 6


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_scale_of_the_picture_scales_the_faces(detector: Detector, portrait: Bytes, factor: float) -> None:
    resized = np.asarray(cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    plain, other = detector.detect(portrait), detector.detect(resized)
    assert len(other) == 1
    assert np.abs(other.xyxy / factor - plain.xyxy).max() < 12


def test_best_score_first_and_both_of_two_faces(detector: Detector, portrait: Bytes) -> None:
    faces = detector.detect(np.hstack([portrait, cv2.GaussianBlur(portrait, (0, 0), 2)]))
    assert len(faces) == 2
    assert (np.diff(faces.score) <= 0).all()
    assert (faces.votes == 1).all()


def test_a_face_at_the_edge_may_reach_over_it(detector: Detector, portrait: Bytes) -> None:
    faces = detector.detect(np.ascontiguousarray(portrait[:, 195:]))
    assert len(faces) == 1 and faces.xyxy[0, 0] < 15


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 7), (12, 12), (11, 500), (200, 30), (33, 1999)])
@pytest.mark.parametrize("shade", [0, 119, 255])
def test_any_size_is_legal_and_nothing_is_found_in_nothing(
    detector: Detector, shape: tuple[int, int], shade: int
) -> None:
    assert len(detector.detect(np.full((*shape, 3), shade, np.uint8))) == 0


def test_noise_holds_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (360, 640, 3), np.uint8)
    assert len(detector.detect(noise)) == 0


def test_the_picture_is_not_written_to_and_the_answer_is_the_same_twice(detector: Detector, portrait: Bytes) -> None:
    frozen = portrait.copy()
    frozen.flags.writeable = False
    first, second = detector.detect(frozen), detector.detect(frozen)
    assert np.array_equal(first.xyxy, second.xyxy) and np.array_equal(first.landmarks, second.landmarks)


def test_it_says_what_it_is(detector: Detector) -> None:
    assert detector.name in DETECTORS.names()
    assert len(detector.weights) == 12 and int(detector.weights, 16) >= 0

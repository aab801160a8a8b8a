"""Alignment: the similarity transform is the best one, and crops show the landmarks where models expect them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvid.align import ARCFACE_POINTS, arcface_crop, similarity_transform
from cvid.opencv import cv2
from cvid.types import Floats


def moved(points: Floats, degrees: float, scale: float, x: float, y: float) -> Floats:
    a = np.radians(degrees)
    turn = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.asarray(points @ turn.T + [x, y], np.float32)


def applied(matrix: Floats, points: Floats) -> Floats:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


@given(degrees=st.floats(-180, 180), scale=st.floats(0.05, 20), x=st.floats(-2000, 2000), y=st.floats(-2000, 2000))
def test_what_was_moved_is_moved_back(degrees: float, scale: float, x: float, y: float) -> None:
    source = moved(ARCFACE_POINTS, degrees, scale, x, y)
    back = applied(similarity_transform(source, ARCFACE_POINTS), source)
    assert np.abs(back - ARCFACE_POINTS).max() < 0.05 * max(1, 1 / scale)


def test_it_is_the_least_squares_one() -> None:
    """No turn, scale or shift nearby fits noisy landmarks better."""
    random = np.random.default_rng(0)
    source = (moved(ARCFACE_POINTS, 20, 2, 10, -5) + random.normal(0, 6, (5, 2))).astype(np.float32)
    matrix = similarity_transform(source, ARCFACE_POINTS)

    def error(m: Floats) -> float:
        return float(((applied(m, source) - ARCFACE_POINTS) ** 2).sum())

    best = error(matrix)
    for _ in range(200):
        a, b, dx, dy = random.normal(0, [0.01, 0.01, 0.5, 0.5])
        nudge = np.array([[a, -b, dx], [b, a, dy]], np.float32)
        assert error(matrix + nudge) >= best


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = ARCFACE_POINTS * np.float32([-1, 1])
    matrix = similarity_transform(mirrored, ARCFACE_POINTS)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_that_fall_together_are_only_shifted() -> None:
    matrix = similarity_transform(np.full((5, 2), 7, np.float32), ARCFACE_POINTS)
    assert matrix[:, :2].tolist() == [[1, 0], [0, 1]] and np.isfinite(matrix).all()
    assert applied(matrix, np.array([[7, 7]], np.float32))[0] == pytest.approx(ARCFACE_POINTS.mean(0), abs=1e-4)


@pytest.mark.parametrize("degrees", [0, 30, -90, 180])
@pytest.mark.parametrize("size", [56, 112, 224])
def test_a_crop_shows_the_landmarks_where_they_belong(degrees: float, size: int) -> None:
    points = moved(ARCFACE_POINTS - 56, degrees, 1.7, 200, 180)
    picture = np.zeros((400, 400, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    for (x, y), colour in zip(points, colours, strict=True):
        cv2.circle(picture, (round(float(x)), round(float(y))), 5, colour, -1)
    crop = arcface_crop(picture, points, size)
    assert crop.shape == (size, size, 3)
    for (x, y), colour in zip(ARCFACE_POINTS * (size / 112), colours, strict=True):
        assert np.abs(crop[round(float(y)), round(float(x))].astype(int) - colour).max() < 60


def test_outside_the_picture_is_black() -> None:
    crop = arcface_crop(np.full((60, 60, 3), 200, np.uint8), ARCFACE_POINTS - 50)
    assert crop[0, 0].tolist() == [0, 0, 0] and crop.max() == 200

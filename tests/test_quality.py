"""How good a face is: each part falls with what spoils it, and nothing with what does not."""

from __future__ import annotations

import numpy as np
import pytest
from builders import RED, paint

from cvid.align import ARCFACE_POINTS
from cvid.chips import FACE_PX, cut_chip, jpeg
from cvid.exposure import lift
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.quality import Quality, frontality, judge
from cvid.types import Bytes, FaceChip, Floats


@pytest.fixture(scope="module")
def portrait() -> Bytes:
    """Eileen Collins, from scikit-image."""
    return np.asarray(cv2.imread(str(packaged_file("skimage", "data/astronaut.png"))), np.uint8)


POINTS = np.array([[211, 112], [243, 107], [231, 131], [215, 147], [242, 143]], np.float32)
BOX = np.array([175, 60, 270, 175], np.float32)


def judged(picture: Bytes, points: Floats = POINTS, box: Floats = BOX) -> Quality:
    return judge(cut_chip(picture, box, points))


def test_a_good_portrait_is_good(portrait: Bytes) -> None:
    quality = judged(portrait)
    assert quality.total > 0.6 and all(0 <= part <= 1 for part in vars(quality).values())


def test_blur_costs_sharpness(portrait: Bytes) -> None:
    parts = [judged(cv2.GaussianBlur(portrait, (0, 0), sigma)).sharpness for sigma in (0.3, 1.5, 4, 10)]
    assert parts == sorted(parts, reverse=True) and parts[0] > 2 * parts[-1]


def test_darkness_burning_out_and_flatness_cost_exposure(portrait: Bytes) -> None:
    good = judged(portrait).exposure
    dark = judged((portrait * 0.12).astype(np.uint8)).exposure
    burnt = judged(np.clip(portrait.astype(int) * 4 + 120, 0, 255).astype(np.uint8)).exposure
    flat = judged((portrait * 0.04 + 120).astype(np.uint8)).exposure
    assert good > 0.8 and max(dark, burnt, flat) < good / 2


def test_smallness_costs_size_however_large_the_chip(portrait: Bytes) -> None:
    for scale, low, high in ((1.0, 1, 1), (0.5, 0.4, 0.7), (0.2, 0.1, 0.3)):
        small = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        assert low <= judged(small, POINTS * np.float32(scale), BOX * np.float32(scale)).size <= high
    large = np.asarray(cv2.resize(portrait, None, fx=4, fy=4), np.uint8)
    chip = cut_chip(large, BOX * 4, POINTS * 4)
    assert chip.scale < 0.5 and judge(chip).size == 1, "a shrunk chip is not a small face"


def test_turning_away_costs_pose_and_tilting_does_not() -> None:
    straight = frontality(ARCFACE_POINTS)
    angle = np.radians(35)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    assert straight > 0.9 and frontality(ARCFACE_POINTS @ turn) == pytest.approx(straight, abs=1e-3)
    assert frontality(ARCFACE_POINTS * 3 + 50) == pytest.approx(straight, abs=1e-3)
    turned = []
    for yaw in (0, 20, 45, 80):
        depth = np.array([0, 0, 25, 5, 5])
        points = ARCFACE_POINTS.copy()
        middle = points[:, 0].mean()
        points[:, 0] = middle + (points[:, 0] - middle) * np.cos(np.radians(yaw)) + depth * np.sin(np.radians(yaw))
        turned.append(frontality(points))
    assert turned == sorted(turned, reverse=True) and turned[0] > 3 * turned[-1] >= 0.3
    nodding = ARCFACE_POINTS.copy()
    nodding[2, 1] += 25
    assert frontality(nodding) < 0.6 * straight


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.ones((5, 2)) * 50, np.eye(5, 2) * 1e5, -ARCFACE_POINTS])
def test_failed_landmarks_give_a_number(points: Floats) -> None:
    chip = FaceChip(paint({RED: (30, 30)}), BOX, points.astype(np.float32), 1.0)
    assert 0 <= judge(chip).total <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 3)])
def test_chips_of_any_size_give_a_number(size: tuple[int, int]) -> None:
    chip = FaceChip(np.full((*size, 3), 128, np.uint8), BOX, ARCFACE_POINTS, 1.0)
    assert 0 <= judge(chip).total <= 1


def test_one_bad_part_spoils_the_whole() -> None:
    assert Quality(1, 1, 1, 1).total == 1 and Quality(1, 1, 1, 0).total == 0
    assert Quality(0.25, 1, 1, 1).total == 0.5


@pytest.mark.parametrize(
    "box", [(-50, -50, 40, 40), (140, 100, 400, 300), (500, 500, 600, 600), (20, 20, 20, 20), (-900, 0, -800, 50)]
)
def test_chips_at_and_over_the_edge(box: tuple[float, ...]) -> None:
    picture = paint({RED: (30, 30)})
    xyxy = np.array(box, np.float32)
    chip = cut_chip(picture, xyxy, np.repeat(xyxy[None, :2], 5, axis=0))
    assert min(chip.bgr.shape) >= 1 and chip.scale <= 1
    decoded = cv2.imdecode(np.frombuffer(jpeg(chip), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == chip.bgr.shape


def test_a_chip_shows_the_face_where_it_says() -> None:
    for zoom in (1, 6):
        picture = cv2.resize(paint({RED: (60, 40)}), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
        box = np.array([60, 40, 104, 84], np.float32) * zoom
        chip = cut_chip(np.asarray(picture, np.uint8), box, box.reshape(2, 2)[[0, 1, 0, 1, 0]])
        x1, y1, x2, y2 = chip.xyxy.round().astype(int)
        assert max(x2 - x1, y2 - y1) <= FACE_PX and chip.landmarks[0] == pytest.approx(chip.xyxy[:2], abs=0.01)
        assert chip.bgr[y1 + 2, x1 + 2].tolist() == [0, 0, 255] == chip.bgr[y2 - 3, x2 - 3].tolist()
        assert chip.bgr[max(y1 - 3, 0), x1].tolist() == [100, 100, 100]


def test_a_chip_does_not_hold_its_frame() -> None:
    """A waiting track would otherwise keep whole frames in memory."""
    picture = paint({RED: (60, 40)})
    chip = cut_chip(picture, np.array([60, 40, 104, 84], np.float32), ARCFACE_POINTS)
    assert not np.shares_memory(chip.bgr, picture)


def test_dim_and_flat_faces_are_lifted_and_good_ones_left(portrait: Bytes) -> None:
    crop = np.ascontiguousarray(portrait[60:175, 165:280])
    assert lift(crop) is crop
    dim = (crop * 0.2 + 10).astype(np.uint8)
    lifted = lift(dim)
    assert float(lifted.std()) > 3 * float(dim.std()) and lifted.shape == dim.shape
    likeness = np.corrcoef(lifted.astype(float).ravel(), crop.astype(float).ravel())[0, 1]
    assert likeness > 0.9
    assert dim.max() < 70, "the argument is left as it was"


def test_noise_is_not_blown_up() -> None:
    noise = np.random.default_rng(0).integers(50, 54, (112, 112, 3), dtype=np.uint8)
    assert float(lift(noise).std()) < 20

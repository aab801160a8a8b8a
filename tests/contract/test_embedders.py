"""What every embedder of the registry must do; those whose weights are not here are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cvid.chips import cut_chip
from cvid.detectors import Detector
from cvid.detectors.mtcnn import MtcnnDetector
from cvid.embedders import EMBEDDERS, Embedder
from cvid.models.sets import choose
from cvid.models.store import is_present
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.types import Bytes, FaceChip

MODEL_DIR = os.environ.get("CVID_MODEL_DIR") or str(Path(__file__).resolve().parents[3] / "shared" / "models")


@pytest.fixture(scope="module", params=EMBEDDERS.names())
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if not is_present(request.param, MODEL_DIR):
        pytest.skip(f"no weights of {request.param}")
    yield choose(embedders=request.param, models="embedded", model_dir=MODEL_DIR).open_embedder()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return MtcnnDetector()


@pytest.fixture(scope="module")
def portrait() -> Bytes:
    """Eileen Collins, from scikit-image."""
    return np.asarray(cv2.imread(str(packaged_file("skimage", "data/astronaut.png"))), np.uint8)


@pytest.fixture(scope="module")
def friends(detector: Detector) -> list[FaceChip]:
    """Six people, from insightface's sample picture."""
    picture = np.asarray(cv2.imread(str(packaged_file("insightface", "data/images/t1.jpg"))), np.uint8)
    return chips_of(detector, picture)


def chips_of(detector: Detector, picture: Bytes) -> list[FaceChip]:
    faces = detector.detect(picture)
    return [cut_chip(picture, box, points) for box, points in zip(faces.xyxy, faces.landmarks, strict=True)]


def altered(picture: Bytes) -> Bytes:
    """The same picture as another camera would show it: turned, smaller, darker, softer."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 12, 0.8)
    turned = cv2.warpAffine(picture, turn, (width, height))
    return np.asarray(cv2.GaussianBlur(turned, (0, 0), 1) * 0.7, np.uint8)


def test_no_chip_gives_no_vector(embedder: Embedder) -> None:
    none = embedder.embed([])
    assert none.vectors.shape == (0, embedder.dimensions)
    assert none.model == embedder.model


def test_one_person_is_closer_than_strangers(
    embedder: Embedder, detector: Detector, portrait: Bytes, friends: list[FaceChip]
) -> None:
    first, second = chips_of(detector, portrait)[:1], chips_of(detector, altered(portrait))[:1]
    vectors = embedder.embed([*first, *second, *friends]).vectors
    similarity = vectors @ vectors.T
    strangers = similarity[0, 2:].max()
    assert similarity[0, 1] > strangers + 0.1


def test_many_at_once_give_the_same_as_one_by_one_in_order(embedder: Embedder, friends: list[FaceChip]) -> None:
    chips = friends * 3
    together = embedder.embed(chips).vectors
    singly = np.concatenate([embedder.embed([chip]).vectors for chip in chips])
    assert together.shape == (len(chips), embedder.dimensions)
    assert np.abs(together - singly).max() < 1e-4


def test_vectors_have_unit_length_whatever_the_chip_shows(embedder: Embedder) -> None:
    points = np.array([[5, 6], [11, 6], [8, 9], [6, 12], [10, 12]], np.float32)
    box = np.array([2, 2, 14, 15], np.float32)
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    one_px = FaceChip(
        np.zeros((1, 1, 3), np.uint8), np.array([0, 0, 1, 1], np.float32), np.zeros((5, 2), np.float32), 1.0
    )
    chips = [FaceChip(picture, box, points, 1.0) for picture in (noise, noise * 0, noise * 0 + 255)]
    vectors = embedder.embed([*chips, one_px]).vectors
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_mirrored_face_is_the_same_person(embedder: Embedder, detector: Detector, portrait: Bytes) -> None:
    mirrored = chips_of(detector, np.ascontiguousarray(portrait[:, ::-1]))
    vectors = embedder.embed([*chips_of(detector, portrait), *mirrored]).vectors
    assert vectors[0] @ vectors[1] > 0.8


def test_the_chip_is_not_written_to(embedder: Embedder, friends: list[FaceChip]) -> None:
    frozen = friends[0].bgr.copy()
    frozen.flags.writeable = False
    chip = FaceChip(frozen, friends[0].xyxy, friends[0].landmarks, friends[0].scale)
    assert np.allclose(embedder.embed([chip]).vectors, embedder.embed([friends[0]]).vectors)


def test_it_says_what_it_is(embedder: Embedder) -> None:
    name, _, weights = embedder.model.partition(":")
    assert name == embedder.name in EMBEDDERS.names()
    assert len(weights) == 12 and int(weights, 16) >= 0

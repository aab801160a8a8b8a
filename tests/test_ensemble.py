"""Several detectors in tandem: whose box and landmarks a face gets, who votes, and where a cascade looks twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from cvid.detectors import TANDEMS, Detector
from cvid.detectors.cascade import CascadeDetector
from cvid.detectors.ensemble import UnionDetector, VoteDetector, merge
from cvid.types import Bytes, Faces, Floats

GREY = np.full((400, 400, 3), 128, np.uint8)


def faces(*boxes: tuple[float, ...], score: float = 0.9, mark: float = 0.5) -> Faces:
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    sides = (xyxy[:, 2:] - xyxy[:, :2])[:, None]
    landmarks = xyxy[:, None, :2] + np.float32(mark) * np.repeat(sides, 5, axis=1)
    n = len(xyxy)
    return Faces(xyxy, np.full(n, score, np.float32), landmarks.astype(np.float32), np.ones(n, np.uint8))


@dataclass
class Finder:
    """Finds what it was told, whatever the picture; remembers the pictures."""

    found: Faces
    name: str = "finder"
    weights: str = "0" * 12
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    pictures: list[Bytes] = field(default_factory=list)

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        self.pictures.append(bgr)
        return self.found


@dataclass
class Spotter(Finder):
    """Finds the white square in a picture, at any size."""

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        self.pictures.append(bgr)
        rows, columns = np.nonzero(bgr.min(axis=2) > 240)
        if not len(rows):
            return Faces.empty()
        return faces((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))


def spotter() -> Spotter:
    return Spotter(Faces.empty(), "spotter")


def test_one_face_of_two_finders_keeps_the_first_ones_shape() -> None:
    first, second = faces((10, 10, 50, 60), score=0.6, mark=0.4), faces((12, 8, 52, 58), score=0.95)
    both = merge([first, second])
    assert len(both) == 1 and both.votes.tolist() == [2] and both.score[0] == np.float32(0.95)
    assert np.array_equal(both.xyxy, first.xyxy) and np.array_equal(both.landmarks, first.landmarks)


def test_neighbours_stay_apart_and_each_finds_its_best_partner() -> None:
    first = faces((0, 0, 40, 40), (30, 0, 70, 40))
    second = faces((28, 0, 68, 40), (2, 0, 42, 40), (200, 200, 240, 240))
    both = merge([first, second])
    assert sorted(both.votes.tolist()) == [1, 2, 2] and len(both) == 3
    assert {tuple(box) for box in both.xyxy.tolist()} == {(0, 0, 40, 40), (30, 0, 70, 40), (200, 200, 240, 240)}


def test_union_takes_all_and_vote_what_most_see() -> None:
    shared, mine, yours = (10, 10, 50, 50), (100, 100, 140, 140), (200, 10, 240, 50)
    detectors = [Finder(faces(shared, mine), "a"), Finder(faces(shared, yours), "b"), Finder(faces(shared), "c")]
    union = UnionDetector(detectors)
    assert union.name == "a+b+c" and len(union.weights) == 12
    assert sorted(union.detect(GREY).votes.tolist()) == [1, 1, 3]
    assert VoteDetector(detectors).detect(GREY).xyxy.tolist() == [list(shared)]
    assert len(VoteDetector(detectors[:2]).detect(GREY)) == 1, "of two, both"


@pytest.mark.parametrize("way", TANDEMS.names())
def test_nothing_is_found_in_nothing(way: str) -> None:
    nobody: list[Detector] = [Finder(Faces.empty(), "a"), Finder(Faces.empty(), "b")]
    assert len(TANDEMS.create(way, detectors=nobody).detect(np.zeros((1, 1, 3), np.uint8))) == 0


def test_a_cascade_asks_nobody_where_the_first_is_sure() -> None:
    other = spotter()
    found = CascadeDetector([Finder(faces((100, 100, 180, 180)), "fast"), other]).detect(GREY)
    assert len(found) == 1 and not other.pictures


def test_a_doubtful_face_is_looked_at_from_nearby() -> None:
    picture = GREY.copy()
    picture[100:140, 100:140] = 255
    fast, other = Finder(faces((98, 98, 142, 142), score=0.35), "fast"), spotter()
    found = CascadeDetector([fast, other]).detect(picture)
    assert found.votes.tolist() == [2] and found.score[0] == np.float32(0.9)
    assert np.array_equal(found.xyxy, fast.found.xyxy), "the first detector's box"
    assert other.pictures[0].shape == (320, 320, 3), "enlarged"
    denied = CascadeDetector([fast, Finder(Faces.empty(), "other")]).detect(picture)
    assert denied.votes.tolist() == [1] and denied.score[0] == np.float32(0.35)


def test_who_has_just_vanished_is_looked_for() -> None:
    picture = GREY.copy()
    picture[300:340, 20:60] = 255
    other = spotter()
    cascade = CascadeDetector([Finder(faces((100, 100, 180, 180)), "fast"), other])
    expected = np.array([[100, 100, 180, 180], [25, 298, 65, 338]], np.float32)
    found = cascade.detect(picture, expected)
    assert len(other.pictures) == 1 and len(found) == 2
    assert np.abs(found.xyxy - [20, 300, 60, 340]).max(axis=1).min() < 1.5, "back in px of the whole picture"


def test_a_dim_picture_is_looked_at_lifted() -> None:
    other = spotter()
    CascadeDetector([Finder(faces((100, 100, 180, 180)), "fast"), other]).detect(np.full((90, 160, 3), 25, np.uint8))
    (seen,) = other.pictures
    assert seen.shape == (90, 160, 3) and 90 < seen.mean() < 130

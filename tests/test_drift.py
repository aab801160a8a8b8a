"""Tracks that went over to another person are parted; single strangers among a track's faces are dropped."""

from __future__ import annotations

import numpy as np
import pytest
from builders import unit

from cvid.drift import belonging, break_between, change_of_person
from cvid.types import Floats

RED, GREEN, ORANGE, BLUE = unit(1, 0, 0), unit(0, 1, 0), unit(0.95, 0.1, 0.2), unit(0, 0, 1)
LIKENESS = 0.25, 0.35


def change(*faces: Floats) -> tuple[float, float] | None:
    return change_of_person(np.array(faces, np.float32), np.arange(len(faces), dtype=np.float64), *LIKENESS)


def test_a_change_of_person_is_found_where_it_is() -> None:
    assert change(RED, ORANGE, RED, GREEN, GREEN) == (2.0, 3.0)
    assert change(RED, RED, GREEN, GREEN, GREEN) == (1.0, 2.0)


@pytest.mark.parametrize(
    "faces",
    [
        (RED, ORANGE, RED, RED, ORANGE),
        (RED, RED, RED, RED, GREEN),  # one stranger at the end may be a bad face
        (RED, GREEN, RED, GREEN, RED),  # nobody changes back and forth
        (RED, RED, GREEN, BLUE),  # what comes after is no one person
        (RED, GREEN),
        (RED,),
        (),
    ],
)
def test_what_is_no_change_of_person(faces: tuple[Floats, ...]) -> None:
    vectors = np.array(faces, np.float32).reshape(-1, 3)
    assert change_of_person(vectors, np.arange(len(faces), dtype=np.float64), *LIKENESS) is None


def test_the_break_is_the_largest_jump() -> None:
    at = np.array([0, 1, 2, 3, 40, 41, 42], np.float32)
    xyxy = np.stack([at, at, at + 30, at + 30], axis=1)
    times = np.arange(7, dtype=np.float64)
    assert break_between(xyxy, times, 1.0, 6.0) == 4
    assert break_between(xyxy, times, 0.0, 3.0) == 0, "a head that turns stays where it is"


def test_a_stranger_among_friends_is_dropped() -> None:
    assert belonging(np.array([RED, GREEN, ORANGE, RED], np.float32), *LIKENESS).tolist() == [0, 2, 3]
    assert belonging(np.array([RED, ORANGE, RED, ORANGE], np.float32), *LIKENESS).tolist() == [0, 1, 2, 3]
    assert belonging(np.array([RED, GREEN, RED], np.float32), *LIKENESS).tolist() == [0, 1, 2], "two prove nothing"
    assert belonging(np.array([RED, GREEN, BLUE, RED], np.float32), *LIKENESS).tolist() == [0, 1, 2, 3], "no majority"
    assert belonging(np.zeros((0, 3), np.float32), *LIKENESS).tolist() == []

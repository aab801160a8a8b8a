"""A face and its mirror image: what is looked at, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest

from cvid.embedders.views import BOTH, MIRRORED, PLAIN, in_turn, summed, viewed


def test_the_best_faces_are_seen_both_ways_the_others_in_turn() -> None:
    assert in_turn(0) == [] and in_turn(1) == [BOTH]
    assert in_turn(5) == [BOTH, BOTH, BOTH, MIRRORED, PLAIN]


def test_pictures_and_whose_they_are() -> None:
    left, right = (np.full((2, 3, 3), value, np.uint8) for value in (1, 2))
    left[:, 0] = 9
    pictures, shows = viewed([left, right, left], [BOTH, PLAIN, MIRRORED])
    assert shows.tolist() == [0, 0, 1, 2]
    assert [picture[0, :, 0].tolist() for picture in pictures] == [[9, 1, 1], [1, 1, 9], [2, 2, 2], [1, 1, 9]]
    assert len(viewed([left, right], None)[0]) == 4, "both of all where nothing is said"
    assert viewed([], None) == ([], pytest.approx(np.zeros(0)))


def test_the_views_of_a_face_are_summed() -> None:
    vectors = np.array([[1, 0], [0, 1], [3, 4]], np.float32)
    assert summed(vectors, np.array([0, 0, 2]), 3).tolist() == [[1, 1], [0, 0], [3, 4]]

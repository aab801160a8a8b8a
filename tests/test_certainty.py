"""How sure a guess is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from test_clustering import unit

from cvid.clustering.certainty import certainty, chance_of_one, confident
from cvid.types import Floats, Ints

MODEL = "mobilefacenet:0"
BAR = 0.33


def at(*cosines: float) -> Floats:
    """Vectors with these cosines to the first, which is added, and as alike among themselves as those allow."""
    rows = [[1.0, 0.0, 0.0]] + [[c, (1 - c * c) ** 0.5, 0.0] for c in cosines]
    return unit(np.array(rows))


def judged(vectors: Floats, labels: Ints, video: Ints | None = None):  # type: ignore[no-untyped-def]
    places = np.arange(len(vectors)) if video is None else video
    return certainty(vectors, places, labels, BAR, np.ones(int(labels.max(initial=-1)) + 1, np.bool_))


def test_the_figures_are_those_of_the_definition() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(9, 5)) + 1)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 2, -1])
    found = judged(vectors, labels, np.array([0, 0, 1, 1, 2, 2, 3, 4, 5]))
    for row in range(7):
        own = [i for i in np.flatnonzero(labels == labels[row]) if i != row]
        mean = unit(vectors[own].sum(axis=0, keepdims=True))[0]
        other = max(
            float(vectors[row] @ unit(vectors[labels == label].sum(axis=0, keepdims=True))[0])
            for label in range(3)
            if label != labels[row]
        )
        assert found.similarity[row] == pytest.approx(float(vectors[row] @ mean), abs=1e-5)
        assert found.margin[row] == pytest.approx(float(vectors[row] @ mean) - other, abs=1e-5)
        assert found.linkage[row] == pytest.approx(float((vectors[own] @ vectors[row]).mean()), abs=1e-5)
        assert found.support[row] == int((vectors[own] @ vectors[row] >= BAR).sum())
        assert found.nearest[row] == own[int((vectors[own] @ vectors[row]).argmax())]
    assert np.isnan(found.similarity[7:]).all() and (found.nearest[7:] == -1).all()
    inner = vectors[:3] @ vectors[:3].T
    assert found.tightness[0] == pytest.approx((inner.sum() - 3) / 6, abs=1e-5) and np.isnan(found.tightness[2])


def test_two_look_alikes_who_appear_once_are_never_confident() -> None:
    """Different people of one room reach 0.55 by MobileFaceNet; nothing but the cosine speaks for them."""
    sure = judged(at(0.55), np.array([0, 0]))
    assert not confident(sure, MODEL).any()
    assert confident(judged(at(0.7), np.array([0, 0])), MODEL).all()


def test_several_videos_speak_for_a_track_and_the_same_video_does_not() -> None:
    vectors, labels = at(0.5, 0.5, 0.5), np.zeros(4, np.int64)
    assert confident(judged(vectors, labels), MODEL)[0]
    assert not confident(judged(vectors, labels, np.array([0, 1, 1, 1])), MODEL)[0], "all of one other video"


def test_who_is_as_near_to_somebody_else_is_doubtful() -> None:
    vectors = np.concatenate([at(0.5, 0.5), at(0.49)[1:] * np.array([1, -1, 1], np.float32)])
    found = judged(vectors, np.array([0, 0, 0, 1]))
    assert found.margin[0] < 0.1 and not confident(found, MODEL)[0]


def test_alone_nobody_is_sure() -> None:
    assert not confident(judged(at(), np.array([0])), MODEL).any()
    assert not len(judged(at()[:0], np.zeros(0, np.int64)).similarity)


def test_the_chance_is_even_at_the_bar_and_rises() -> None:
    chances = chance_of_one(np.array([0.1, 0.33, 0.5]), 0.33, MODEL)
    assert chances[0] < 0.01 and chances[1] == pytest.approx(0.5) and chances[2] > 0.98

"""The structs refuse what does not fit, at birth, and hold nothing as well as something."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from builders import analysis, track, track_analysis, unit

from cvid.types import (
    Clusters,
    Embeddings,
    FaceChip,
    Faces,
    Frame,
    Track,
    TrackSet,
    VideoInfo,
    check,
)


def zeros(*shape: int, dtype: Any = np.float32) -> Any:
    return np.zeros(shape, dtype)


def faces(n: int) -> Faces:
    return Faces(
        np.arange(4 * n, dtype=np.float32).reshape(n, 4),
        np.linspace(0, 1, n, dtype=np.float32),
        zeros(n, 5, 2),
        np.ones(n, np.uint8),
    )


def tracks(n: int) -> TrackSet:
    return TrackSet(
        np.tile(unit(1, 0), (n, 1)), np.tile(unit(1, 0), (n, 1)), np.arange(n, dtype=np.int32),
        zeros(n), zeros(n, dtype=np.uint8), zeros(0, 2, dtype=np.int32), zeros(n, dtype=np.int32) - 1, n, zeros(0, 2),
        "m:0",
    )  # fmt: skip


def test_check_says_what_was_expected_and_what_came() -> None:
    check("x", zeros(2, 4), np.float32, (None, 4))
    for wrong in (zeros(2, 4, dtype=np.float64), zeros(2, 5), zeros(2, 4, 1), zeros(8)):
        with pytest.raises(ValueError, match=r"x must be float32 \(None, 4\), not " + str(wrong.dtype)):
            check("x", wrong, np.float32, (None, 4))
    with pytest.raises(ValueError, match="x must be an array, not list"):
        check("x", [[0.0] * 4], np.float32, (None, 4))


MAKERS = {
    "faces": lambda n: faces(n),
    "track": lambda n: Track(
        np.arange(n, dtype=np.float64), np.arange(n, dtype=np.int64), zeros(n, 4), zeros(n), zeros(n)
    ),
    "embeddings": lambda n: Embeddings(np.tile(unit(1, 2), (n, 1)), "m:0"),
    "tracks": tracks,
    "clusters": lambda n: Clusters(np.full(n, -1, np.int32)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_legal_and_fields_agree(name: str) -> None:
    for n in (0, 1, 3):
        made: Any = MAKERS[name](n)
        assert name == "clusters" or len(made) == n
        with pytest.raises(FrozenInstanceError):
            made.model = "other"
        arrays = {k: v for k, v in vars(made).items() if isinstance(v, np.ndarray)}
        for field, array in arrays.items():
            with pytest.raises(ValueError, match=rf"{field} must"):
                replace(made, **{field: array.astype(np.complex128)})
            if array.ndim > 1 or name in ("track", "faces"):
                with pytest.raises(ValueError):
                    replace(made, **{field: array[..., None]})


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"Faces\.score"):
        replace(faces(3), score=zeros(2))
    with pytest.raises(ValueError, match=r"Track\.xyxy"):
        replace(track(0, 4), xyxy=zeros(2, 4))
    with pytest.raises(ValueError, match=r"TrackSet\.founding"):
        replace(tracks(3), founding=zeros(2, dtype=np.bool_))


def test_faces_are_filtered_in_all_fields() -> None:
    kept = faces(4)[np.array([True, False, False, True])]
    assert kept.xyxy[:, 0].tolist() == [0, 12] and kept.score.tolist() == [0, 1] and len(kept.votes) == 2
    assert faces(4)[[3, 0]].xyxy[:, 0].tolist() == [12, 0] and len(faces(4)[1:]) == 3
    assert len(Faces.empty()) == 0 and Faces.empty().landmarks.shape == (0, 5, 2)


def test_the_times_of_a_track_increase() -> None:
    with pytest.raises(ValueError, match="must increase"):
        replace(track(0, 4), time_s=np.array([0, 1, 1, 2, 3], np.float64))
    best = replace(track(0, 4), quality=np.array([0.1, 0.8, 0.8, 0.2, 0], np.float32)).best
    assert best == 1, "the first of equals"


def test_vectors_have_unit_length() -> None:
    for wrong in ([[1, 1]], [[0, 0]], [[np.nan, 0]]):
        with pytest.raises(ValueError, match="unit length"):
            Embeddings(np.array(wrong, np.float32), "m:0")


def test_a_tracks_template_belongs_to_its_exemplars() -> None:
    good = track_analysis(track(0, 1), unit(1, 0, 0))
    with pytest.raises(ValueError, match="one template"):
        replace(good, template=Embeddings(good.template.vectors, "other:1"))
    with pytest.raises(ValueError, match="one template"):
        replace(good, template=Embeddings(zeros(0, 3), good.template.model))
    assert len(track_analysis(track(0, 1), None).template) == 0


def test_a_frame_is_converted_once_and_only_when_asked() -> None:
    calls = []

    def convert() -> Any:
        calls.append(1)
        return zeros(2, 3, 3, dtype=np.uint8)

    frame = Frame(0, 0.0, zeros(2, 3, dtype=np.uint8), convert)
    assert calls == []
    assert frame.bgr is frame.bgr and calls == [1]
    with pytest.raises(ValueError, match=r"Frame.bgr must be uint8 \(2, 4, 3\)"):
        _ = Frame(0, 0.0, zeros(2, 4, dtype=np.uint8), convert).bgr
    with pytest.raises(ValueError, match=r"Frame\.luma"):
        Frame(0, 0.0, zeros(2, 3), convert)


def test_chips_and_infos_are_checked() -> None:
    with pytest.raises(ValueError, match=r"FaceChip\.landmarks"):
        FaceChip(zeros(2, 2, 3, dtype=np.uint8), zeros(4), zeros(4, 2), 1.0)
    with pytest.raises(ValueError, match="kind must be video or picture, not sound"):
        VideoInfo("a", "b", "sound", 1, 1, 0.0, Fraction(0), "mp3", 0)


def test_structs_of_arrays_compare_by_identity() -> None:
    """A generated `==` would ask an array for its truth."""
    assert faces(2) != faces(2) and analysis("a", []) != analysis("a", [])


def test_clusters_are_counted() -> None:
    for labels, count in (([], 0), ([-1, -1], 0), ([0, -1, 1, 0], 2)):
        assert Clusters(np.array(labels, np.int32)).count == count

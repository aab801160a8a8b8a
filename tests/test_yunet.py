"""YuNet through OpenCV, on a graph of its signature: colours, places and scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cvid.detectors.yunet import YuNetDetector
from cvid.errors import ModelError
from cvid.types import Bytes

STRIDES = (8, 16, 32)


def write_yunet(path: Path) -> Path:
    """A graph that sees a face of 32 px in each cell of 32 px as sure as it is red, and none elsewhere."""
    nodes, outputs, constants = [], [], []
    for stride in STRIDES:
        nodes.append(
            helper.make_node(
                "AveragePool", ["input"], [f"mean_{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        for name, width, red in (("cls", 1, True), ("obj", 1, True), ("bbox", 4, False), ("kps", 10, False)):
            weights = np.zeros((width, 3, 1, 1), np.float32)
            if red and stride == 32:
                weights[0, :, 0, 0] = (-1 / 255, -1 / 255, 1 / 255)  # BGR
            key = f"{name}_{stride}"
            constants.append(numpy_helper.from_array(weights, f"w_{key}"))
            constants.append(numpy_helper.from_array(np.array([1, -1, width], np.int64), f"s_{key}"))
            nodes += [
                helper.make_node("Conv", [f"mean_{stride}", f"w_{key}"], [f"c_{key}"], kernel_shape=[1, 1]),
                helper.make_node("Transpose", [f"c_{key}"], [f"t_{key}"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"t_{key}", f"s_{key}"], [key]),
            ]
            outputs.append(helper.make_tensor_value_info(key, TensorProto.FLOAT, [1, None, width]))
    outputs.sort(key=lambda info: ("cls", "obj", "bbox", "kps").index(info.name.split("_")[0]))
    entry = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])
    graph = helper.make_graph(nodes, "yunet", [entry], outputs, constants)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 11)]), str(path))
    return path


@pytest.fixture
def detector(tmp_path: Path) -> YuNetDetector:
    return YuNetDetector(write_yunet(tmp_path / "yunet.onnx"), "0" * 12)


def picture(width: int, height: int, *cells: tuple[int, int]) -> Bytes:
    """Grey, with red squares of 32 px whose upper left corners are given."""
    bgr = np.full((height, width, 3), 90, np.uint8)
    for x, y in cells:
        bgr[y : y + 32, x : x + 32] = (0, 0, 255)
    return bgr


def test_places_scores_and_points(detector: YuNetDetector) -> None:
    faces = detector.detect(picture(640, 352, (64, 96), (320, 288)))
    assert sorted(map(tuple, faces.xyxy.round().tolist())) == [(48, 80, 80, 112), (304, 272, 336, 304)]
    assert faces.score == pytest.approx(1, abs=0.01) and faces.votes.tolist() == [1, 1]
    assert faces.landmarks.shape == (2, 5, 2)
    assert np.abs(faces.landmarks - faces.landmarks[:, :1]).max() < 1, "offsets of 0: all on the cell's corner"
    assert sorted(map(tuple, faces.landmarks[:, 0].round().tolist())) == [(64, 96), (320, 288)]


def test_a_larger_picture_is_shrunk_and_the_faces_come_back(detector: YuNetDetector) -> None:
    large = picture(640, 352, (64, 96)).repeat(2, axis=0).repeat(2, axis=1)
    (box,) = detector.detect(large).xyxy
    assert box == pytest.approx([96, 160, 160, 224], abs=2)


def test_colours_are_not_swapped(detector: YuNetDetector) -> None:
    assert len(detector.detect(np.ascontiguousarray(picture(640, 352, (64, 96))[:, :, ::-1]))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (31, 33)])
def test_any_size_is_legal(detector: YuNetDetector, shape: tuple[int, int]) -> None:
    assert len(detector.detect(np.full((*shape, 3), 90, np.uint8))) == 0


def test_what_is_no_yunet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.onnx").write_text("words")
    with pytest.raises(ModelError, match=r"words\.onnx is not a model that OpenCV can load"):
        YuNetDetector(tmp_path / "words.onnx")

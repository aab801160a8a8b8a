"""Small ONNX graphs with the signatures of networks whose weights are not here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_IR = 8


def write_embedder(
    path: Path,
    side: int,
    dimensions: int,
    *,
    channels_last: bool = False,
    batch: int | str = "n",
    entry: str = "input",
    gain: float = 1.0,
) -> Path:
    """A graph that tells what it was shown.

    Its vector: the means of the channels and of the left half's first channel, times `gain`; then 1, then zeros.
    """
    shape = [batch, side, side, 3] if channels_last else [batch, 3, side, side]
    rows, columns, channels = (1, 2, 3) if channels_last else (2, 3, 1)
    place = np.zeros((4, dimensions), np.float32)
    place[:3, :3], place[3, 3] = gain * np.eye(3), gain
    bias = np.zeros(dimensions, np.float32)
    bias[4] = 1
    constants = {
        "place": place,
        "bias": bias,
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "half": np.array([side // 2], np.int64),
        "columns": np.array([columns], np.int64),
        "channels": np.array([channels], np.int64),
    }
    nodes = [
        # One axis after the other: sums of 50,000 floats are exact to three digits only.
        helper.make_node("ReduceMean", [entry], ["row_means"], axes=[columns], keepdims=1),
        helper.make_node("ReduceMean", ["row_means"], ["means"], axes=[rows, columns], keepdims=0),
        helper.make_node("Slice", [entry, "zero", "half", "columns"], ["left"]),
        helper.make_node("Slice", ["left", "zero", "one", "channels"], ["first"]),
        helper.make_node("ReduceMean", ["first"], ["left_row_means"], axes=[columns], keepdims=1),
        helper.make_node("ReduceMean", ["left_row_means"], ["left_mean"], axes=[rows, columns, channels], keepdims=0),
        helper.make_node("Unsqueeze", ["left_mean", "one"], ["left_column"]),
        helper.make_node("Concat", ["means", "left_column"], ["four"], axis=1),
        helper.make_node("Gemm", ["four", "place", "bias"], ["vector"]),
    ]
    return _write(path, nodes, (entry, shape), [("vector", [batch, dimensions])], constants)


def write_retinaface(path: Path) -> Path:
    """A graph that sees a face in each cell of 32 px as sure as it is red, and none elsewhere.

    Its boxes are those of the second anchor, the cell's surroundings of 256 px, shrunk to a quarter; its points lie in
    a row, each a 64th of the anchor's side to the right of the one before, the nose at the box's centre.
    """
    nodes, outputs, constants = [helper.make_node("Transpose", ["picture"], ["nchw"], perm=[0, 3, 1, 2])], [], {}
    for stride in (32, 16, 8):
        sure = np.zeros((4, 3), np.float32)  # (no face, no face, face, face) of two anchors
        sure[3, 0] = 1 / 255 if stride == 32 else 0
        boxes = np.tile(np.log(np.array([1, 1, 0.25, 0.25])), 2)
        points = np.tile(np.array([(i - 2, 0) for i in range(5)], np.float32).reshape(-1) / 64, 2)
        nodes.append(
            helper.make_node(
                "AveragePool", ["nchw"], [f"pool{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        for kind, weight, bias in (
            ("score", sure, np.zeros(4)),
            ("box", np.zeros((8, 3)), boxes),
            ("points", np.zeros((20, 3)), points),
        ):
            name = f"{kind}{stride}"
            constants |= {
                f"{name}_w": weight.astype(np.float32)[:, :, None, None],
                f"{name}_b": bias.astype(np.float32),
            }
            nodes.append(helper.make_node("Conv", [f"pool{stride}", f"{name}_w", f"{name}_b"], [f"{name}_nchw"]))
            nodes.append(helper.make_node("Transpose", [f"{name}_nchw"], [name], perm=[0, 2, 3, 1]))
            outputs.append((name, ["n", f"{name}_h", f"{name}_w", len(bias)]))
    return _write(path, nodes, ("picture", ["n", "h", "w", 3]), outputs, constants)


def _write(
    path: Path,
    nodes: list[object],
    entry: tuple[str, Sequence[int | str]],
    outputs: list[tuple[str, list[int | str]]],
    constants: dict[str, np.ndarray],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info(entry[0], TensorProto.FLOAT, entry[1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=_IR)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path

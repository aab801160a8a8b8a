"""MTCNN's three networks as ONNX graphs, built from the arrays inside the `mtcnn` wheel.

The wheel stores the layers' arrays in Keras order (height, width, in, out). Its package runs them by
TensorFlow; here the same layers are written down once more, in ONNX, and the package is never imported.

Every graph takes uint8 (n, h, w, 3) BGR. What the networks were trained on, RGB as (x − 127.5) / 128, is folded
into the first convolution: no convolution here pads, so that is exact.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import lz4.frame
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from cvid.packaged import packaged_file
from cvid.types import Floats

FILES = {name: f"assets/weights/{name}.lz4" for name in ("pnet", "rnet", "onet")}
"""Where each network's arrays lie inside the package `mtcnn`."""

_OPSET, _IR = 17, 8  # old enough for every ONNX Runtime that has wheels for Python 3.11


def weight_files() -> dict[str, Path]:
    """Network name → its weights file.

    Raises:
        MissingDependency: the package `mtcnn` is not installed.
    """
    return {name: packaged_file("mtcnn", relative) for name, relative in FILES.items()}


def weights_hash(files: dict[str, Path]) -> str:
    """The first 12 hex digits of the sha256 over the three files, in the order of the cascade."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(files[name].read_bytes())
    return digest.hexdigest()[:12]


def load_arrays(path: Path) -> list[Floats]:
    """The layers' arrays of one network, in the order in which the layers run."""
    # Decompressed here: joblib leaves its own reader open, which Python 3.13 complains of at exit.
    content = io.BytesIO(lz4.frame.decompress(path.read_bytes()))
    return [np.asarray(array, np.float32) for array in joblib.load(content)]


def proposal_net(arrays: Sequence[Floats]) -> bytes:
    """P-Net: a picture of any size → `offsets` (n, 4, h', w') and `face` (n, 2, h', w'), one cell every 2 px."""
    graph = _Graph(arrays)
    graph.stem()
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    graph.convolution()
    graph.prelu()
    graph.convolution()
    graph.prelu()
    graph.head("offsets", graph.convolution)
    graph.head("face", graph.convolution, softmax=True)
    return graph.model("pnet", ["n", "h", "w", 3])


def refine_net(arrays: Sequence[Floats]) -> bytes:
    """R-Net: 24×24 patches → `offsets` (n, 4) and `face` (n, 2)."""
    graph = _Graph(arrays)
    graph.stem()
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    graph.convolution()
    graph.prelu()
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    graph.convolution()
    graph.prelu()
    graph.flatten()
    graph.dense()
    graph.prelu()
    graph.head("offsets", graph.dense)
    graph.head("face", graph.dense, softmax=True)
    return graph.model("rnet", ["n", 24, 24, 3])


def output_net(arrays: Sequence[Floats]) -> bytes:
    """O-Net: 48×48 patches → `offsets` (n, 4), `points` (n, 10: five x, then five y) and `face` (n, 2)."""
    graph = _Graph(arrays)
    graph.stem()
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    graph.convolution()
    graph.prelu()
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    graph.convolution()
    graph.prelu()
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    graph.convolution()
    graph.prelu()
    graph.flatten()
    graph.dense()
    graph.prelu()
    graph.head("offsets", graph.dense)
    graph.head("points", graph.dense)
    graph.head("face", graph.dense, softmax=True)
    return graph.model("onet", ["n", 48, 48, 3])


class _Graph:
    """An ONNX graph that grows layer by layer and takes each layer's arrays from the front of a list."""

    def __init__(self, arrays: Sequence[Floats]) -> None:
        self._arrays = list(arrays)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._outputs: list[Any] = []
        self._tip = "bgr"

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> None:
        """Append a node that works on what the graph has computed so far."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, [self._tip, *inputs], [name], **attributes))
        self._tip = name

    def stem(self) -> None:
        """The picture as float planes, the first convolution with the preprocessing folded in, its PReLU."""
        self.add("Cast", to=TensorProto.FLOAT)
        self.add("Transpose", perm=[0, 3, 1, 2])
        kernel, bias = self._take(), self._take()
        shifted = bias - kernel.sum((0, 1, 2)) * np.float32(127.5 / 128)
        self._convolve(kernel[:, :, ::-1] / np.float32(128), shifted)
        self.prelu()

    def convolution(self) -> None:
        self._convolve(self._take(), self._take())

    def prelu(self) -> None:
        slope = self._take().reshape(-1)
        channels_first = slope[:, None, None] if self._spatial else slope
        self.add("PRelu", self._constant(channels_first))

    def flatten(self) -> None:
        """One row a patch, ordered (width, height, channel): the networks were trained column-major."""
        self.add("Transpose", perm=[0, 3, 2, 1])
        self.add("Flatten", axis=1)

    def dense(self) -> None:
        self.add("Gemm", self._constant(self._take()), self._constant(self._take()))

    def head(self, name: str, layer: Any, softmax: bool = False) -> None:
        """An output computed by `layer` from the trunk, to which the graph then returns."""
        trunk, rank = self._tip, 4 if self._spatial else 2
        layer()
        self.add("Softmax" if softmax else "Identity", output=name, **({"axis": 1} if softmax else {}))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank))
        self._tip = trunk

    def model(self, name: str, shape: list[str | int]) -> bytes:
        """The finished graph, serialised."""
        if self._arrays:
            raise ValueError(f"{name}: {len(self._arrays)} arrays are left over")
        entry = helper.make_tensor_value_info("bgr", TensorProto.UINT8, shape)
        graph = helper.make_graph(self._nodes, name, [entry], self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        return bytes(model.SerializeToString())

    @property
    def _spatial(self) -> bool:
        return not any(node.op_type == "Flatten" for node in self._nodes)

    def _convolve(self, kernel: Floats, bias: Floats) -> None:
        self.add("Conv", self._constant(kernel.transpose(3, 2, 0, 1)), self._constant(bias))

    def _take(self) -> Floats:
        return self._arrays.pop(0)

    def _constant(self, array: Floats) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

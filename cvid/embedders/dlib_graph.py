"""dlib's face recognition ResNet as an ONNX graph, built from dlib's own weights file.

dlib runs this network at 75 ms a face on one core; ONNX Runtime takes a tenth of it, gives the same numbers, and has
wheels where dlib has none. The layers are those of dlib's `dnn_face_recognition_ex.cpp`; its file holds them in the
order in which they run, each as a name followed by one tensor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from cvid.errors import ModelError
from cvid.packaged import packaged_file
from cvid.types import Floats

SIDE = 150
"""The network looks at faces of 150×150 px."""

_RGB_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # input_rgb_image_sized's; its scale is 256
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""(channels, blocks, does the first block halve the picture), from the input on."""

_OPSET, _IR = 17, 8  # old enough for every ONNX Runtime that has wheels for Python 3.11


def weight_file() -> Path:
    """Where dlib's network lies.

    Raises:
        MissingDependency: the package `face_recognition_models` is not installed.
    """
    return packaged_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat")


def build_graph(weights: bytes) -> bytes:
    """The network as a serialised ONNX graph: `bgr`, uint8 (n, 150, 150, 3) → `descriptor`, float32 (n, 128).

    Raises:
        ModelError: `weights` is not the content of dlib's file.
    """
    graph = _Graph(_Tensors(weights))
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Transpose", perm=[0, 3, 1, 2])
    graph.convolution(3, 32, 7, 2, first=True)
    graph.add("Relu")
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    entering, side = 32, 35
    for channels, blocks, halves in _LEVELS:
        for block in range(blocks):
            side = graph.block(entering, channels, side, halves and block == 0)
            entering = channels
    graph.add("GlobalAveragePool")
    graph.add("Flatten", axis=1)
    graph.add(
        "MatMul", graph.constant(graph.tensors.after(b"\x04fc_2", 256 * 128).reshape(256, 128)), output="descriptor"
    )
    return graph.model()


class _Tensors:
    """Reads one tensor after another from dlib's file.

    A tensor is its version (2), four packed integers (samples, channels, rows, columns) and little-endian floats.
    A packed integer is a byte that counts the bytes that follow, least significant first.
    """

    def __init__(self, weights: bytes) -> None:
        self._weights = weights
        self._at = 0

    def after(self, name: bytes, size: int) -> Floats:
        """The next tensor behind a layer of that name, which must have `size` elements."""
        found = self._weights.find(name, self._at)
        if found < 0:
            raise ModelError(
                f"the weights of dlib's network lack a layer {name[1:].decode()}; reinstall face_recognition_models"
            )
        self._at = found + len(name)
        if name.endswith(b"fc_2"):  # it alone tells its outputs and inputs first
            self._integer(), self._integer()
        version, *shape = (self._integer() for _ in range(5))
        if version != 2 or int(np.prod(shape)) != size or self._at + 4 * size > len(self._weights):
            raise ModelError(
                f"a layer {name[1:].decode()} of dlib's network has the shape {shape}, not {size} elements; "
                "reinstall face_recognition_models"
            )
        values = np.frombuffer(self._weights, "<f4", size, self._at)
        self._at += 4 * size
        return values.astype(np.float32)

    def _integer(self) -> int:
        count = self._weights[self._at] if self._at < len(self._weights) else 0
        value = int.from_bytes(self._weights[self._at + 1 : self._at + 1 + count], "little")
        self._at += 1 + count
        return value


class _Graph:
    """An ONNX graph that grows layer by layer."""

    def __init__(self, tensors: _Tensors) -> None:
        self.tensors = tensors
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._tip = "bgr"

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node that works on the last one's output, and return its own."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, [self._tip, *inputs], [name], **attributes))
        self._tip = name
        return name

    def constant(self, array: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def convolution(self, entering: int, channels: int, size: int, stride: int, first: bool = False) -> None:
        """A convolution with the affine layer behind it folded in; dlib pads where the stride is 1 only."""
        values = self.tensors.after(b"\x05con_4", channels * entering * size * size + channels)
        gain, offset = self.tensors.after(b"\x07affine_", 2 * channels).reshape(2, channels)
        kernel, bias = values[:-channels].reshape(channels, entering, size, size), values[-channels:]
        if first:  # fold (rgb − mean) / 256 in too, and turn the channels to BGR
            bias = bias - (kernel * _RGB_MEAN[:, None, None] / np.float32(256)).sum((1, 2, 3))
            kernel = kernel[:, ::-1] / np.float32(256)
        pad = size // 2 if stride == 1 else 0
        folded = self.constant(kernel * gain[:, None, None, None]), self.constant(bias * gain + offset)
        self.add("Conv", *folded, kernel_shape=[size, size], strides=[stride, stride], pads=[pad] * 4)

    def block(self, entering: int, channels: int, side: int, halve: bool) -> int:
        """A residual block; returns the side of its output.

        Where sizes differ, dlib adds what is there: missing channels, rows and columns count as zero.
        """
        entry = self._tip
        self.convolution(entering, channels, 3, 2 if halve else 1)
        self.add("Relu")
        self.convolution(channels, channels, 3, 1)
        inner, inner_side = self._tip, (side - 3) // 2 + 1 if halve else side
        self._tip = entry
        side = (side - 2) // 2 + 1 if halve else side
        if halve:
            self.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
        if channels > entering:
            self._pad([0, 0, 0, 0, 0, channels - entering, 0, 0])
        shortcut, self._tip = self._tip, inner
        if side > inner_side:
            self._pad([0, 0, 0, 0, 0, 0, side - inner_side, side - inner_side])
        self.add("Add", shortcut)
        self.add("Relu")
        return side

    def model(self) -> bytes:
        """The finished graph, serialised."""
        entry = helper.make_tensor_value_info("bgr", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
        leaving = helper.make_tensor_value_info("descriptor", TensorProto.FLOAT, ["n", 128])
        graph = helper.make_graph(self._nodes, "dlib_resnet", [entry], [leaving], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        return bytes(model.SerializeToString())

    def _pad(self, ends: list[int]) -> None:
        self.add("Pad", self.constant(np.array(ends, np.int64)))

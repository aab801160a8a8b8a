"""The one place that makes an ONNX Runtime session: device, threads and providers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cvid.errors import ModelError, UnknownBackend

# Set before its first import, this keeps ONNX Runtime 1.31 from collecting telemetry: else it writes a database of
# events and an id of the device to ~/.cache/Microsoft, and has its maker's address to send them to built in.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

DEVICES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
}
"""Device → ONNX Runtime's provider for it."""
_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "openvino": "onnxruntime-openvino",
    "directml": "onnxruntime-directml",
    "rocm": "onnxruntime-rocm",
    "migraphx": "onnxruntime-migraphx",
}
_AUTO = ("cuda",)
"""What `auto` tries before the CPU: only where the same graphs are known to give the same vectors."""


class Session(Protocol):
    """What a model needs of an inference session; tests pass one of their own."""

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph on named inputs; all outputs in order where `outputs` is None."""
        ...

    def get_inputs(self) -> list[Any]:
        """The graph's inputs, each with `.name` and `.shape`."""
        ...

    def get_outputs(self) -> list[Any]:
        """The graph's outputs, likewise."""
        ...

    def get_providers(self) -> list[str]:
        """The execution providers it runs on, the preferred one first."""
        ...


def open_session(
    model: Path | bytes, threads: int = 1, free_axes: tuple[int, ...] = (), device: str = "auto"
) -> Session:
    """Load an ONNX graph from a file or from bytes.

    Args:
        model: the file, or a serialised graph.
        free_axes: axes of the first input that may have any length though the file declares one: exporters
            write down the size they were run with, also for graphs that work at every size.
        threads: intra-op threads. One is the default because videos are spread over processes.
        device: a name of `DEVICES`, or "auto" for a GPU that works, else the CPU.

    Raises:
        ModelError: the file is no ONNX graph that can run here, or the device that was asked for is not there.
        UnknownBackend: no such device.
    """
    import onnxruntime as ort

    wanted = providers_for(device)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        source = _freed(model, free_axes) if free_axes else model if isinstance(model, bytes) else str(model)
        session: Session = ort.InferenceSession(source, options, providers=wanted)
    except Exception as exc:  # onnxruntime has no public base class for its errors
        raise ModelError(
            f"{_name(model)} is not a model that ONNX Runtime can load ({_first_line(exc)}); fetch it again"
        ) from exc
    running = session.get_providers()
    if device != "auto" and running[0] != wanted[0]:
        raise ModelError(
            f"the device '{device}' was asked for, and ONNX Runtime runs {_name(model)} on {running[0]} instead: its "
            "driver or libraries are missing or too old; mend that, or use --device cpu"
        )
    return session


def providers_for(device: str) -> list[str]:
    """ONNX Runtime's providers for a device, the wanted one first, the CPU last for what it cannot do.

    Raises:
        UnknownBackend: no such device.
        ModelError: the installed ONNX Runtime was built without it; the message names the package that has it.
    """
    import onnxruntime as ort

    if device != "auto" and device not in DEVICES:
        raise UnknownBackend("device", device, ["auto", *DEVICES])
    here = ort.get_available_providers()
    if device == "auto":
        return [*(DEVICES[name] for name in _AUTO if DEVICES[name] in here), DEVICES["cpu"]]
    if DEVICES[device] not in here:
        package = _PACKAGES.get(device)
        remedy = f"pip install {package} in place of onnxruntime" if package else "it runs on other systems"
        raise ModelError(f"the device '{device}' is not part of this ONNX Runtime ({', '.join(here)}): {remedy}")
    return list(dict.fromkeys([DEVICES[device], DEVICES["cpu"]]))


def expect(session: Session, name: str, entering: Sequence[int | None], leaving: Sequence[int]) -> int:
    """Refuse a graph of another signature than the model's.

    Args:
        name: the model's name, for the message.
        entering: the one input's axes behind the first; None for an axis that must take any length.
        leaving: the length of each output's last axis; an output that does not declare it is taken at its word later.

    Returns:
        How many pictures the graph takes at once; 0 for any number.

    Raises:
        ModelError: what the graph takes and gives, and what was needed.
    """
    inputs, outputs = session.get_inputs(), [list(output.shape or [None]) for output in session.get_outputs()]
    taken = list(inputs[0].shape or [])
    fits = (
        len(inputs) == 1
        and inputs[0].type == "tensor(float)"
        and len(taken) == len(entering) + 1
        and all(not isinstance(have, int) or have == want for have, want in zip(taken[1:], entering, strict=True))
        and len(outputs) == len(leaving)
        and all(not isinstance(o[-1], int) or o[-1] == want for o, want in zip(outputs, leaving, strict=True))
    )
    if not fits:
        wanted = f"[n, {', '.join('any' if axis is None else str(axis) for axis in entering)}]"
        raise ModelError(
            f"the file of '{name}' holds another kind of model: it takes {' and '.join(f'{i.shape}' for i in inputs)} "
            f"and gives {len(outputs)} outputs ending in {[o[-1] for o in outputs]}, where {wanted} and "
            f"{list(leaving)} are needed; fetch it again"
        )
    return taken[0] if isinstance(taken[0], int) else 0


def _name(model: Path | bytes) -> str:
    return "the built-in graph" if isinstance(model, bytes) else f"{model}"


def _freed(model: Path | bytes, axes: tuple[int, ...]) -> bytes:
    """The graph with the given axes of its first input, and all sizes that follow from them, left open."""
    import onnx

    graph_file = onnx.load_model_from_string(model) if isinstance(model, bytes) else onnx.load(model)
    graph = graph_file.graph
    for axis in axes:
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"free_{axis}"
    for output in graph.output:
        for place, dimension in enumerate(output.type.tensor_type.shape.dim):
            dimension.dim_param = f"{output.name}_{place}"
    del graph.value_info[:]
    return bytes(graph_file.SerializeToString())


def running_on(sessions: Iterable[Session]) -> tuple[str, ...]:
    """The execution providers that sessions really run on first, by ONNX Runtime's names."""
    return tuple(dict.fromkeys(session.get_providers()[0] for session in sessions))


def run_float(session: Session, feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """All outputs of a graph as float32 arrays."""
    return [np.asarray(output, np.float32) for output in session.run(None, feed)]


def _first_line(exc: Exception) -> str:
    return str(exc).strip().splitlines()[0][:200] if str(exc).strip() else type(exc).__name__

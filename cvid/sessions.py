"""The one place that makes an ONNX Runtime session: device, threads, providers, and how data reaches a GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
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
_NUMBERED = ("cuda", "tensorrt", "rocm", "migraphx", "directml")
"""Devices of which a machine may have several: `cuda:1` is the second."""
_OPTIONS = {
    "CUDAExecutionProvider": {
        # The default doubles what it holds each time, for every network on the GPU.
        "arena_extend_strategy": "kSameAsRequested",
        # The default tries all algorithms at every new shape; pictures and batches come in many.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default rounds what it multiplies to 10 bits: vectors would differ from the CPU's in the third digit.
        "use_tf32": "0",
    }
}
"""Provider → what it is told; chosen from its documentation, not measured: there was no GPU to measure on."""
_MEMORY = {"CUDAExecutionProvider": "cuda", "TensorrtExecutionProvider": "cuda"}
"""Provider → ONNX Runtime's name for its memory, where inputs and outputs are bound to it."""


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


Opener = Callable[["Path | bytes", int, tuple[int, ...], str], Session]
"""What `open_session` takes, and gives."""
_openers: list[Opener] = []


def open_sessions_with(opener: Opener | None) -> None:
    """Let something else open every session of this process from now on; None takes it back.

    A worker process calls this once, before it opens its models, if another process owns the GPU: what its models get
    are stand-ins that have their graphs run there, and the models need not know.
    """
    _openers[:] = [opener] if opener else []


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
    open_it = _openers[0] if _openers else open_session_here
    return open_it(model, threads, free_axes, device)


def open_session_here(model: Path | bytes, threads: int, free_axes: tuple[int, ...], device: str) -> Session:
    """`open_session` in this process, whatever else opens its sessions."""
    wanted = providers_for(device)
    try:
        session = _load(model, threads, free_axes, _told(wanted, device))
    except ModelError:
        if wanted[0] == DEVICES["cpu"]:
            raise
        session = _load(model, threads, free_axes, [DEVICES["cpu"]])  # which raises if it is the file's fault
    running = session.get_providers()[0]
    if device != "auto" and running != wanted[0]:
        raise ModelError(
            f"the device '{device}' was asked for, and ONNX Runtime runs {_name(model)} on {running} instead: there is "
            "no such device, or its driver or libraries are missing or too old; mend that, or use --device cpu"
        )
    return BoundSession(session, _MEMORY[running], device_number(device) or 0) if running in _MEMORY else session


def _load(model: Path | bytes, threads: int, free_axes: tuple[int, ...], providers: list[Any]) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        source = _freed(model, free_axes) if free_axes else model if isinstance(model, bytes) else str(model)
        # Its own fallback prints to the terminal, and goes over to the CPU in the middle of a run.
        return ort.InferenceSession(source, options, providers=providers, enable_fallback=0)
    except Exception as exc:  # onnxruntime has no public base class for its errors
        raise ModelError(
            f"{_name(model)} is not a model that ONNX Runtime can load ({_first_line(exc)}); fetch it again"
        ) from exc


class BoundSession:
    """A session whose inputs are copied to the device once, and whose outputs stay there until all are done.

    Args:
        session: ONNX Runtime's.
        memory: ONNX Runtime's name for the device's memory.
        number: which of several devices.
    """

    def __init__(self, session: Any, memory: str, number: int = 0) -> None:
        self._session, self._memory, self._number = session, memory, number
        self._all = [output.name for output in session.get_outputs()]

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph; see `Session.run`."""
        binding = self._session.io_binding()
        for name, array in feed.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in outputs or self._all:
            binding.bind_output(name, self._memory, self._number)
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        found: list[NDArray[Any]] = binding.copy_outputs_to_cpu()
        return found

    def get_inputs(self) -> list[Any]:
        """The graph's inputs; see `Session.get_inputs`."""
        inputs: list[Any] = self._session.get_inputs()
        return inputs

    def get_outputs(self) -> list[Any]:
        """The graph's outputs, likewise."""
        outputs: list[Any] = self._session.get_outputs()
        return outputs

    def get_providers(self) -> list[str]:
        """What it runs on; see `Session.get_providers`."""
        providers: list[str] = self._session.get_providers()
        return providers


def providers_for(device: str) -> list[str]:
    """ONNX Runtime's providers for a device, the wanted one first, the CPU last for what it cannot do.

    Args:
        device: a name of `DEVICES`, with a number where there are several (`cuda:1`), or "auto".

    Raises:
        UnknownBackend: no such device.
        ModelError: the installed ONNX Runtime was built without it; the message names the package that has it.
    """
    import onnxruntime as ort

    name = device_name(device)
    here = ort.get_available_providers()
    if name == "auto":
        return [*(DEVICES[one] for one in _AUTO if DEVICES[one] in here), DEVICES["cpu"]]
    if DEVICES[name] not in here:
        package = _PACKAGES.get(name)
        remedy = f"pip install {package} in place of onnxruntime" if package else "it runs on other systems"
        raise ModelError(f"the device '{name}' is not part of this ONNX Runtime ({', '.join(here)}): {remedy}")
    return list(dict.fromkeys([DEVICES[name], DEVICES["cpu"]]))


def device_name(device: str) -> str:
    """The device without its number.

    Raises:
        UnknownBackend: no such device, or no such number of it.
    """
    name, colon, number = device.partition(":")
    numbered = not colon or (name in _NUMBERED and number.isascii() and number.isdecimal())
    if name not in ("auto", *DEVICES) or not numbered:
        raise UnknownBackend("device", device, ["auto", *DEVICES, "cuda:1 for the second GPU, and so on"])
    return name


def device_number(device: str) -> int | None:
    """Which of several devices of one kind; None where that is not said."""
    number = device.partition(":")[2]
    return int(number) if number else None


def _told(providers: list[str], device: str) -> list[Any]:
    """The providers with their options, as ONNX Runtime takes them."""
    number = device_number(device)
    chosen = {} if number is None else {"device_id": str(number)}
    first, *rest = providers
    options = _OPTIONS.get(first, {}) | chosen
    return [(first, options) if options else first, *rest]


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
    """The graph with the given axes of its first input, and all sizes that follow from them, left open.

    Where the first one is, what is reshaped to [1, −1, …] keeps its first axis instead: exporters write down that they
    had one picture.
    """
    import onnx

    graph_file = onnx.load_model_from_string(model) if isinstance(model, bytes) else onnx.load(model)
    graph = graph_file.graph
    if 0 in axes:
        _keep_batches(graph)
    for axis in axes:
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"free_{axis}"
    for output in graph.output:
        for place, dimension in enumerate(output.type.tensor_type.shape.dim):
            dimension.dim_param = f"{output.name}_{place}"
    del graph.value_info[:]
    return bytes(graph_file.SerializeToString())


def _keep_batches(graph: Any) -> None:
    import onnx

    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    constants = {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    constants |= {tensor.name: tensor for tensor in graph.initializer}
    for name in shapes & set(constants):
        shape = onnx.numpy_helper.to_array(constants[name]).copy()
        if len(shape) > 1 and shape[0] == 1 and -1 in shape:
            shape[0] = 0  # which is ONNX for: as it comes in
            constants[name].CopyFrom(onnx.numpy_helper.from_array(shape, constants[name].name))


def running_on(sessions: Iterable[Session]) -> tuple[str, ...]:
    """The execution providers that sessions really run on first, by ONNX Runtime's names."""
    return tuple(dict.fromkeys(session.get_providers()[0] for session in sessions))


def run_float(session: Session, feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """All outputs of a graph as float32 arrays."""
    return [np.asarray(output, np.float32) for output in session.run(None, feed)]


def _first_line(exc: Exception) -> str:
    return str(exc).strip().splitlines()[0][:200] if str(exc).strip() else type(exc).__name__

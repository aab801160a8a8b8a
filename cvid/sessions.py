"""The one place that makes an ONNX Runtime session: device, threads and providers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cvid.errors import ModelError


class Session(Protocol):
    """What a model needs of an inference session; tests pass one of their own."""

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph on named inputs; all outputs in order where `outputs` is None."""
        ...

    def get_inputs(self) -> list[Any]:
        """The graph's inputs, each with `.name` and `.shape`."""
        ...


def open_session(model: Path | bytes, threads: int = 1, free_axes: tuple[int, ...] = ()) -> Session:
    """Load an ONNX graph from a file or from bytes.

    Args:
        model: the file, or a serialised graph.
        free_axes: axes of the first input that may have any length though the file declares one: exporters
            write down the size they were run with, also for graphs that work at every size.
        threads: intra-op threads. One is the default because videos are spread over processes.

    Raises:
        ModelError: the file is no ONNX graph that can run here.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        source = _freed(model, free_axes) if free_axes else model if isinstance(model, bytes) else str(model)
        session: Session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime has no public base class for its errors
        where = "the built-in graph" if isinstance(model, bytes) else f"{model}"
        raise ModelError(
            f"{where} is not a model that ONNX Runtime can load ({_first_line(exc)}); fetch it again"
        ) from exc
    return session


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


def providers() -> list[str]:
    """The execution providers that sessions run on, by ONNX Runtime's names."""
    return ["CPUExecutionProvider"]


def run_float(session: Session, feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """All outputs of a graph as float32 arrays."""
    return [np.asarray(output, np.float32) for output in session.run(None, feed)]


def _first_line(exc: Exception) -> str:
    return str(exc).strip().splitlines()[0][:200] if str(exc).strip() else type(exc).__name__

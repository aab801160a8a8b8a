"""Where networks run: a device that is not there is an error, never a silent run on the CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from calling import run
from graphs import write_embedder
from onnx import TensorProto, helper, numpy_helper

from cvid.detectors.retinaface import RetinaFaceDetector
from cvid.detectors.scrfd import ScrfdDetector
from cvid.embedders.mobilefacenet import MobileFaceNetEmbedder
from cvid.errors import ModelError, UnknownBackend
from cvid.models.sets import choose
from cvid.sessions import (
    DEVICES,
    BoundSession,
    Session,
    device_name,
    device_number,
    open_session,
    open_session_here,
    open_sessions_with,
    providers_for,
    running_on,
)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_embedder(tmp_path / "graph.onnx", 8, 5)


def test_the_cpu_is_always_there(graph: Path) -> None:
    assert providers_for("cpu") == ["CPUExecutionProvider"]
    assert running_on([open_session(graph, device="cpu")]) == ("CPUExecutionProvider",)
    assert providers_for("auto")[-1] == "CPUExecutionProvider"


def test_an_unknown_device_lists_the_choices() -> None:
    with pytest.raises(UnknownBackend, match="no device named 'gpu'; choose one of: auto, cpu, cuda"):
        providers_for("gpu")


@pytest.mark.parametrize("device", ["cuda:x", "cuda:", "cpu:1", "auto:0", "cuda:-1", "coreml:0", ":1", "cuda:²"])
def test_a_number_is_for_devices_of_which_there_are_several(device: str) -> None:
    with pytest.raises(UnknownBackend, match=f"no device named '{device}'; .*cuda:1 for the second GPU"):
        providers_for(device)
    assert (device_name("cuda:12"), device_number("cuda:12"), device_number("cuda")) == ("cuda", 12, None)


@pytest.mark.parametrize("device", [d for d in DEVICES if DEVICES[d] not in onnxruntime.get_available_providers()])
def test_a_device_that_is_not_built_in_is_an_error(graph: Path, device: str) -> None:
    with pytest.raises(ModelError, match=rf"'{device}' is not part of this ONNX Runtime \(.*CPUExecutionProvider"):
        open_session(graph, device=device)


def test_a_device_that_does_not_start_is_an_error(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime falls back on the CPU in silence where a driver is missing."""
    real = onnxruntime.InferenceSession

    def session(model: Any, options: Any, providers: list[Any], enable_fallback: int) -> Any:
        return real(model, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*DEVICES.values()])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    with pytest.raises(ModelError, match=r"'cuda' was asked for, and ONNX Runtime runs .*graph\.onnx on CPU"):
        open_session(graph, device="cuda")
    assert running_on([open_session(graph, device="auto")]) == ("CPUExecutionProvider",), "what really runs is told"


class Runtime:
    """ONNX Runtime with a GPU: what asks for its provider runs on the CPU in truth, and says the GPU.

    `broken` are the devices, by number, that do not start.
    """

    def __init__(self, patch: pytest.MonkeyPatch, broken: tuple[str, ...] = ()) -> None:
        self.asked: list[Any] = []
        real = onnxruntime.InferenceSession

        class Session(real):  # type: ignore[misc,valid-type]
            """Says what was asked for."""

            def __init__(there, model: Any, options: Any, providers: list[Any], enable_fallback: int) -> None:
                self.asked.append(providers)
                first = providers[0]
                there.name = first[0] if isinstance(first, tuple) else first
                if isinstance(first, tuple) and first[1].get("device_id", "0") in broken:
                    raise RuntimeError("CUDA failure 101: invalid device ordinal")
                super().__init__(model, options, providers=["CPUExecutionProvider"])
                assert not enable_fallback, "its own is a silent one"

            def get_providers(there) -> list[str]:
                return [there.name]

        patch.setattr(onnxruntime, "get_available_providers", lambda: [*DEVICES.values()])
        patch.setattr(onnxruntime, "InferenceSession", Session)


def test_a_gpu_is_told_its_number_and_how_to_run(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(monkeypatch)
    session = open_session(graph, device="cuda:1")
    (name, options), rest = runtime.asked[0]
    assert (name, rest) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert options["device_id"] == "1" and options["use_tf32"] == "0"
    assert options["cudnn_conv_algo_search"] == "HEURISTIC"
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    assert isinstance(session, BoundSession) and running_on([session]) == ("CUDAExecutionProvider",)
    assert "device_id" not in runtime_options(open_session(graph, device="cuda"), runtime)
    assert open_session(graph, device="directml:3") and runtime.asked[-1][0] == (
        "DmlExecutionProvider",
        {"device_id": "3"},
    )
    assert open_session(graph, device="coreml") and runtime.asked[-1][0] == "CoreMLExecutionProvider"


def runtime_options(session: Any, runtime: Runtime) -> dict[str, str]:
    """What the provider of the session that was opened last was told."""
    options: dict[str, str] = runtime.asked[-1][0][1]
    return options


def test_a_gpu_that_is_not_there_is_told_from_a_file_that_is_none(
    graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Runtime(monkeypatch, broken=("0", "7"))
    with pytest.raises(ModelError, match=r"'cuda:7' was asked for, .*there is no such device, or its driver"):
        open_session(graph, device="cuda:7")
    assert running_on([open_session(graph, device="auto")]) == ("CPUExecutionProvider",), "auto takes what works"
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    for device in ("cuda", "cuda:1", "auto", "cpu"):
        with pytest.raises(ModelError, match=r"broken\.onnx is not a model that ONNX Runtime can load"):
            open_session(tmp_path / "broken.onnx", device=device)


def test_what_is_bound_to_a_device_gives_the_same(graph: Path) -> None:
    """Bound to the memory of the CPU, for want of a GPU: inputs that lie in any order, some or all outputs."""
    plain = open_session(graph, device="cpu")
    bound = BoundSession(plain, "cpu")
    faces = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32).transpose(0, 3, 1, 2)
    for outputs in (None, ["vector"]):
        (want,), (have,) = plain.run(outputs, {"input": faces}), bound.run(outputs, {"input": faces})
        assert np.array_equal(want, have) and have.dtype == np.float32
    first = bound.run(None, {"input": faces})[0]
    before = first.copy()
    bound.run(None, {"input": faces + 1})
    assert np.array_equal(first, before), "what a run gave is not written over by the next one"
    assert [e.shape for e in bound.get_inputs()] == [["n", 3, 8, 8]] and bound.get_providers() == plain.get_providers()
    assert [e.name for e in bound.get_outputs()] == ["vector"]


def test_something_else_may_open_the_sessions(graph: Path) -> None:
    asked: list[tuple[Any, ...]] = []

    def opener(*arguments: Any) -> Any:
        asked.append(arguments)
        return open_session_here(*arguments)

    try:
        open_sessions_with(opener)
        assert running_on([open_session(graph, free_axes=(0,), device="cpu")]) == ("CPUExecutionProvider",)
    finally:
        open_sessions_with(None)
    open_session(graph, device="cpu")
    assert asked == [(graph, 1, (0,), "cpu")]


def test_a_graph_written_down_for_one_picture_takes_several(tmp_path: Path) -> None:
    """Its axis says 1, and so does what it reshapes to; what is reshaped to a length without −1 stays."""
    nodes = [
        helper.make_node("Constant", [], ["flat"], value=numpy_helper.from_array(np.array([1, -1], np.int64))),
        helper.make_node("Reshape", ["x", "flat"], ["rows"]),
        helper.make_node("Reshape", ["weights", "row"], ["scale"]),
        helper.make_node("Mul", ["rows", "scale"], ["y"]),
    ]
    fixed = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 3])]
    constants = {"row": np.array([1, 6], np.int64), "weights": np.arange(6, dtype=np.float32)}
    graph = helper.make_graph(
        nodes,
        "one",
        fixed,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    x = np.random.default_rng(0).normal(size=(3, 2, 3)).astype(np.float32)
    together = open_session(model, free_axes=(0,), device="cpu").run(None, {"x": x})[0]
    one = open_session(model, device="cpu")
    assert np.array_equal(together, np.concatenate([one.run(None, {"x": x[i : i + 1]})[0] for i in range(3)]))


WEIGHTS = Path(os.environ.get("CVID_BENCH_DATA") or Path(__file__).parents[2] / "shared") / "models"


@pytest.mark.shared
@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the weights are not here")
@pytest.mark.parametrize(
    ("model", "file", "sides"),
    [
        (ScrfdDetector, "scrfd_500m_kps.onnx", (96, 160)),
        (ScrfdDetector, "scrfd_2.5g_kps.onnx", (96, 160)),
        (RetinaFaceDetector, "retinaface_mnet025.onnx", (64, 96)),
        (MobileFaceNetEmbedder, "MobileFaceNet.onnx", (112, 112)),
    ],
)
def test_the_networks_take_several_pictures_and_give_the_same_bits(
    model: Any, file: str, sides: tuple[int, int]
) -> None:
    session: Session = vars(model(WEIGHTS / file, device="cpu"))["_session"]
    name = session.get_inputs()[0].name
    x = np.random.default_rng(0).normal(size=(3, 3, *sides)).astype(np.float32)
    together, alone = session.run(None, {name: x}), [session.run(None, {name: x[i : i + 1]}) for i in range(3)]
    for place, output in enumerate(together):
        assert np.array_equal(output, np.concatenate([each[place] for each in alone]))


def test_the_device_reaches_every_part() -> None:
    parts = choose("embedded", device="cpu").open()
    assert parts.detector.providers == parts.embedder.providers == ("CPUExecutionProvider",)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is a GPU")
def test_index_refuses_a_device_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    refused = run("index", tmp_path / "clips", "--archive", tmp_path / "a", "--models", "embedded", "--device", "cuda")
    assert refused.exit_code == 1 and "pip install onnxruntime-gpu in place of onnxruntime" in refused.stderr

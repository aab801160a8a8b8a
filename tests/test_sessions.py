"""Where networks run: a device that is not there is an error, never a silent run on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from calling import run
from graphs import write_embedder

from cvid.errors import ModelError, UnknownBackend
from cvid.models.sets import choose
from cvid.sessions import DEVICES, open_session, providers_for, running_on


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


def test_the_device_reaches_every_part() -> None:
    parts = choose("embedded", device="cpu").open()
    assert parts.detector.providers == parts.embedder.providers == ("CPUExecutionProvider",)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is a GPU")
def test_index_refuses_a_device_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    refused = run("index", tmp_path / "clips", "--archive", tmp_path / "a", "--models", "embedded", "--device", "cuda")
    assert refused.exit_code == 1 and "pip install onnxruntime-gpu in place of onnxruntime" in refused.stderr

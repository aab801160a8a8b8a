"""The process that owns the networks, on the CPU in place of a GPU: same results, and nobody's death hurts another."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import write_embedder, write_retinaface
from numpy.typing import NDArray

from archive.engines.inference.blocks import Block
from archive.engines.inference.processes import InferenceProcesses, gpus_for, visible_gpus
from archive.engines.inference.remote import GraphFailed, InferenceLost, RemoteNetworks, use_networks_at
from cvid.chips import cut_chip
from cvid.errors import ModelError
from cvid.models.sets import choose
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.sessions import Session, open_session, open_sessions_with

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def processes() -> Iterator[InferenceProcesses]:
    with InferenceProcesses([""]) as running:
        yield running


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a process that no test ends."""
    with InferenceProcesses([""]) as running:
        yield running.next_address()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_embedder(tmp_path / "graph.onnx", 8, 5)


def opened(address: str, model: Path) -> Session:
    return RemoteNetworks(address).open(model, 1, (), "cpu")


def faces(number: int, rows: int = 1, seed: int = 0) -> list[NDArray[Any]]:
    return list(np.random.default_rng(seed).normal(size=(number, rows, 3, 8, 8)).astype(np.float32))


def networks() -> list[Any]:
    """The processes that own networks now."""
    return [child for child in multiprocessing.active_children() if child.name == "cvid networks"]


def memory_of(session: Session) -> Path:
    """Where Linux shows the block of a worker's session."""
    block = vars(vars(session)["_networks"])["_block"]
    assert isinstance(block, Block)
    return SHARED_MEMORY / block.name


def test_results_are_the_same_bits_for_many_workers_at_once(address: str, graph: Path, tmp_path: Path) -> None:
    """Two graphs, pictures of several sizes; 8 workers, each with a connection."""
    other = write_retinaface(tmp_path / "boxes.onnx")
    direct, boxes = open_session(graph, device="cpu"), open_session(other, device="cpu")
    rng = np.random.default_rng(1)
    pictures = [rng.random((1, 32 * (1 + i % 3), 64, 3), np.float32) for i in range(6)]

    def work(seed: int) -> bool:
        there = RemoteNetworks(address)
        near, far = there.open(graph, 1, (), "cpu"), there.open(other, 1, (), "cpu")
        same = []
        for face, picture in zip(faces(6, rows=1 + seed % 3, seed=seed), pictures, strict=True):
            same.append(np.array_equal(near.run(None, {"input": face})[0], direct.run(None, {"input": face})[0]))
            want, have = boxes.run(None, {"picture": picture}), far.run(None, {"picture": picture})
            same += [np.array_equal(a, b) for a, b in zip(want, have, strict=True)]
        return all(same)

    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(work, range(8)))


def test_a_stand_in_tells_what_the_session_tells(address: str, graph: Path) -> None:
    direct, remote = open_session(graph, device="cpu"), opened(address, graph)
    for mine, theirs in ((direct.get_inputs(), remote.get_inputs()), (direct.get_outputs(), remote.get_outputs())):
        assert [(e.name, e.type, e.shape) for e in mine] == [(e.name, e.type, e.shape) for e in theirs]
    assert remote.get_providers() == ["CPUExecutionProvider"]


def test_models_need_not_know(address: str) -> None:
    """Whole detectors and embedders, whose graphs are built in memory, run over there with the same results."""
    picture = np.asarray(cv2.imread(str(packaged_file("skimage", "data/astronaut.png"))), np.uint8)
    here = choose("embedded", device="cpu").open()
    try:
        use_networks_at(address)
        there = choose("embedded", device="cpu").open()
        assert there.detector.providers == there.embedder.providers == ("CPUExecutionProvider",)
        assert there.embedder.model == here.embedder.model
        a, b = here.detector.detect(picture), there.detector.detect(picture)
        assert len(a) == 1 and np.array_equal(a.xyxy, b.xyxy) and np.array_equal(a.landmarks, b.landmarks)
        chip = [cut_chip(picture, a.xyxy[0], a.landmarks[0])]
        assert np.array_equal(here.embedder.embed(chip).vectors, there.embedder.embed(chip).vectors)
    finally:
        open_sessions_with(None)


def test_where_there_is_no_gpu_auto_runs_in_the_worker(address: str, graph: Path) -> None:
    here = RemoteNetworks(address).open(graph, 1, (), "auto")
    assert type(here).__name__ == "InferenceSession" and here.get_providers() == ["CPUExecutionProvider"]


def test_errors_of_opening_are_the_same_sentences(address: str, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    there = RemoteNetworks(address)
    with pytest.raises(ModelError, match=r"broken\.onnx is not a model that ONNX Runtime can load"):
        there.open(tmp_path / "broken.onnx", 1, (), "cpu")
    with pytest.raises(ModelError, match="'coreml' is not part of this ONNX Runtime"):
        there.open(tmp_path / "broken.onnx", 1, (), "coreml")


def test_a_failing_graph_fails_for_its_worker_only(address: str, graph: Path) -> None:
    good, bad = opened(address, graph), opened(address, graph)
    with pytest.raises(GraphFailed, match="InvalidArgument"):
        bad.run(None, {"input": np.zeros((1, 3, 9, 9), np.float32)})
    with pytest.raises(GraphFailed, match="no such output"):
        bad.run(["no such output"], {"input": faces(1)[0]})
    want = open_session(graph, device="cpu").run(None, {"input": faces(1)[0]})[0]
    for session in (good, bad):
        assert np.array_equal(session.run(None, {"input": faces(1)[0]})[0], want)


def test_outputs_without_room_come_another_way_and_get_room(address: str, tmp_path: Path) -> None:
    """The graph gives 100 times what it takes."""
    graph = write_embedder(tmp_path / "wide.onnx", 8, 20_000)
    direct, remote = open_session(graph, device="cpu"), opened(address, graph)
    for face in faces(3):
        assert np.array_equal(remote.run(None, {"input": face})[0], direct.run(None, {"input": face})[0])


def die_in_the_middle(address: str, graph: Path, ready: Connection[Any, Any]) -> None:
    """A worker that goes on and on until it is killed."""
    session = opened(address, graph)
    while True:
        session.run(None, {"input": faces(1)[0]})
        ready.send(memory_of(session))


def killed_worker(address: str, graph: Path) -> Path:
    """The memory that a worker had which was killed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=die_in_the_middle, args=(address, graph, theirs), daemon=True)
    worker.start()
    for _ in range(3):
        assert ours.poll(30)
        memory: Path = ours.recv()
    assert memory.exists()
    worker.kill()
    worker.join()
    return memory


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="blocks are only visible on Linux")
def test_a_killed_worker_is_forgotten_and_its_memory_freed(processes: InferenceProcesses, graph: Path) -> None:
    other = opened(processes.next_address(), graph)
    want = other.run(None, {"input": faces(1)[0]})[0]
    memory = killed_worker(processes.next_address(), graph)
    assert np.array_equal(other.run(None, {"input": faces(1)[0]})[0], want)
    until = time.monotonic() + 10
    while memory.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not memory.exists() and memory_of(other).exists()
    processes.close()
    assert not memory_of(other).exists()


def test_a_killed_process_is_an_error_and_the_next_worker_gets_a_new_one(
    processes: InferenceProcesses, graph: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = networks()
    address = processes.next_address()
    session = opened(address, graph)
    want = session.run(None, {"input": faces(1)[0]})[0]
    (server,) = (process for process in networks() if process not in before)
    memory = memory_of(session)
    server.kill()
    for _ in range(2):
        with pytest.raises(InferenceLost, match="the process that runs the networks has died"):
            session.run(None, {"input": faces(1)[0]})
    assert not memory.exists()
    server.join()
    with pytest.raises(InferenceLost):
        RemoteNetworks(address)
    again = opened(processes.next_address(), graph)
    assert np.array_equal(again.run(None, {"input": faces(1)[0]})[0], want)
    assert "is started anew" in caplog.text
    assert not Path(address).parent.exists(), "nothing of the old one is left"


def test_workers_are_spread_over_the_gpus_in_turn() -> None:
    before = networks()
    with InferenceProcesses(["0", "1"]) as processes:
        first, second, third = (processes.next_address() for _ in range(3))
        assert first == third != second
    with InferenceProcesses([]) as none:
        assert none.next_address() == ""
    assert networks() == before


def test_on_the_cpu_every_worker_runs_its_own_networks() -> None:
    assert gpus_for("cpu") == []


@pytest.mark.parametrize(
    ("named", "gpus"),
    [("0,1", ["0", "1"]), (" 2 ", ["2"]), ("GPU-8e3a,GPU-17", ["GPU-8e3a", "GPU-17"]), ("", []), ("1,-1,0", ["1"])],
)
def test_the_user_says_which_gpus_there_are(named: str, gpus: list[str], tmp_path: Path) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": named}, tmp_path) == gpus


def test_else_the_driver_does(tmp_path: Path) -> None:
    for bus in ("0000:01:00.0", "0000:41:00.0"):
        (tmp_path / bus).mkdir()
    assert visible_gpus({}, tmp_path) == ["0", "1"]
    assert visible_gpus({}, tmp_path / "no driver") is None


def test_a_block_keeps_arrays_of_any_kind() -> None:
    arrays = [np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::2], np.float32([[1.5]]), np.zeros((0, 4), np.uint8)]
    block = Block.make(4096)
    try:
        there = Block.at(block.name)
        slots = block.put(arrays)
        assert slots and all(np.array_equal(there.taken(s), a) for s, a in zip(slots, arrays, strict=True))
        assert [there.taken(s).dtype for s in slots] == [a.dtype for a in arrays]
        assert block.put([np.zeros(block.size_bytes + 1, np.uint8)]) is None
        there.close()
    finally:
        block.discard()
    block.discard()

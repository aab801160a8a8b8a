"""Requests that wait together are run together, and every caller gets what a run of its own would have given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from graphs import write_embedder
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cvid.batching import BatchingSession, takes_batches
from cvid.sessions import open_session

LONG_S = 20.0
"""A patience that a test would notice."""


class Recorder:
    """A session that doubles, refuses pictures with a negative number, and remembers how many it was given each time.

    `whole` leaves out axis 0 of the outputs, as a graph for one picture may.
    """

    def __init__(self, axis: Any = "n", whole: bool = False, provider: str = "CPUExecutionProvider") -> None:
        self.rows: list[int] = []
        self._axis, self._whole, self._provider = axis, whole, provider

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Twice the input, and its sum a row."""
        self.rows.append(len(feed["x"]))
        if (feed["x"] < 0).any():
            raise ValueError(f"negative: {feed['x'].min()}")
        twice = 2 * feed["x"]
        return [twice.sum(axis=0)] if self._whole else [twice, twice.sum(axis=(1, 2))]

    def get_inputs(self) -> list[Any]:
        """One, with a free first axis."""
        return [SimpleNamespace(name="x", shape=[self._axis, "h", "w"], type="tensor(float)")]

    get_outputs = get_inputs

    def get_providers(self) -> list[str]:
        """The one it was made with."""
        return [self._provider]


def picture(value: float, rows: int = 1, side: int = 2) -> NDArray[Any]:
    return np.full((rows, side, side), value, np.float32)


def at_once(session: BatchingSession, pictures: Sequence[NDArray[Any]]) -> list[Any]:
    """The answers, or errors, of as many threads as there are pictures."""

    def ask(x: NDArray[Any]) -> Any:
        try:
            return session.run(None, {"x": x})
        except ValueError as exc:
            return exc

    with ThreadPoolExecutor(len(pictures)) as threads:
        return list(threads.map(ask, pictures))


def expecting(number: int, **options: Any) -> Callable[[Recorder], BatchingSession]:
    return lambda recorder: BatchingSession(recorder, patience_s=LONG_S, callers=lambda: number, **options)


def test_all_callers_together_are_one_run() -> None:
    recorder = Recorder()
    answers = at_once(expecting(6)(recorder), [picture(i) for i in range(6)])
    assert recorder.rows == [6]
    assert [(a[0][0, 0, 0], a[1].tolist()) for a in answers] == [(2 * i, [8.0 * i]) for i in range(6)]


def test_a_batch_has_no_more_than_it_may() -> None:
    recorder = Recorder()
    at_once(BatchingSession(recorder, most=4, patience_s=0.2, callers=lambda: 6), [picture(i) for i in range(6)])
    assert max(recorder.rows) <= 4 and sum(recorder.rows) == 6
    recorder = Recorder()
    at_once(BatchingSession(recorder, most=4, patience_s=0.2), [picture(1, rows=9), picture(2), picture(3)])
    assert 9 in recorder.rows, "more than a batch may have is run alone"


def test_what_comes_during_a_run_is_the_next_batch() -> None:
    recorder, entered, go = Recorder(), threading.Event(), threading.Event()
    run = recorder.run

    def slowly(outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        if not recorder.rows:
            entered.set()
            assert go.wait(LONG_S)
        return run(outputs, feed)

    recorder.run = slowly  # type: ignore[method-assign]
    session = BatchingSession(recorder, patience_s=0, callers=lambda: 1)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(session.run, None, {"x": picture(1)})
        assert entered.wait(LONG_S)
        rest = [threads.submit(session.run, None, {"x": picture(i)}) for i in range(4)]
        time.sleep(0.2)  # all four wait now
        go.set()
        assert [f.result()[0][0, 0, 0] for f in [first, *rest]] == [2, 0, 2, 4, 6]
    assert recorder.rows == [1, 4]


def test_nobody_waits_longer_than_the_patience() -> None:
    session = BatchingSession(Recorder(), patience_s=0.05)
    began = time.monotonic()
    session.run(None, {"x": picture(1)})
    assert 0.04 < time.monotonic() - began < LONG_S / 2


def test_an_error_reaches_only_whom_it_belongs_to() -> None:
    recorder = Recorder()
    session = expecting(4)(recorder)
    answers = at_once(session, [picture(1), picture(-7), picture(2), picture(3)])
    assert [str(a) if isinstance(a, Exception) else a[0][0, 0, 0] for a in answers] == [2, "negative: -7.0", 4, 6]
    assert recorder.rows == [4, 1, 1, 1, 1]
    at_once(session, [picture(i) for i in range(4)])
    assert recorder.rows[5:] == [4], "a bad picture is no reason to give up batches"


def test_a_graph_that_does_not_keep_pictures_apart_gets_one_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(whole=True)
    session = expecting(3)(recorder)
    answers = at_once(session, [picture(i) for i in range(3)])
    assert [a[0][0, 0] for a in answers] == [0, 2, 4] and recorder.rows == [3, 1, 1, 1]
    assert "one at a time" in caplog.text
    assert [a[0][0, 0] for a in at_once(session, [picture(i) for i in range(3)])] == [0, 2, 4]
    assert recorder.rows[4:] == [1, 1, 1]


@pytest.mark.parametrize("recorder", [Recorder(axis=1), Recorder(provider="TensorrtExecutionProvider")])
def test_a_graph_for_one_picture_or_compiled_for_each_shape_gets_one(recorder: Recorder) -> None:
    assert not takes_batches(recorder) and takes_batches(Recorder())
    at_once(expecting(3)(recorder), [picture(i) for i in range(3)])
    assert recorder.rows == [1, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(2, 4), st.integers(0, 9)), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_the_shapes_each_gets_its_own(asked: list[tuple[int, int, int]]) -> None:
    """Rows, sides and values of any mixture, also of no rows at all."""
    pictures = [picture(value, rows, side) for rows, side, value in asked]
    session = BatchingSession(Recorder(), most=5, patience_s=0.001, callers=lambda: len(asked))
    for given_, answer in zip(pictures, at_once(session, pictures), strict=True):
        assert np.array_equal(answer[0], 2 * given_) and answer[1].shape == (len(given_),)


def test_a_real_graph_gives_the_same_bits_from_many_threads(tmp_path: Path) -> None:
    direct = open_session(write_embedder(tmp_path / "graph.onnx", 8, 5), device="cpu")
    faces = np.random.default_rng(0).normal(size=(60, 1, 3, 8, 8)).astype(np.float32)
    together = BatchingSession(direct, callers=lambda: 12)
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda face: together.run(["vector"], {"input": face})[0], faces))
    for face, vector in zip(faces, found, strict=True):
        assert np.array_equal(vector, direct.run(None, {"input": face})[0])
    assert together.get_providers() == ["CPUExecutionProvider"]
    assert [(e.name, e.shape) for e in together.get_inputs()] == [("input", ["n", 3, 8, 8])]
    assert [e.name for e in together.get_outputs()] == ["vector"]

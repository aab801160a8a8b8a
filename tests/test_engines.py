"""Worker processes that die, crash, hang or cannot open their models cost a file at most, never the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import RED, film, painted_settings, white_video
from fakes import open_deadly, open_fakes, open_faulty, open_nothing

from archive.engines import ENGINES, Began, Broke, Done, Engine, Job, Message, Opened, OpenParts
from archive.engines.local import LocalEngine
from archive.found import Stamp
from cvid.errors import ModelError
from cvid.video import probe

HERE = [name for name in ENGINES.names() if name != "ray"]
"""A cluster has tests of its own, tests/test_ray.py."""


def job(path: Path) -> Job:
    return Job(path, "0" * 64, Stamp.of(path.stat()), probe(path))


def run(engine: Engine, *paths: Path) -> dict[str, str]:
    """File → "" or why it broke."""
    messages: list[Message] = []
    engine.run([job(path) for path in paths], messages.append)
    assert isinstance(messages[0], Opened) and sum(isinstance(m, Began) for m in messages) >= len(paths)
    return {m.job.path.name: m.reason if isinstance(m, Broke) else "" for m in messages if isinstance(m, Done | Broke)}


def local(open_parts: OpenParts, jobs: int = 2) -> LocalEngine:
    return LocalEngine(open_parts, painted_settings(jobs=jobs))


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [film(tmp_path / f"{name}.mp4", RED, seconds=0.5) for name in "abc"]


@pytest.mark.parametrize("name", HERE)
def test_every_engine_does_every_job(name: str, clips: list[Path], tmp_path: Path) -> None:
    film(tmp_path / "gone.mp4", RED, seconds=0.5)
    lost = job(tmp_path / "gone.mp4")
    (tmp_path / "gone.mp4").unlink()
    engine: Engine = ENGINES.create(name, open_parts=open_fakes, settings=painted_settings(jobs=2))
    assert run(engine, *clips) == {"a.mp4": "", "b.mp4": "", "c.mp4": ""}
    broken: list[Message] = []
    engine.run([lost], broken.append)
    assert [m.reason for m in broken if isinstance(m, Broke)] == ["it vanished before it was read to its end"]
    engine.run([], broken.append)


@pytest.mark.parametrize("name", HERE)
def test_models_that_cannot_be_opened_end_the_run(name: str, clips: list[Path]) -> None:
    engine: Engine = ENGINES.create(name, open_parts=open_nothing, settings=painted_settings())
    with pytest.raises(ModelError, match="weights of 'squares'"):
        engine.run([job(clips[0])], lambda message: None)


@pytest.mark.parametrize(
    ("deaths", "outcome"), [(1, ""), (9, "the analysis broke down on it twice: its process ended by exit code 9")]
)
def test_a_worker_that_dies_costs_one_retry_and_then_one_file(
    tmp_path: Path, clips: list[Path], deaths: int, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVID_TEST_DEATHS", str(tmp_path / "deaths"))
    monkeypatch.setenv("CVID_TEST_DEATHS_MAX", str(deaths))
    white = white_video(tmp_path / "white.mp4")
    assert run(local(open_deadly), white, *clips) == {"a.mp4": "", "b.mp4": "", "c.mp4": "", "white.mp4": outcome}
    assert (tmp_path / "deaths").stat().st_size == min(deaths, 2)


def test_an_error_of_the_program_costs_one_file(tmp_path: Path, clips: list[Path]) -> None:
    outcome = run(local(open_faulty), clips[0], white_video(tmp_path / "white.mp4"), clips[1])
    assert outcome.pop("white.mp4") == "the analysis broke down on it twice: ZeroDivisionError: white"
    assert outcome == {"a.mp4": "", "b.mp4": ""}


def test_a_worker_that_hangs_is_ended(tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = LocalEngine(open_deadly, painted_settings(jobs=1), stalled_s=1.5)
    monkeypatch.setenv("CVID_TEST_DEATHS", str(tmp_path / "pipe"))
    monkeypatch.setenv("CVID_TEST_DEATHS_MAX", "1")
    os.mkfifo(tmp_path / "pipe")  # reading it blocks for ever
    outcome = run(engine, white_video(tmp_path / "white.mp4"), clips[0])
    assert outcome == {"white.mp4": "the decoder hangs on it", "a.mp4": ""}


def test_what_the_receiver_raises_ends_the_workers(clips: list[Path]) -> None:
    import multiprocessing

    def receive(message: Message) -> None:
        if isinstance(message, Done):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local(open_fakes).run([job(path) for path in clips], receive)
    assert not multiprocessing.active_children()

"""An engine whose workers have their networks run elsewhere finds what it finds without."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import painted_settings

from archive.engines import Broke, Done, Engine, Job, Message, Opened
from archive.engines.inline import InlineEngine
from archive.engines.local import LocalEngine
from archive.found import Stamp
from cvid.models.sets import choose
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.video import probe

MODELS = choose("embedded", device="cpu")


@pytest.fixture
def portraits(tmp_path: Path) -> list[Job]:
    """One face, each time a little smaller."""
    whole = cv2.imread(str(packaged_file("skimage", "data/astronaut.png")))
    jobs = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), whole[20:260, 120 + 8 * number : 360])
        jobs.append(Job(path, f"{number}" * 64, Stamp.of(path.stat()), probe(path)))
    return jobs


def seen(engine: Engine, jobs: Sequence[Job], also: Callable[[Message], None] = lambda message: None) -> list[Message]:
    messages: list[Message] = []

    def receive(message: Message) -> None:
        messages.append(message)
        also(message)

    engine.run(jobs, receive)
    return messages


def found(messages: Sequence[Message]) -> dict[str, list[np.ndarray]]:
    """File → boxes and vectors of its tracks."""
    assert not [m.reason for m in messages if isinstance(m, Broke)]
    return {
        m.job.path.name: [array for t in m.analysis.tracks for array in (t.track.xyxy, t.exemplars.vectors)]
        for m in messages
        if isinstance(m, Done)
    }


def test_the_networks_run_elsewhere_and_find_the_same(portraits: list[Job]) -> None:
    here = seen(InlineEngine(MODELS.open, painted_settings()), portraits)
    there = seen(LocalEngine(MODELS.open, painted_settings(jobs=2), gpus=[""]), portraits)
    assert next(m for m in here if isinstance(m, Opened)) in there, "the same models, on the same providers"
    want, have = found(here), found(there)
    assert sorted(want) == sorted(have) == ["0.png", "1.png", "2.png"]
    for name, arrays in want.items():
        assert len(arrays) >= 2 and len(arrays[1]) == 1, "somebody with a vector"
        assert all(np.array_equal(a, b) for a, b in zip(arrays, have[name], strict=True))


def test_a_killed_process_costs_a_retry_and_no_file(portraits: list[Job], caplog: pytest.LogCaptureFixture) -> None:
    killed: list[int | None] = []

    def kill(message: Message) -> None:
        if isinstance(message, Done) and not killed:
            (networks,) = (p for p in multiprocessing.active_children() if p.name == "cvid networks")
            networks.kill()
            killed.append(networks.pid)

    messages = seen(LocalEngine(MODELS.open, painted_settings(jobs=1), gpus=[""]), portraits[:2], kill)
    assert sorted(found(messages)) == ["0.png", "1.png"] and killed
    assert "InferenceLost: the process that runs the networks has died" in caplog.text
    assert not [p for p in multiprocessing.active_children() if p.name == "cvid networks"]

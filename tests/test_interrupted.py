"""A run that is stopped anywhere, by Ctrl-C, kill or a full disk, loses nothing that was finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import (
    BLUE,
    GREEN,
    MAGENTA,
    RED,
    YELLOW,
    film,
    painted_settings,
)
from fakes import open_fakes
from indexing import files, film_footage, index
from sqlalchemy import Engine, event

from archive.catalogue import Catalogue
from archive.events import Event, Finished, Scanned, Started, WritingFolders
from archive.index import index_footage
from cvid.errors import CatalogueError

HERE = Path(__file__).parent


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    return film_footage(tmp_path / "footage")


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path, footage: Path) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, Finished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(tmp_path / "archive", footage, hook=hook)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().runs[0].outcome == "stopped by KeyboardInterrupt"
        assert catalogue.status().sources == 1
    resumed = index(tmp_path / "archive", footage)
    assert resumed.videos == {"found": 4, "indexed": 3, "skipped": 1, "failed": 0, "ignored": 1}
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


@pytest.mark.parametrize("stage", [Scanned, Started, Finished, WritingFolders])
def test_stopped_anywhere_the_next_run_goes_on(tmp_path: Path, footage: Path, stage: type) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, stage):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        index(tmp_path / "archive", footage, hook=hook)
    index(tmp_path / "archive", footage)
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


def test_ctrl_c_in_the_middle_of_a_statement_is_still_ctrl_c(tmp_path: Path, footage: Path) -> None:
    def interrupt(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "INSERT INTO pictures" in statement:
            raise KeyboardInterrupt

    event.listen(Engine, "after_cursor_execute", interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            index(tmp_path / "archive", footage)
    finally:
        event.remove(Engine, "after_cursor_execute", interrupt)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert (catalogue.status().tracks, catalogue.status().sources) == (0, 0)
    index(tmp_path / "archive", footage)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert [run.outcome for run in catalogue.status().runs] in (["done", "stopped"], ["stopped", "done"])


def test_one_worker_or_two_give_the_same_archive(tmp_path: Path, footage: Path) -> None:
    film(footage / "e.mp4", MAGENTA, YELLOW)
    for jobs in (1, 2):
        settings = painted_settings(jobs=jobs)
        index_footage(
            tmp_path / str(jobs), [footage], settings, lambda event: None, open_parts=open_fakes, engine="local"
        )
    index(tmp_path / "inline", footage)
    assert files(tmp_path / "1") == files(tmp_path / "2") == files(tmp_path / "inline")


SCRIPT = """
import sys, time
from pathlib import Path
from archive.events import Finished
from archive.index import index_footage
from builders import painted_settings
from fakes import open_fakes

def hook(event):
    if isinstance(event, Finished):
        print("finished", flush=True)
        time.sleep(0.1)

if __name__ == "__main__":
    archive, footage, engine = sys.argv[1:]
    index_footage(Path(archive), [Path(footage)], painted_settings(jobs=2), hook, open_parts=open_fakes, engine=engine)
"""


def start(tmp_path: Path, engine: str) -> subprocess.Popen[str]:
    """`index` in a process of its own, up to its first finished video."""
    (tmp_path / "script.py").write_text(SCRIPT)
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "archive"), str(tmp_path / "footage"), engine],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout and running.stdout.readline() == "finished\n"
    return running


def gone(pids: Sequence[int]) -> bool:
    """Have all these processes ended, after a short while?"""
    for _ in range(100):
        if not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("engine", ["inline", "local"])
def test_killed_in_the_middle_the_next_run_goes_on(tmp_path: Path, footage: Path, engine: str) -> None:
    for i in range(6):
        film(footage / f"x{i}.mp4", (RED, GREEN, BLUE)[i % 3], seconds=3 + i / 10)
    running = start(tmp_path, engine)
    with pytest.raises(CatalogueError, match=f"is in use by process {running.pid} "):
        index(tmp_path / "archive", footage)
    workers = children(running.pid)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert gone(workers), "workers end with their parent"

    with Catalogue.open(tmp_path / "archive") as catalogue:
        finished = catalogue.status().sources
    resumed = index(tmp_path / "archive", footage)
    assert 1 <= finished < 10 and resumed.videos["skipped"] == finished and resumed.videos["indexed"] == 10 - finished
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_ctrl_c_in_a_terminal_ends_the_workers_quietly(tmp_path: Path, footage: Path) -> None:
    for i in range(6):
        film(footage / f"x{i}.mp4", RED, seconds=3 + i / 10)
    running = start(tmp_path, "local")
    workers = children(running.pid)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert workers and gone(workers)

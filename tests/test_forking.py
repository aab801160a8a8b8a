"""The process that workers are forked from: what they get from it, and what of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from archive import forking

FORKS = sys.platform == "linux"


def tell(pipe: Any, *names: str) -> None:
    """In a worker: what it was given, what surrounds it, and what it has loaded without asking."""
    loaded = [name for name in ("onnxruntime", "archive.engines.worker") if name in sys.modules]
    deaf = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    pipe.send(([os.environ.get(name) for name in names], loaded, deaf, str(Path.cwd()), list(sys.path)))


def told(*names: str) -> tuple[list[str | None], list[str], bool, str, list[str]]:
    process, pipe = forking.start(tell, *names)
    try:
        answer: tuple[list[str | None], list[str], bool, str, list[str]] = pipe.recv()
        return answer
    finally:
        process.join(10)
        assert process.exitcode == 0


@pytest.mark.parametrize("platform", sorted({sys.platform, "darwin"}))
def test_a_worker_has_the_environment_of_its_parent(
    platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also where the process that it is forked from has an older one."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.chdir(tmp_path)
    forking.begin()
    monkeypatch.setenv("CVID_MODEL_DIR", "elsewhere")
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.delenv("HOME", raising=False)
    names = ("CVID_MODEL_DIR", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "HOME", "PYTHONSAFEPATH")
    surroundings, _, deaf, folder, path = told(*names)
    assert surroundings == ["elsewhere", "3", "1", None, os.environ.get("PYTHONSAFEPATH")]
    assert deaf and folder == str(tmp_path) and path == sys.path
    assert "OMP_NUM_THREADS" not in os.environ, "this process keeps its own"


@pytest.mark.skipif(not FORKS, reason="workers are forked on Linux alone")
def test_what_a_worker_needs_is_there_already() -> None:
    code = "from test_forking import told\nif __name__ == '__main__':\n    print(*told()[1])"
    here = str(Path(__file__).parent)
    path = os.pathsep.join((here, str(Path(here).parent)))
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["onnxruntime", "archive.engines.worker"]


@pytest.mark.skipif(not FORKS, reason="workers are forked on Linux alone")
def test_nothing_is_loaded_from_the_working_directory(tmp_path: Path) -> None:
    """Where footage lies, anybody's file may be called like a module."""
    for name in ("onnx.py", "random.py", "archive.py"):
        (tmp_path / name).write_text("open('was-here', 'w')")
    program = tmp_path.parent / "program.py"
    program.write_text("import time\nfrom archive import forking\nforking.begin()\ntime.sleep(2)")
    root = str(Path(forking.__file__).parent.parent)
    subprocess.run([sys.executable, str(program)], env=os.environ | {"PYTHONPATH": root}, cwd=tmp_path, check=True)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.skipif(not FORKS, reason="workers are forked on Linux alone")
def test_it_ends_with_its_parent_however_that_ends() -> None:
    code = (
        "import os, time; from multiprocessing import forkserver; from archive import forking; forking.begin();"
        "print(forkserver._forkserver._forkserver_pid, flush=True); time.sleep(60)"
    )
    root = str(Path(forking.__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": root}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        server = int(parent.stdout.readline())
        assert runs(server)
        parent.kill()
    until = time.monotonic() + 20
    while runs(server) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(server)


def runs(pid: int) -> bool:
    """Is there such a process, other than one that waits to be buried?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

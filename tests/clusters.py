"""A Ray cluster of several nodes on this machine: `ray start`, each node in a session of its own, on loopback alone."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_QUICK = {
    "RAY_health_check_initial_delay_ms": "3000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}
"""A node that is gone is noticed within seconds; Ray's own waiting suits networks that stumble."""


class RayNode:
    """One `ray start` with all that it starts."""

    def __init__(self, number: int, folder: Path, arguments: list[str], environment: dict[str, str]) -> None:
        self._said = folder / f"node{number}.txt"
        self.address = f"127.0.0.{number}"
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
        command += [f"--node-ip-address={self.address}", f"--node-name=node{number}", *arguments]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, f"--object-store-memory={80 << 20}"],
                env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **_QUICK, **environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_start(self) -> RayNode:
        """Wait until it runs."""
        deadline = time.monotonic() + 40
        while "runtime started" not in self._said.read_text(errors="replace"):
            assert time.monotonic() < deadline and self._process.poll() is None, self._said.read_text(errors="replace")
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """End it as a power cut would, and wait until nothing of it is left."""
        deadline = time.monotonic() + 20
        while (left := self.processes()) and time.monotonic() < deadline:
            for process in left:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process.poll()
            time.sleep(0.05)
        assert not left, left

    def processes(self, name: str = "") -> list[int]:
        """The living processes of the node; those alone whose command line holds a name."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
                if status and status[3] == str(self._process.pid) and status[0] != "Z":
                    found += [int(entry.name)] if name in (entry / "cmdline").read_text() else []
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found


class RayNodes:
    """A head, and nodes that are added; all end with the block, in which this process has their token."""

    def __init__(self, cpus: int = 0) -> None:
        self._cpus = cpus
        self._token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._environment = pytest.MonkeyPatch()
        self._folder = Path(tempfile.mkdtemp(prefix="cvid-ray-", dir="/tmp"))  # sockets need short paths
        self.nodes: list[RayNode] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.2:{port}"

    def __enter__(self) -> RayNodes:
        for name, value in self._token.items():
            self._environment.setenv(name, value)
        head = [
            "--head",
            f"--port={self.address.rpartition(':')[2]}",
            f"--num-cpus={self._cpus}",
            "--include-dashboard=false",
        ]
        self._add([*head, f"--temp-dir={self._folder}"], {}).await_start()
        return self

    def __exit__(self, *exc: object) -> None:
        for node in reversed(self.nodes):
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._environment.undo()

    def add(self, cpus: int = 1, gpus: int = 0, **environment: str) -> RayNode:
        """One more node; it runs some seconds later."""
        return self._add([f"--address={self.address}", f"--num-cpus={cpus}", f"--num-gpus={gpus}"], environment)

    def _add(self, arguments: list[str], environment: dict[str, str]) -> RayNode:
        self.nodes.append(RayNode(2 + len(self.nodes), self._folder, arguments, environment))
        return self.nodes[-1]

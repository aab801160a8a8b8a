"""How many processes own networks, which GPU each of them sees, and their start, end and replacement."""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from archive.engines.inference import server
from cvid.errors import ModelError
from cvid.sessions import DEVICES, device_number, providers_for

log = logging.getLogger(__name__)

_SHARED = {DEVICES[name] for name in ("cuda", "tensorrt", "rocm", "migraphx")}
"""Providers whose networks one process owns for all workers: each process on a GPU takes memory for itself alone."""
_FOLDERS = Path("/proc/driver/nvidia/gpus")
"""Where NVIDIA's driver for Linux has a folder for each GPU."""
_GRACE_S = 5.0


def gpus_for(device: str) -> list[str]:
    """The GPUs that get a process each, as CUDA_VISIBLE_DEVICES names them; "" for whatever the process sees.

    None where every worker runs the networks itself: on the CPU, on devices that are no such GPU, and for "auto" where
    nothing tells that there is a GPU.

    Raises:
        UnknownBackend, ModelError: see `cvid.sessions.providers_for`.
    """
    if providers_for(device)[0] not in _SHARED:
        return []
    if device_number(device) is not None:
        return [""]
    seen = visible_gpus(os.environ, _FOLDERS)
    if seen is None:
        return [] if device == "auto" else [""]
    return seen


def visible_gpus(environment: Mapping[str, str], folders: Path) -> list[str] | None:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves, else those that the driver knows; None where nothing tells."""
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        gpus = [gpu.strip() for gpu in named.split(",")]
        hidden = next((i for i, gpu in enumerate(gpus) if gpu in ("", "-1")), len(gpus))  # CUDA stops there, too
        return gpus[:hidden]
    try:
        return [str(number) for number, _ in enumerate(folders.iterdir())]
    except OSError:
        return None


class InferenceProcesses:
    """The processes that own the networks; each starts when the first worker needs it.

    Args:
        gpus: one a process; none where workers run the networks themselves.
    """

    def __init__(self, gpus: Sequence[str]) -> None:
        self._gpus = list(gpus)
        self._running: dict[int, _Process] = {}
        self._given = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def next_address(self) -> str:
        """Where the next worker finds its networks, on one GPU after the other; "" where it runs them itself.

        A process that has died is replaced.

        Raises:
            ModelError: a process breaks down while it starts.
        """
        if not self._gpus:
            return ""
        place = self._given % len(self._gpus)
        self._given += 1
        running = self._running.get(place)
        if running and not running.alive:
            log.warning("the process that runs the networks has died (%s); it is started anew", running.end())
            del self._running[place]
        if place not in self._running:
            self._running[place] = _Process(self._gpus[place])
        return self._running[place].address

    def close(self) -> None:
        """End all processes."""
        for running in self._running.values():
            running.end()
        self._running.clear()


class _Process:
    """A process that serves, and where."""

    def __init__(self, gpu: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="cvid-", ignore_cleanup_errors=True)
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=server.main, args=(theirs, gpu, self._folder.name), name="cvid networks", daemon=True
        )
        self.process.start()
        theirs.close()
        try:
            self.address: str = self._pipe.recv()
        except (EOFError, OSError):
            raise ModelError(f"the process for the networks broke down while it started: {self.end()}") from None

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def end(self) -> str:
        """Let it end, with force if need be; how it ended."""
        self._pipe.close()
        self.process.join(_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._folder.cleanup()
        return f"exit code {self.process.exitcode}"

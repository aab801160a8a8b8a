"""The engine that spreads videos, and the spans of long ones, over the machines of a Ray cluster (docs/cluster.md).

A process of its own speaks with the cluster (`driver.py`), hires workers on its nodes (`crew.py`) and decides
what is tried again (`queue.py`); this one only passes on what it hears.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archive.engines import Job, Message, OpenParts
from archive.engines.ray import driver
from archive.engines.ray.messages import RESUME, Finished, Joined, Order, Patience, Remark
from archive.engines.worker import Crashed, Refused
from archive.starting import deaf_to_ctrl_c
from cvid.errors import CvidError
from cvid.settings import Settings

if find_spec("ray") is None:  # which only the process that speaks with the cluster imports
    raise ModuleNotFoundError("No module named 'ray'", name="ray")

log = logging.getLogger(__name__)

_GRACE_S = 8.0


class RayEngine:
    """Workers on the nodes of the cluster at `settings.ray_address`: `settings.jobs` of them, 0: one a CPU."""

    def __init__(self, open_parts: OpenParts, settings: Settings, patience: Patience | None = None) -> None:
        self._open_parts, self._settings, self._patience = open_parts, settings, patience or Patience()

    def run(self, jobs: Sequence[Job], receive: Callable[[Message], None]) -> None:
        """Do all jobs; the workers are ended however this ends, and the cluster is left as it was."""
        if not jobs:
            return
        home = "/tmp" if Path("/tmp").is_dir() else None  # Ray's sockets need short paths
        with TemporaryDirectory(prefix="cvid-ray-", dir=home, ignore_cleanup_errors=True) as folder:
            self._run(Order(self._open_parts, self._settings, list(jobs), self._patience, folder), receive)

    def _run(self, order: Order, receive: Callable[[Message], None]) -> None:
        context = multiprocessing.get_context("spawn")
        pipe, theirs = context.Pipe()
        process = context.Process(target=driver.main, args=(theirs, order), name="cvid cluster driver")
        with deaf_to_ctrl_c():
            process.start()
        theirs.close()
        try:
            if not pipe.poll(self._patience.join_s):
                process.kill()
            for message in self._messages(pipe):
                receive(message)
        finally:
            pipe.close()
            process.join(_GRACE_S)
            if process.is_alive():
                process.kill()
                process.join()

    def _messages(self, pipe: Any) -> Iterator[Message]:
        """What the driver tells of the jobs, until all are done.

        Raises:
            CvidError: the cluster cannot be joined or is gone, or the models cannot be opened.
        """
        where = f"the Ray cluster at {self._settings.ray_address}"
        joined = False
        while True:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                gone = f"is gone; {RESUME}" if joined else "does not answer; see docs/cluster.md"
                raise CvidError(f"{where} {gone}") from None
            if isinstance(message, Finished):
                return
            if isinstance(message, Refused):
                raise message.error
            if isinstance(message, Crashed):
                log.info("the driver of the cluster crashed: %s", message.trace)
                raise CvidError(f"{where} has failed ({message.reason}); {RESUME}")
            if isinstance(message, Remark):
                log.warning("%s", message.text)
            elif isinstance(message, Joined):
                joined = True
            else:
                yield message

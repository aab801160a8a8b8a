"""The engine that spreads videos, and the spans of long ones, over processes of this machine.

Every worker has a pipe of its own: one that dies, even while it writes, disturbs nobody else. The task it died on is
tried once more when all others are done and nothing else runs, for it may have been another's hunger for memory;
after that its file has failed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any

from archive import forking
from archive.engines import Job, Message, Opened, OpenParts
from archive.engines import worker as worker_process
from archive.engines.inference.processes import InferenceProcesses, gpus_for
from archive.engines.tasks import Advanced, Assembly, Task
from archive.engines.worker import Crashed, Refused
from cvid.errors import ModelError
from cvid.settings import Settings

log = logging.getLogger(__name__)

STALLED_S = 900.0
"""A worker that says nothing for so long hangs in a decoder; progress comes several times a second."""
_GRACE_S = 2.0


class LocalEngine:
    """`settings.jobs` worker processes, each with one thread for its networks; 0: one a core."""

    def __init__(
        self,
        open_parts: OpenParts,
        settings: Settings,
        stalled_s: float = STALLED_S,
        gpus: Sequence[str] | None = None,
    ) -> None:
        self._open_parts, self._settings, self._stalled_s = open_parts, settings, stalled_s
        self._networks = InferenceProcesses(gpus_for(settings.device) if gpus is None else gpus)

    def run(self, jobs: Sequence[Job], receive: Callable[[Message], None]) -> None:
        """Do all jobs; workers are ended however this ends."""
        assembly = Assembly(jobs, self._settings, receive)
        crew = min(self._settings.jobs or cores(), assembly.left)
        with self._networks:
            for task in self._round(assembly, [], crew, receive, last_chance=False):
                if assembly.wants(task):
                    log.warning("%r is tried once more, alone", str(task.job.path))
                    self._round(assembly, [task], 1, receive, last_chance=True)

    def _round(
        self,
        assembly: Assembly,
        first: Sequence[Task],
        crew: int,
        receive: Callable[[Message], None],
        last_chance: bool,
    ) -> list[Task]:
        """Do tasks with `crew` workers, the given ones first; those that a worker died on come back."""
        given, again = deque(first), []
        workers: dict[Any, _Worker] = {}

        def next_task() -> Task | None:
            return given.popleft() if given else assembly.next()

        try:
            for _ in range(crew):
                self._hire(workers)
            while workers:
                ready = wait(list(workers), timeout=min(self._stalled_s, 1.0))
                for pipe in ready:
                    worker = workers[pipe]
                    lost = self._hear(worker, next_task, assembly, receive)
                    if not worker.gone:
                        continue
                    del workers[pipe]
                    how = worker.end()
                    if lost and (last_chance or worker.stalled):
                        assembly.lost(lost, how if worker.stalled else f"the analysis broke down on it twice: {how}")
                    elif lost:
                        again.append(lost)
                    if (given or assembly.left) and len(workers) < crew:
                        self._hire(workers)
                for worker in workers.values():
                    worker.kill_if_stalled(self._stalled_s)
        finally:
            for worker in workers.values():
                worker.process.terminate()
            for worker in workers.values():
                worker.end()
        return again

    def _hire(self, workers: dict[Any, _Worker]) -> None:
        worker = _Worker(self._open_parts, self._settings, self._networks.next_address())
        workers[worker.pipe] = worker

    def _hear(
        self,
        worker: _Worker,
        next_task: Callable[[], Task | None],
        assembly: Assembly,
        receive: Callable[[Message], None],
    ) -> Task | None:
        """Take one message of a worker and give it its next task; the task it had, if it is gone."""
        try:
            message = worker.hear()
        except (EOFError, OSError):
            worker.gone = True
            if not worker.opened:
                raise ModelError(f"a worker process broke down while it loaded the models: {worker.end()}") from None
            return worker.task
        if isinstance(message, Refused):
            raise message.error
        if isinstance(message, Crashed):
            log.warning("a worker crashed: %s", message.trace)
            worker.last_words = message.reason
            return None
        if isinstance(message, Opened):
            worker.opened = True
            receive(message)
        else:
            assembly.took(message)
        if not isinstance(message, Advanced):
            worker.give(next_task())
        return None


class _Worker:
    """A process, this end of its pipe, and the task it has."""

    def __init__(self, open_parts: OpenParts, settings: Settings, networks: str) -> None:
        self.process, self.pipe = forking.start(worker_process.main, open_parts, settings, networks)
        self.task: Task | None = None
        self.opened = self.gone = self.stalled = False
        self.last_words = ""
        self._heard = time.monotonic()

    def hear(self) -> Any:
        """The next message."""
        message = self.pipe.recv()
        self._heard = time.monotonic()
        return message

    def give(self, task: Task | None) -> None:
        """Hand over a task; None lets the worker go home."""
        self.task = task
        self._heard = time.monotonic()
        try:
            self.pipe.send(task)
        except OSError:  # it died in between: the next `hear` finds out
            log.info("a worker is gone before its next task")

    def kill_if_stalled(self, after_s: float) -> None:
        """End a worker that has said nothing for too long."""
        if self.task and time.monotonic() - self._heard > after_s:
            self.stalled = True
            self.process.kill()

    def end(self) -> str:
        """Wait for the end of the process, with force if need be; how it ended, for the user."""
        self.process.join(_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()
        if self.stalled:
            return "the decoder hangs on it"
        if self.last_words:
            return self.last_words
        code = self.process.exitcode or 0
        how = signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
        return f"its process ended by {how}"


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

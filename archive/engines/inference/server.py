"""A process that owns networks: serves workers, each over a connection of its own, until its parent is gone."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from archive.engines.inference.blocks import Block
from archive.engines.inference.messages import (
    Entry,
    Failed,
    Key,
    MakeRoom,
    NotHere,
    Open,
    Opened,
    Ran,
    Refused,
    Room,
    Run,
    TooLarge,
)
from cvid.batching import BatchingSession
from cvid.errors import CvidError, ModelError
from cvid.sessions import DEVICES, open_session

log = logging.getLogger(__name__)

_BACKLOG = 64


def main(pipe: Connection[Any, Any], gpu: str, folder: str) -> None:
    """Tell the parent the address, and serve until it closes its end of the pipe or dies.

    Args:
        gpu: the one GPU that this process sees, as CUDA_VISIBLE_DEVICES names it; "" for all.
        folder: for the address, where addresses are files; emptied and removed at the end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its processes
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    networks = Networks()
    address = None if sys.platform == "win32" else str(Path(folder, "networks"))
    with Listener(address, backlog=_BACKLOG, authkey=bytes(multiprocessing.current_process().authkey)) as listener:
        threading.Thread(target=networks.welcome, args=(listener,), daemon=True).start()
        pipe.send(listener.address)
        try:
            pipe.recv()
        except (EOFError, OSError):
            networks.close()
    with suppress(OSError):  # the parent removes it, too, and may be quicker
        Path(folder).rmdir()


class Networks:
    """The sessions of this process, shared by the workers that it serves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[Key, BatchingSession] = {}
        self._workers: dict[Connection[Any, Any], Block | None] = {}

    def welcome(self, listener: Listener) -> None:
        """Serve everyone who connects, each in a thread."""
        while True:
            try:
                worker = listener.accept()
            except (OSError, EOFError, AuthenticationError):  # it died in between
                continue
            with self._lock:
                self._workers[worker] = None
            threading.Thread(target=self._attend, args=(worker,), daemon=True).start()

    def close(self) -> None:
        """Free the memory of all workers."""
        for worker in list(self._workers):
            self._forget(worker)

    def _attend(self, worker: Connection[Any, Any]) -> None:
        """Answer one worker until it is gone."""
        try:
            with worker:
                while True:
                    worker.send(self._answer(worker, worker.recv()))
        except (EOFError, OSError):
            log.info("a worker is gone")
        finally:
            self._forget(worker)

    def _answer(self, worker: Connection[Any, Any], asked: Open | MakeRoom | Run) -> Any:
        if isinstance(asked, Open):
            with self._lock:
                return self._open(asked)
        if isinstance(asked, MakeRoom):
            with self._lock:
                return self._make_room(worker, asked.size_bytes)
        block = self._workers[worker]
        return self._run(asked, block) if block else Failed("there is no block with the pictures")

    def _open(self, asked: Open) -> Opened | Refused | NotHere:
        served = self._sessions.get(asked.key)
        if served is None:
            try:
                session = open_session(asked.model, asked.threads, asked.free_axes, asked.device)
            except CvidError as exc:
                return Refused(exc)
            if asked.device == "auto" and session.get_providers()[0] == DEVICES["cpu"]:
                return NotHere()
            served = self._sessions[asked.key] = BatchingSession(session, callers=lambda: len(self._workers))
        return Opened(asked.key, _entries(served.get_inputs()), _entries(served.get_outputs()), served.get_providers())

    def _make_room(self, worker: Connection[Any, Any], size_bytes: int) -> Room | Refused:
        if old := self._workers[worker]:
            old.discard()
        self._workers[worker] = None
        try:
            block = self._workers[worker] = Block.make(size_bytes)
        except OSError as exc:
            return Refused(
                ModelError(
                    f"there is no room in shared memory for the pictures of {len(self._workers)} workers "
                    f"({exc.strerror}): give more (docker: --shm-size=1g), or use fewer --jobs"
                )
            )
        return Room(block.name)

    def _run(self, asked: Run, block: Block) -> Ran | TooLarge | Failed:
        try:
            feed = {name: block.seen(slot) for name, slot in asked.feed.items()}
            found = self._sessions[asked.key].run(asked.outputs, feed)
        except Exception as exc:  # noqa: BLE001  # onnxruntime has no public base class for its errors
            traceback.clear_frames(exc.__traceback__)  # they would look at the block for as long as the error lives
            return Failed(f"{type(exc).__name__}: {exc}")
        slots = block.put(found)
        return TooLarge(found) if slots is None else Ran(slots)

    def _forget(self, worker: Connection[Any, Any]) -> None:
        with self._lock:
            if block := self._workers.pop(worker, None):
                block.discard()


def _entries(entries: list[Any]) -> list[Entry]:
    return [Entry(entry.name, entry.type, list(entry.shape or [])) for entry in entries]

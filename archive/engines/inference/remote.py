"""A worker's end: sessions that run in the process that owns the networks."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from archive.engines.inference.blocks import Block, Slot, room_for
from archive.engines.inference.messages import (
    Entry,
    Failed,
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
from cvid.sessions import Session, open_session_here, open_sessions_with

_LOST = "the process that runs the networks has died"


class InferenceLost(RuntimeError):
    """The process that runs the networks is gone: what was being done is worth another try, with a new one."""


class GraphFailed(RuntimeError):
    """A network failed on what it was given, or ran out of memory."""


def use_networks_at(address: str) -> None:
    """Let every session that this process opens from now on run in the process at an address.

    Raises:
        InferenceLost: it is not there any more.
    """
    open_sessions_with(RemoteNetworks(address).open)


class RemoteNetworks:
    """The connection to the process at an address, and the block that both see.

    Raises:
        InferenceLost: it is not there any more.
    """

    def __init__(self, address: str) -> None:
        self._lock = threading.Lock()
        self._block: Block | None = None
        self._large_bytes = 0
        try:
            self._process: Connection[Any, Any] = Client(
                address, authkey=bytes(multiprocessing.current_process().authkey)
            )
        except (OSError, EOFError) as exc:
            raise InferenceLost(_LOST) from exc

    def open(self, model: Path | bytes, threads: int, free_axes: tuple[int, ...], device: str) -> Session:
        """See `cvid.sessions.open_session`. Where there turns out to be no GPU, the session is opened here."""
        with self._lock:
            answer = self._ask(Open(model, threads, free_axes, device))
        if isinstance(answer, NotHere):
            return open_session_here(model, threads, free_axes, "cpu")
        return RemoteSession(self, answer)

    def run(self, opened: Opened, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Have a graph run.

        Raises:
            GraphFailed: it fails on this.
            InferenceLost: the process has died.
        """
        with self._lock:
            block, slots = self._sent(list(feed.values()))
            answer = self._ask(Run(opened.key, outputs, dict(zip(feed, slots, strict=True))))
            if isinstance(answer, Failed):
                raise GraphFailed(answer.reason)
            if isinstance(answer, Ran):
                return [block.taken(slot) for slot in answer.outputs]
            found: list[NDArray[Any]] = answer.outputs
            self._large_bytes = max(self._large_bytes, room_for(found))
            return found

    def _sent(self, arrays: list[NDArray[Any]]) -> tuple[Block, list[Slot]]:
        """The block with the arrays in it; a larger one where they, or the outputs of the last run, have no room."""
        needed_bytes = max(room_for(arrays), self._large_bytes, 1)
        if self._block is None or self._block.size_bytes < needed_bytes:
            if self._block:
                self._block.close()
                self._block = None
            room: Room = self._ask(MakeRoom(needed_bytes))
            self._block = Block.at(room.name)
        return self._block, self._block.put(arrays) or []

    def _ask(self, message: Open | MakeRoom | Run) -> Any:
        try:
            self._process.send(message)
            answer: Opened | NotHere | Room | Ran | TooLarge | Failed | Refused = self._process.recv()
        except (EOFError, OSError) as exc:
            if self._block:
                self._block.discard()  # nobody else will
                self._block = None
            raise InferenceLost(_LOST) from exc
        if isinstance(answer, Refused):
            raise answer.error
        return answer


class RemoteSession:
    """A session that runs in another process; see `cvid.sessions.Session`."""

    def __init__(self, networks: RemoteNetworks, opened: Opened) -> None:
        self._networks, self._opened = networks, opened

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph; see `RemoteNetworks.run` for what it raises."""
        return self._networks.run(self._opened, outputs, feed)

    def get_inputs(self) -> list[Entry]:
        """The graph's inputs."""
        return self._opened.inputs

    def get_outputs(self) -> list[Entry]:
        """The graph's outputs."""
        return self._opened.outputs

    def get_providers(self) -> list[str]:
        """What it runs on over there."""
        return self._opened.providers

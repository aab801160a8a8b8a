"""What a worker and the process of its networks say to each other; the worker asks, the process answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from archive.engines.inference.blocks import Slot
from cvid.errors import CvidError

Key = tuple[object, ...]
"""What a session is known by."""


@dataclass(frozen=True)
class Open:
    """Open a session: what `cvid.sessions.open_session` takes. Answered by `Opened`, `Refused` or `NotHere`."""

    model: Path | bytes
    threads: int
    free_axes: tuple[int, ...]
    device: str

    @property
    def key(self) -> Key:
        """Workers that want the same share one session."""
        model = hashlib.sha256(self.model).digest() if isinstance(self.model, bytes) else self.model.absolute()
        return model, self.threads, self.free_axes, self.device


@dataclass(frozen=True)
class Entry:
    """An input or output of a graph, as ONNX Runtime describes it."""

    name: str
    type: str
    shape: list[Any]


@dataclass(frozen=True)
class Opened:
    """A session is open, and what it tells of itself."""

    key: Key
    inputs: list[Entry]
    outputs: list[Entry]
    providers: list[str]


@dataclass(frozen=True)
class Refused:
    """What was asked for cannot be had: an error for the user."""

    error: CvidError


@dataclass(frozen=True)
class NotHere:
    """There is no GPU after all, and nobody insisted on one: the worker runs the network itself."""


@dataclass(frozen=True)
class MakeRoom:
    """The worker's block must have this size. Answered by `Room` or `Refused`."""

    size_bytes: int


@dataclass(frozen=True)
class Room:
    """The worker's new block; the old one is gone."""

    name: str


@dataclass(frozen=True)
class Run:
    """Run a graph on arrays in the block. Answered by `Ran`, `TooLarge` or `Failed`."""

    key: Key
    outputs: list[str] | None
    feed: dict[str, Slot]


@dataclass(frozen=True)
class Ran:
    """The outputs lie in the block, in place of the inputs."""

    outputs: list[Slot]


@dataclass(frozen=True, eq=False)
class TooLarge:
    """The outputs themselves: the block has no room for them, this time."""

    outputs: list[NDArray[Any]]


@dataclass(frozen=True)
class Failed:
    """The graph failed."""

    reason: str

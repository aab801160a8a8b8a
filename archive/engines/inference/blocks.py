"""Memory that two processes see."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ALIGNED_BYTES = 64
_FILES = Path("/dev/shm")
"""Where Linux shows blocks as files."""


@dataclass(frozen=True)
class Slot:
    """Where an array lies in a block."""

    dtype: str
    shape: tuple[int, ...]
    offset_bytes: int


class Block:
    """A piece of memory that arrays are put into at one end and taken out of at the other.

    Whoever outlives the other end discards it.
    """

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self.name, self.size_bytes = memory.name, memory.size

    @classmethod
    def make(cls, size_bytes: int) -> Self:
        """A new block.

        Raises:
            OSError: there is no room for it.
        """
        block = cls(SharedMemory(create=True, size=size_bytes))
        try:
            _reserve(block.name, size_bytes)
        except OSError:
            block.discard()
            raise
        return block

    @classmethod
    def at(cls, name: str) -> Self:
        """The block that the other end has made."""
        return cls(SharedMemory(name))

    def put(self, arrays: Sequence[NDArray[Any]]) -> list[Slot] | None:
        """Copy arrays into it, over what was there; None, and nothing done, if they do not fit."""
        if room_for(arrays) > self.size_bytes:
            return None
        slots, offset = [], 0
        for array in arrays:
            slot = Slot(array.dtype.str, array.shape, offset)
            self.seen(slot)[...] = array
            slots.append(slot)
            offset += _aligned(array.nbytes)
        return slots

    def taken(self, slot: Slot) -> NDArray[Any]:
        """A copy of an array."""
        return self.seen(slot).copy()

    def seen(self, slot: Slot) -> NDArray[Any]:
        """An array where it lies: until something else is put there, and while the block is not let go of."""
        return np.ndarray(slot.shape, slot.dtype, self._memory.buf, slot.offset_bytes)

    def close(self) -> None:
        """Let go of it; the other end may use it still."""
        with suppress(BufferError):  # a thread still looks at it; the memory goes with the process
            self._memory.close()

    def discard(self) -> None:
        """Let go of it, and free it once the other end does, too."""
        with suppress(FileNotFoundError):
            self._memory.unlink()
        self.close()


def room_for(arrays: Sequence[NDArray[Any]]) -> int:
    """How many bytes of a block arrays take."""
    return sum(_aligned(array.nbytes) for array in arrays)


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // _ALIGNED_BYTES) * _ALIGNED_BYTES


def _reserve(name: str, size_bytes: int) -> None:
    """Take the memory now: where it is short, as in a container, the first write would kill the process."""
    if (_FILES / name).exists():
        file = os.open(_FILES / name, os.O_RDWR)
        try:
            os.posix_fallocate(file, 0, size_bytes)
        finally:
            os.close(file)

"""Which groups may never become one: cannot-links, followed through every merge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class CannotLinks:
    """The pairs that are never one person, kept up to date while groups merge.

    Args:
        count: number of tracks; at first each is a group of its own, named by its row.
        pairs: int32 (k, 2), rows.
    """

    def __init__(self, count: int, pairs: NDArray[np.int32]) -> None:
        self._apart: list[set[int]] = [set() for _ in range(count)]
        for a, b in pairs.tolist():
            self._apart[a].add(b)
            self._apart[b].add(a)

    def forbid(self, a: int, b: int) -> bool:
        """May groups `a` and `b` never be one?"""
        return b in self._apart[a]

    def merge(self, kept: int, gone: int) -> None:
        """Group `gone` has become part of `kept`, and leaves it all its enemies."""
        for enemy in self._apart[gone]:
            self._apart[enemy].discard(gone)
            self._apart[enemy].add(kept)
        self._apart[kept] |= self._apart[gone]
        self._apart[gone] = set()

"""The cheapest assignment of rows to columns, of which only some pairs are allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvid.types import Floats

_FORBIDDEN = 1e3
"""More than all allowed pairs of one frame cost together."""


def cheapest(cost: Floats, allowed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """As many allowed pairs (row, column) as possible, each row and column once, at the least cost together.

    Where every row, or every column, can have what is cheapest for itself, that is the answer; only where they are in
    each other's way is the Hungarian method needed (SciPy's, which alone takes as long to load as all else).

    Args:
        cost: float32 (k, n), small numbers.
        allowed: bool (k, n).
    """
    found = _undisputed(cost, allowed)
    if found is None:
        turned = _undisputed(cost.T, allowed.T)
        found = None if turned is None else sorted((row, column) for column, row in turned)
    if found is None:
        from scipy.optimize import linear_sum_assignment

        pairs = zip(*linear_sum_assignment(np.where(allowed, cost, _FORBIDDEN)), strict=True)
        found = [(int(row), int(column)) for row, column in pairs if allowed[row, column]]
    return found


def _undisputed(cost: Floats, allowed: NDArray[np.bool_]) -> list[tuple[int, int]] | None:
    """Each row's own cheapest column, if no two rows want the same one."""
    rows = np.flatnonzero(allowed.any(axis=1))
    wanted = np.where(allowed, cost, np.inf)[rows].argmin(axis=1) if len(rows) else rows
    if len(np.unique(wanted)) < len(wanted):
        return None
    return [(int(row), int(column)) for row, column in zip(rows, wanted, strict=True)]

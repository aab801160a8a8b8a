"""How the cosines of pairs of one person and of two are spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvid.evaluation.verification import STEPS, Scores
from cvid.types import Doubles, Ints


@dataclass(frozen=True, eq=False)
class Histogram:
    """Shares of the pairs of each kind, which sum to 1 where there are any, by cosine."""

    edges: Doubles  # (bars + 1,), cosines
    genuine: Doubles  # (bars,)
    impostors: Doubles  # (bars,)


def histogram(scores: Scores, bars: int) -> Histogram:
    """Gather the counts into at most `bars` bars of a round width that hold all pairs."""
    held = np.flatnonzero(scores.genuine + scores.impostors)
    if not len(held):
        return Histogram(np.zeros(1), np.zeros(0), np.zeros(0))
    low, high = int(held[0]), int(held[-1])
    width = next(w for w in _WIDTHS if high // w - low // w < bars)
    first, last = low // width, high // width
    edges = np.arange(first, last + 2) * width / STEPS - 1
    return Histogram(
        edges, _gathered(scores.genuine, first, last, width), _gathered(scores.impostors, first, last, width)
    )


_WIDTHS = [round(part * STEPS) for part in (0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 4)]


def _gathered(counts: Ints, first: int, last: int, width: int) -> Doubles:
    padded = np.zeros((last + 1) * width, np.int64)
    end = min(len(counts), len(padded))
    padded[:end] = counts[:end]
    sums = padded.reshape(-1, width).sum(axis=1)[first:]
    return np.asarray(sums / max(int(sums.sum()), 1), np.float64)

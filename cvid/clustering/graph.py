"""The neighbour graph: which tracks are alike enough to be compared at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvid.types import Floats, Ints

EXACT_BELOW = 50_000
"""Up to here exact search is faster than building an index (measured: docs/decisions)."""

MOST = 64
"""Neighbours of one row that are followed at most; a row's nearest ones always are."""

_BLOCK = 1 << 15
"""Rows that are searched at once: what they find is thinned out before the next ones are."""


class NeighbourIndex:
    """Finds what is nearest to a vector: exactly among few vectors, nearly always among many.

    Args:
        vectors: float32 (n, d), unit length.
        exact_below: fewer rows are searched one by one, more by an index (inverted lists of half-precision vectors)
            that may miss some and rounds cosines by up to a thousandth.
    """

    def __init__(self, vectors: Floats, exact_below: int = EXACT_BELOW) -> None:
        import faiss

        n, d = vectors.shape
        self._index: Any
        if n < exact_below:
            self._index = faiss.IndexFlatIP(d)
        else:
            lists = int(4 * np.sqrt(n))
            self._index = faiss.IndexIVFScalarQuantizer(
                faiss.IndexFlatIP(d), d, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
            self._index.train(vectors[:: max(n // (64 * lists), 1)])
            self._index.nprobe = 32
        self._index.add(vectors)

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ints]:
        """The `k` nearest rows of each vector, float32 (m, d), the most similar ones first.

        Returns:
            float32 (m, k) cosines and int64 (m, k) rows; −1 where there are no more rows to be found.
        """
        cosine, found = self._index.search(vectors, k)
        return np.asarray(cosine, np.float32), np.asarray(found, np.int64)


def neighbours(vectors: Floats, floor: float, exact_below: int = EXACT_BELOW) -> tuple[Ints, Floats]:
    """Pairs of rows whose cosine is at least `floor`, by FAISS.

    Args:
        vectors: float32 (n, d), unit length.
        floor: cosine below which a pair is of no interest.
        exact_below: as of `NeighbourIndex`.

    Returns:
        int64 (k, 2) pairs i < j in ascending order, each once, and float32 (k,) their cosines.
    """
    n = len(vectors)
    if n < 2:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    index = NeighbourIndex(vectors, exact_below)
    parts = [_found(index, vectors, start, floor) for start in range(0, n, _BLOCK)]
    keys, cosine = (np.concatenate(part) for part in zip(*parts, strict=True))
    del index, parts
    order = np.argsort(keys)
    keys, cosine = keys[order], cosine[order]
    once = np.diff(keys, prepend=-1) > 0
    keys, cosine = keys[once], cosine[once]
    return np.column_stack([keys // n, keys % n]), cosine


def _found(index: NeighbourIndex, vectors: Floats, start: int, floor: float) -> tuple[Ints, Floats]:
    """The pairs that a block of rows finds, as lower row · n + higher row, and their cosines."""
    n = len(vectors)
    cosine, found = index.search(vectors[start : start + _BLOCK], min(MOST + 1, n))
    row = np.repeat(np.arange(start, start + len(found)), found.shape[1])
    other, cosine = found.ravel(), cosine.ravel()
    good = (other >= 0) & (other != row) & (cosine >= floor)
    low, high = np.minimum(row[good], other[good]), np.maximum(row[good], other[good])
    return low * n + high, cosine[good]

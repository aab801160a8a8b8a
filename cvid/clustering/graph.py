"""The neighbour graph: which tracks are alike enough to be compared at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvid.types import Floats, Ints

EXACT_BELOW = 50_000
"""Up to here exact search is faster than building an index (measured: docs/decisions)."""

MOST = 64
"""Neighbours of one row that are followed at most; a row's nearest ones always are."""


def neighbours(vectors: Floats, floor: float, exact_below: int = EXACT_BELOW) -> tuple[Ints, Floats]:
    """Pairs of rows whose cosine is at least `floor`, by FAISS.

    Args:
        vectors: float32 (n, d), unit length.
        floor: cosine below which a pair is of no interest.
        exact_below: fewer rows are searched one by one, more by an index that may miss some.

    Returns:
        int64 (k, 2) pairs i < j in ascending order, each once, and float32 (k,) their cosines.
    """
    n, d = vectors.shape
    if n < 2:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    import faiss

    index: Any
    if n < exact_below:
        index = faiss.IndexFlatIP(d)
    else:
        lists = int(4 * np.sqrt(n))
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(d), d, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.train(vectors[:: max(n // (64 * lists), 1)])
        index.nprobe = 32
    index.add(vectors)
    cosine, found = index.search(vectors, min(MOST + 1, n))
    row: NDArray[np.int64] = np.repeat(np.arange(n, dtype=np.int64), found.shape[1])
    other, cosine = found.ravel().astype(np.int64), cosine.ravel()
    good = (other >= 0) & (other != row) & (cosine >= floor)
    low, high = np.minimum(row[good], other[good]), np.maximum(row[good], other[good])
    keys, first = np.unique(low * n + high, return_index=True)
    return np.column_stack([keys // n, keys % n]), cosine[good][first].astype(np.float32)

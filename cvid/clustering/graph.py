"""The neighbour graph: which tracks are alike enough to be compared at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvid.types import Floats, Ints

EXACT_BELOW = 25_000
"""Fewer rows are compared one by one. An index would be quicker from 10,000 on (measured: 0.4 s instead of 1.1 s, among
50,000 2.9 s instead of 11.6 s), but has too few rows to learn from, and small archives need not miss anything."""

MOST = 64
"""Neighbours of one row that are followed at most; a row's nearest ones always are."""

_FEW = 4_000
"""To build an index costs as much as to compare this many vectors with all rows (measured among 1,000,000)."""

_BLOCK = 1 << 15
"""Rows that are searched for at once: what they find is thinned out before the next ones are."""


class NeighbourIndex:
    """Finds what is nearest to a vector: exactly for a few vectors or among few, nearly always for many among many.

    For many among many the vectors are laid out in inverted lists, at half precision, once: some neighbours are missed
    (of those above the bar 14 in 1,000 among 1,000,000), and cosines are rounded by up to a thousandth. Where FAISS was
    built for GPUs and sees one, all are compared one by one there instead, and none is missed.

    Args:
        vectors: float32 (n, d), unit length.
        exact_below: fewer rows are always compared one by one.
        library: what stands in for FAISS.
    """

    def __init__(self, vectors: Floats, exact_below: int = EXACT_BELOW, library: Any = None) -> None:
        self._vectors = np.ascontiguousarray(vectors)
        self._exact_below, self._library = exact_below, library
        self._laid_out: Any = None

    def prepare(self) -> None:
        """Lay the vectors out now, if there are enough of them, so that every later search is quick."""
        if self._laid_out is None and len(self._vectors) >= self._exact_below:
            library = self._faiss()
            lay_out = _on_gpus if has_gpus(library) else _inverted_lists
            self._laid_out = lay_out(library, self._vectors)

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ints]:
        """The `k` nearest rows of each vector, float32 (m, d), the most similar ones first.

        Returns:
            float32 (m, k) cosines and int64 (m, k) rows; −1 where there are no more rows to be found.
        """
        few = len(self._vectors) < self._exact_below or len(vectors) < min(_FEW, self._exact_below)
        if self._laid_out is None and few:
            faiss = self._faiss()
            cosine, found = faiss.knn(vectors, self._vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            self.prepare()
            cosine, found = self._laid_out.search(vectors, k)
        return np.asarray(cosine, np.float32), np.asarray(found, np.int64)

    def _faiss(self) -> Any:
        if self._library is None:
            import faiss

            self._library = faiss
        return self._library


def has_gpus(library: Any) -> bool:
    """Whether FAISS was built for GPUs, and sees one."""
    return hasattr(library, "StandardGpuResources") and library.get_num_gpus() > 0


def _on_gpus(faiss: Any, vectors: Floats) -> Any:
    """The vectors themselves on every GPU, which share the questions between them; not measured for want of one."""
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(vectors.shape[1]))
    index.add(vectors)
    return index


def _inverted_lists(faiss: Any, vectors: Floats) -> Any:
    """FAISS's index for many vectors, filled.

    Measured on 1,000,000: training for 5 rounds on 40 points a list takes a fifth of the time of 25 rounds on 64, for
    a thousandth of the neighbours; 16 probed lists find 98.6 % of those above the bar, 8 find 97.6 % in 0.6 times the
    time, 32 find 99.3 % in 1.6 times the time. A pair is only missed if neither of its rows finds it.
    """
    n, d = vectors.shape
    count = int(4 * np.sqrt(n))
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(d), d, count, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    lists.cp.niter = 5
    lists.train(vectors[:: max(n // (40 * count), 1)])
    lists.nprobe = 16
    lists.add(vectors)
    return lists


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
    parts = [_found(index, vectors, start, min(start + _BLOCK, n), floor) for start in range(0, n, _BLOCK)]
    del index
    keys, cosine = (np.concatenate(part) for part in zip(*parts, strict=True))
    del parts
    order = np.argsort(keys)
    keys, cosine = keys[order], cosine[order]
    once = np.diff(keys, prepend=-1) > 0
    keys, cosine = keys[once], cosine[once]
    return np.column_stack([keys // n, keys % n]), cosine


def _found(index: NeighbourIndex, vectors: Floats, start: int, end: int, floor: float) -> tuple[Ints, Floats]:
    """The pairs that a block of rows finds, as lower row · n + higher row, and their cosines."""
    n = len(vectors)
    cosine, found = index.search(vectors[start:end], min(MOST + 1, n))
    row = np.repeat(np.arange(start, end), found.shape[1])
    other, cosine = found.ravel(), cosine.ravel()
    good = (other >= 0) & (other != row) & (cosine >= floor)
    low, high = np.minimum(row[good], other[good]), np.maximum(row[good], other[good])
    return low * n + high, cosine[good]

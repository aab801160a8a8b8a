"""The neighbour graph where FAISS has a GPU: there is none here, so FAISS's CPU index stands in for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import faiss
import numpy as np
import pytest

from cvid.clustering.graph import NeighbourIndex, has_gpus
from cvid.types import Floats


class FaissWithGpus:
    """FAISS as it is built for GPUs, which counts what is brought there and searched there."""

    StandardGpuResources = object
    IndexFlatIP, METRIC_INNER_PRODUCT = faiss.IndexFlatIP, faiss.METRIC_INNER_PRODUCT

    def __init__(self, gpus: int = 1) -> None:
        self._gpus = gpus
        self.on_cpu = 0
        self.there: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(faiss, name)

    def get_num_gpus(self) -> int:
        """How many it sees."""
        return self._gpus

    def index_cpu_to_all_gpus(self, index: Any) -> Any:
        """The same index, said to be there."""
        self.there.append(index)
        return index

    def knn(self, *args: Any, **options: Any) -> Any:
        """FAISS's search without an index."""
        self.on_cpu += 1
        return faiss.knn(*args, **options)


@pytest.fixture
def vectors() -> Floats:
    drawn = np.random.default_rng(0).normal(size=(3000, 32)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def test_many_among_many_are_compared_one_by_one_on_the_gpu(vectors: Floats) -> None:
    library = FaissWithGpus()
    index = NeighbourIndex(vectors, exact_below=1000, library=library)
    for rows in (slice(0, 1500), slice(1500, 3000)):
        cosine, found = index.search(vectors[rows], 9)
        want, nearest = faiss.knn(vectors[rows], vectors, 9, metric=faiss.METRIC_INNER_PRODUCT)
        assert np.array_equal(found, nearest) and np.allclose(cosine, want, atol=1e-6), "none is missed"
        assert cosine.dtype == np.float32 and found.dtype == np.int64
    (there,) = library.there
    assert isinstance(there, faiss.IndexFlatIP) and there.ntotal == 3000 and library.on_cpu == 0


def test_few_stay_here(vectors: Floats) -> None:
    library = FaissWithGpus()
    NeighbourIndex(vectors, exact_below=4000, library=library).search(vectors, 3)
    NeighbourIndex(vectors, exact_below=1000, library=library).search(vectors[:5], 3)
    assert library.on_cpu == 2 and not library.there


def test_without_a_gpu_it_is_inverted_lists_as_ever(vectors: Floats) -> None:
    for library in (FaissWithGpus(gpus=0), None):
        index = NeighbourIndex(vectors, exact_below=1000, library=library)
        index.prepare()
        assert (index.search(vectors, 1)[1][:, 0] == np.arange(3000)).mean() > 0.98
        assert library is None or not library.there
    assert not has_gpus(SimpleNamespace(get_num_gpus=lambda: 1)), "built without GPU code"
    assert not has_gpus(FaissWithGpus(gpus=0)) and has_gpus(FaissWithGpus())

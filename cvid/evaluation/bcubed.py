"""B-cubed precision, recall and F of a clustering (Amigó et al., 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvid.types import Doubles


@dataclass(frozen=True)
class BCubed:
    """The means over pictures, and how many clusters there are for one person."""

    precision: float
    recall: float
    clusters: int
    people: int

    @property
    def f(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    @property
    def ratio(self) -> float:
        """Clusters ÷ people: above 1 people are split, below 1 they melt."""
        return self.clusters / self.people if self.people else 0.0


def b_cubed(labels: NDArray[Any], people: NDArray[Any], of: NDArray[np.bool_] | None = None) -> BCubed:
    """Compare clusters with people.

    A picture's precision is the share of its cluster that shows its person, its recall the share of its person's
    pictures that its cluster holds.

    Args:
        labels: (n,), the cluster of each picture; −1: in none, which makes it a cluster of its own.
        people: (n,), who it shows.
        of: bool (n,), the pictures whose mean is taken; all by default. The clusters stay whole.
    """
    cluster = _singled(labels)
    precision, recall = _each(cluster, people)
    chosen = np.ones(len(people), np.bool_) if of is None else of
    if not chosen.any():
        return BCubed(0.0, 0.0, 0, 0)
    return BCubed(
        float(precision[chosen].mean()),
        float(recall[chosen].mean()),
        len(np.unique(cluster[chosen])),
        len(np.unique(people[chosen])),
    )


def _singled(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Labels in which every −1 has become a number of its own."""
    cluster = labels.astype(np.int64)
    alone = cluster < 0
    cluster[alone] = cluster.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return cluster


def _each(cluster: NDArray[np.int64], people: NDArray[Any]) -> tuple[Doubles, Doubles]:
    """Precision and recall of each picture."""
    _, person = np.unique(people, return_inverse=True)
    _, joint, shared = np.unique(np.column_stack([cluster, person]), axis=0, return_inverse=True, return_counts=True)
    both = shared[joint.ravel()].astype(np.float64)
    return both / np.bincount(cluster)[cluster], both / np.bincount(person)[person]

"""How well an archive links people across videos, against the truth: the figures of benchmarks/score.py.

Pairs of appearances are counted by how many share person, identity and video, never one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvid.clustering.constraints import alone_numbered
from cvid.evaluation.bcubed import b_cubed
from cvid.evaluation.groups import Groups
from cvid.evaluation.placing import Sightings, place
from cvid.evaluation.truth import Truth
from cvid.types import Doubles, Ints


@dataclass(frozen=True)
class Recurrence:
    """The figures, by the names of benchmarks/score.py; those after `mixed` are None where no sighting was placed."""

    appearances: int
    sightings: int
    extra: int
    found: float
    linked_p: float
    linked_r: float
    linked_f: float
    linked_macro_f: float
    mixed: float
    b3_p: float | None = None
    b3_r: float | None = None
    b3_f: float | None = None
    wcp: float | None = None
    nmi: float | None = None
    ratio: float | None = None
    pure: float | None = None
    unassigned: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The figures of `evaluate --truth --json`."""
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class GroupRecurrence:
    """B-cubed over the placed sightings of one group's people, among all clusters."""

    name: str
    people: int
    sightings: int
    b3_p: float
    b3_r: float
    b3_f: float

    def as_json(self) -> dict[str, Any]:
        """The same without the name."""
        figures = {name: round(getattr(self, name), 6) for name in ("b3_p", "b3_r", "b3_f")}
        return {"people": self.people, "sightings": self.sightings, **figures}


def judge(
    truth: Truth, video: Ints, sightings: Sightings, groups: Groups | None = None
) -> tuple[Recurrence, list[GroupRecurrence]]:
    """Compare what an archive found with the truth.

    Args:
        video: int64 (t,), the video of each row of the truth, numbered as those of the sightings.
        groups: of the truth's people; without them there are no figures by group.
    """
    names, number = np.unique(np.array(truth.person), return_inverse=True)
    person: Ints = number.astype(np.int64)
    placed = place(truth, video, sightings)
    here = placed >= 0
    labels, people = sightings.identity[here], person[placed[here]]
    row, identity = _voted(placed[here], labels)
    figures = Recurrence(
        appearances=len(truth),
        sightings=len(sightings),
        extra=int((~here).sum()),
        found=len(row) / len(truth) if len(truth) else 0.0,
        **_links(person, video, row, identity),
        mixed=_mixed(labels, sightings.identity[~here]),
        **(_clustered(labels, people) if len(labels) else {}),
    )
    return figures, _by_group(labels, people, names.tolist(), groups) if groups else []


def _voted(row: Ints, identity: Ints) -> tuple[Ints, Ints]:
    """The rows of the truth that have an identity, and which: that of most of their sightings, the first of equals."""
    said = identity >= 0
    votes, first, count = np.unique(
        np.column_stack([row[said], identity[said]]), axis=0, return_index=True, return_counts=True
    )
    order = np.lexsort((first, -count, votes[:, 0]))
    votes = votes[order]
    best = votes[np.append(True, np.diff(votes[:, 0]) > 0)] if len(votes) else votes
    return best[:, 0], best[:, 1]


def _links(person: Ints, video: Ints, row: Ints, identity: Ints) -> dict[str, Any]:
    """Over pairs of appearances in different videos: one identity when one person?

    Args:
        row: int64 (v,), the rows of the truth that have an identity; `identity`, int64 (v,), which.
    """
    people = int(person.max(initial=-1)) + 1
    own, there = person[row], video[row]
    same = _pairs(person, people) - _pairs(person, people, video)
    right = _pairs(own, people, identity) - _pairs(own, people, identity, there)
    wrong = _strange(own, people, identity) - _strange(own, people, identity, there)
    tp, fn, fp = float(right.sum()), float((same - right).sum()), float(wrong.sum()) / 2
    several = same > 0
    macro = 2 * right[several] / (right + same + wrong)[several]
    return {
        "linked_p": tp / (tp + fp) if tp + fp else 0.0,
        "linked_r": tp / (tp + fn) if tp + fn else 0.0,
        "linked_f": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
        "linked_macro_f": float(macro.mean()) if len(macro) else 0.0,
    }


def _pairs(person: Ints, people: int, *alike: Ints) -> Doubles:
    """How many pairs each person has with itself that are alike in everything, float64 (people,)."""
    of, count, _ = _cells(person, *alike)
    return np.bincount(of, count * (count - 1) / 2, people).astype(np.float64)


def _strange(person: Ints, people: int, *alike: Ints) -> Doubles:
    """How many pairs each person has with others that are alike in everything, float64 (people,)."""
    of, count, together = _cells(person, *alike)
    return np.bincount(of, count * (together - count), people).astype(np.float64)


def _cells(person: Ints, *alike: Ints) -> tuple[Ints, Doubles, Doubles]:
    """Persons who are alike in something: who, how many rows of them, and of anybody, are alike in that."""
    columns = np.column_stack([np.zeros_like(person), *alike, person])
    cells, count = np.unique(columns, axis=0, return_counts=True)
    _, key = np.unique(cells[:, :-1], axis=0, return_inverse=True)
    together = np.bincount(key.ravel(), count).astype(np.float64)
    return cells[:, -1], count.astype(np.float64), together[key.ravel()]


def _mixed(labels: Ints, of_extras: Ints) -> float:
    """The share of placed, assigned sightings whose identity holds an extra too."""
    assigned = labels[labels >= 0]
    return float(np.isin(assigned, of_extras[of_extras >= 0]).mean()) if len(assigned) else 0.0


def _clustered(labels: Ints, people: Ints) -> dict[str, Any]:
    """What the clusters of the placed sightings are worth."""
    clusters = alone_numbered(labels)
    b3 = b_cubed(labels, people)
    assigned = labels >= 0
    both = np.unique(np.column_stack([labels[assigned], people[assigned]]), axis=0)
    identities, shown = np.unique(both[:, 0], return_counts=True)
    seen = len(np.unique(both[:, 1]))
    return {
        "b3_p": b3.precision,
        "b3_r": b3.recall,
        "b3_f": b3.f,
        "wcp": _purity(clusters, people),
        "nmi": _mutual(clusters, people),
        "ratio": len(identities) / seen if seen else 0.0,
        "pure": float((shown == 1).mean()) if len(identities) else 0.0,
        "unassigned": int((~assigned).sum()),
    }


def _purity(clusters: Ints, people: Ints) -> float:
    """The share of sightings that show whom most of their cluster show."""
    cells, count = np.unique(np.column_stack([clusters, people]), axis=0, return_counts=True)
    most = np.zeros(int(clusters.max()) + 1, np.int64)
    np.maximum.at(most, cells[:, 0], count)
    return float(most.sum()) / len(clusters)


def _mutual(clusters: Ints, people: Ints) -> float:
    """Normalised mutual information, by the mean of both entropies; 1 where there is nothing to know."""
    joint = _entropy(np.column_stack([clusters, people]))
    one, other = _entropy(clusters[:, None]), _entropy(people[:, None])
    mean = (one + other) / 2
    return (one + other - joint) / mean if mean else 1.0


def _entropy(columns: NDArray[Any]) -> float:
    share = np.unique(columns, axis=0, return_counts=True)[1] / len(columns)
    return float(-(share * np.log(share)).sum())


def _by_group(labels: Ints, people: Ints, names: Sequence[str], groups: Groups) -> list[GroupRecurrence]:
    of_person = np.array([groups.group(name) for name in names])
    of_sighting = of_person[people]
    found = []
    for name in sorted(set(of_person.tolist())):
        inside = of_sighting == name
        b3 = b_cubed(labels, people, inside)
        members = int((of_person == name).sum())
        found.append(GroupRecurrence(name, members, int(inside.sum()), b3.precision, b3.recall, b3.f))
    return found

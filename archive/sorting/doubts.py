"""Which identities may be one person, and which appearances may not belong: asked anew with every sorting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, insert

from archive.doubts import MEMBER, SAME, Doubt, doubts_of
from archive.schema import doubts
from cvid.clustering.bars import cohesion_for
from cvid.clustering.certainty import Certainty, chance_of_one, confident, group_sums
from cvid.clustering.graph import NeighbourIndex
from cvid.types import Floats, Ints

if TYPE_CHECKING:
    from archive.catalogue import Catalogue
    from archive.sorting.settle import Sorting
    from cvid.settings import ClusteringSettings

_NEAR = 0.5
"""Below this share of the bar nobody is asked about (measured with a simulated reviewer: at 0.75 the questions ran out
before all was right)."""
_CLOSEST = 8
"""How many identities each one is compared with: the closest."""
_MOST = 5000
"""Questions that are kept: more than anybody answers before all is sorted anew."""
_SMALL = 6
"""In a group of no more tracks, every doubtful link is listed, in a larger one each doubtful track's best."""


def renew_doubts(catalogue: Catalogue, found: Sorting, sure: Certainty, settings: ClusteringSettings) -> None:
    """Ask anew about the identities that were looked at; the questions about others stay."""
    connection = catalogue.connection
    people = {found.names[label] for label in np.flatnonzero(found.chosen).tolist()} | set(found.gone)
    looked_at = {found.gathered.ids[row] for row in np.flatnonzero(found.sorted).tolist()}
    kept = [
        doubt
        for doubt in doubts_of(catalogue)
        if doubt.identity not in people and doubt.other not in people and doubt.appearance not in looked_at
    ]
    asked = [*kept, *_members(found, sure, settings), *_pairs(found, sure), *_nobodys(found)]
    asked.sort(key=lambda doubt: (-doubt.gain, doubt.identity, doubt.other or "", doubt.appearance))
    del asked[_MOST:]
    connection.execute(delete(doubts))
    if asked:
        connection.execute(insert(doubts), [{"rank": rank, **vars(doubt)} for rank, doubt in enumerate(asked)])


def _members(found: Sorting, sure: Certainty, settings: ClusteringSettings) -> Iterator[Doubt]:
    """Appearances that may not belong where they are, and the faces they are there for."""
    gathered = found.gathered
    labels = found.labels[gathered.with_vector]
    size = np.bincount(labels[labels >= 0], minlength=len(found.names))
    inner = np.nan_to_num(sure.tightness) * cohesion_for(found.model, settings)
    chance = chance_of_one(sure.linkage, np.maximum(found.bar, np.append(inner, 0)[labels]), found.model)
    doubtful = ~confident(sure, found.model) & ~np.isnan(sure.linkage) & ~found.bounds.firm[gathered.with_vector]
    groups = _groups(labels, len(found.names))
    for place in np.flatnonzero(doubtful).tolist():
        label = int(labels[place])
        others = np.array([int(sure.nearest[place])])
        if size[label] <= _SMALL:
            others = groups[label][groups[label] != place]
        for other in others.tolist():
            alike = float(gathered.template[place] @ gathered.template[other])
            yield Doubt(
                MEMBER,
                found.names[label],
                None,
                gathered.ids[gathered.with_vector[place]],
                gathered.ids[gathered.with_vector[other]],
                alike,
                float((1 - chance[place]) * (size[label] - 1)),
            )


def _nobodys(found: Sorting) -> Iterator[Doubt]:
    """Appearances that are nobody's, and whom each is most like."""
    gathered = found.gathered
    labels, asking = found.labels[gathered.with_vector], found.sorted[gathered.with_vector]
    lonely = np.flatnonzero((labels < 0) & asking)
    count = len(found.names)
    if not len(lonely) or not count:
        return
    sums = group_sums(gathered.template, labels, count)
    size = np.bincount(labels[labels >= 0], minlength=count)
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    _, nearest = NeighbourIndex((sums / length).astype(np.float32)).search(gathered.template[lonely], 1)
    apart, groups = _apart_from(found), _groups(labels, count)
    for place, label in zip(lonely.tolist(), nearest[:, 0].tolist(), strict=True):
        similarity = float(sums[label] @ gathered.template[place] / size[label])
        if similarity < found.bar * _NEAR or (int(gathered.with_vector[place]), label) in apart:
            continue
        other = groups[label][(gathered.template[groups[label]] @ gathered.template[place]).argmax()]
        yield Doubt(
            MEMBER,
            found.names[label],
            None,
            gathered.ids[gathered.with_vector[place]],
            gathered.ids[gathered.with_vector[other]],
            similarity,
            float(chance_of_one(np.array(similarity), found.bar, found.model) * size[label]),
        )


def _apart_from(found: Sorting) -> set[tuple[int, int]]:
    """(row, cluster) of those who never belong there."""
    cannot, labels = found.bounds.cannot, found.labels
    return {(a, int(labels[b])) for pair in cannot.tolist() for a, b in (pair, pair[::-1]) if labels[a] < 0}


def _pairs(found: Sorting, sure: Certainty) -> Iterator[Doubt]:
    """Identities that may be one person, each pair once."""
    gathered = found.gathered
    labels = found.labels[gathered.with_vector]
    count = len(found.names)
    if count < 2:
        return
    size = np.maximum(np.bincount(labels[labels >= 0], minlength=count), 1)
    sums = group_sums(gathered.template, labels, count)
    means = (sums / size[:, None]).astype(np.float32)
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    asking = np.flatnonzero(found.chosen)
    _, near = NeighbourIndex((sums / length).astype(np.float32)).search(
        (sums / length).astype(np.float32)[asking], _CLOSEST + 1
    )
    apart, groups = _apart(found), _groups(labels, count)
    seen = set()
    for a, row in zip(asking.tolist(), near, strict=True):
        for b in row[row >= 0].tolist():
            pair = (min(a, b), max(a, b))
            if a == b or pair in seen or pair in apart:
                continue
            seen.add(pair)
            similarity = float(means[a] @ means[b])
            if similarity < found.bar * _NEAR:
                continue
            one, other = _facing(gathered.template, groups[pair[0]], groups[pair[1]], *means[list(pair)])
            yield Doubt(
                SAME,
                found.names[pair[0]],
                found.names[pair[1]],
                gathered.ids[gathered.with_vector[one]],
                gathered.ids[gathered.with_vector[other]],
                similarity,
                float(chance_of_one(np.array(similarity), found.bar, found.model) * size[a] * size[b]),
            )


def _apart(found: Sorting) -> set[tuple[int, int]]:
    """Pairs of clusters that never are one: seen at one moment, or a human said so."""
    pairs = np.sort(found.labels[found.bounds.cannot], axis=1)
    return {(a, b) for a, b in pairs.tolist() if 0 <= a != b}


def _facing(template: Floats, first: Ints, second: Ints, of_first: Floats, of_second: Floats) -> tuple[int, int]:
    """The member of each of two groups that is most like the other group's mean."""
    return int(first[(template[first] @ of_second).argmax()]), int(second[(template[second] @ of_first).argmax()])


def _groups(labels: Ints, count: int) -> list[Ints]:
    """The rows of each label."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(count)))[1:]

"""Sort the tracks of the archive into people, obey what humans said, and keep to the ids that people already have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.catalogue import Catalogue
from archive.decisions.anchors import resolve
from archive.decisions.rulings import Rulings
from archive.decisions.standing import rulings_of
from archive.numbers import coming_ids, fresh_ids
from archive.sorting.assigning import assigned, people_rows
from archive.sorting.bounds import Bounds, bounds_of
from archive.sorting.differences import Differences, differences
from archive.sorting.doubts import renew_doubts
from archive.sorting.gathering import Gathered, gather, write
from archive.sorting.matching import Labels, match
from archive.sorting.postponed import forget_postponed, postponed
from cvid.clustering import CLUSTERERS
from cvid.clustering.bars import bar_for, measured_of
from cvid.clustering.certainty import certainty
from cvid.clustering.founding import founding_of
from cvid.clustering.growth import grow
from cvid.settings import ClusteringSettings, Settings
from cvid.types import Bytes, TrackSet

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sorting:
    """Who n tracks are taken for, before anything is written.

    `labels` are numbered in the order of first tracks, and `names` are the identities they stand for, of which
    `founded` are new and `gone` are no more. Only the clusters `chosen`, and the rows `sorted`, were looked at.
    """

    gathered: Gathered
    earlier: Sequence[str]  # (n,), whose each track was, "" of nobody's
    rulings: Rulings
    bounds: Bounds
    founding: Bytes  # (n,)
    labels: Labels  # (n,)
    names: Sequence[str]
    founded: Sequence[str]
    gone: Sequence[str]
    chosen: Mask  # (clusters,)
    sorted: Mask  # (n,)
    model: str
    bar: float
    remark: str


@dataclass(frozen=True)
class Settled:
    """What came of it: whose folders may have to be written, "" for nobody's and None for all, and what changed."""

    identities: frozenset[str] | None
    differences: Differences


def settle(
    catalogue: Catalogue,
    settings: Settings,
    *,
    anew: bool = False,
    affected: Collection[str] = (),
    formerly: Mapping[str, str] | None = None,
) -> Settled:
    """Sort what is new into people, or everything `anew`; all in one transaction.

    A cluster takes over the identity that most of its tracks had; where a human spoke of an identity, it is where its
    anchor is. New identities are numbered in the order of (sha256, time, box) of their first track. An identity that
    nobody belongs to any more is dissolved, unless a human has spoken of it; its id is never given again.

    Everything is sorted anew, too, when the settings of clustering are others than the archive's so far.

    Args:
        affected: identities that a decision has changed: they and what is near them are sorted again.
        formerly: track id → an identity that it belonged to once, and takes back now.

    What `postpone` has noted is done too.
    """
    clustering = clustering_of(catalogue, settings)
    rules = _rules(catalogue, clustering)
    anew = anew or catalogue.fact("clustering") != rules or clustering.k > 0  # which is that of the whole archive
    if not (anew or affected) and catalogue.fact("settled"):
        return Settled(frozenset(), differences((), ()))
    folders_are_behind = catalogue.fact("shown") is False  # a run was killed before it wrote them
    with catalogue.atomic():
        late, back = postponed(catalogue)
        affected, formerly = {*affected, *late}, {**back, **(formerly or {})}
        found = sort_people(catalogue, clustering, anew=anew, affected=affected, formerly=formerly)
        people = _write(catalogue, found, clustering)
        catalogue.set_fact("clustering", rules)
        forget_postponed(catalogue)
        catalogue.set_fact("settled", True)
        catalogue.set_fact("shown", False)
    looked_at = {found.names[label] for label in np.flatnonzero(found.chosen).tolist()} | {*found.gone, *affected, ""}
    changed = frozenset(looked_at | {row["id"] for row in people})
    return Settled(None if folders_are_behind else changed, difference_of(found))


def clustering_of(catalogue: Catalogue, settings: Settings) -> ClusteringSettings:
    """How this archive clusters: as it did the last time, but for what is asked for now."""
    last = (catalogue.fact("clustering") or {}).get("settings", {})
    asked = settings.clustering
    known = {name: value for name, value in last.items() if name in ClusteringSettings.model_fields}
    return ClusteringSettings(**known | {name: getattr(asked, name) for name in asked.model_fields_set})


def sort_people(
    catalogue: Catalogue,
    settings: ClusteringSettings,
    *,
    anew: bool,
    affected: Collection[str] = (),
    formerly: Mapping[str, str] | None = None,
) -> Sorting:
    """Work out who is who without writing anything; the arguments are those of `settle`."""
    model = catalogue.models().get("embedder", "")
    stored = gather(catalogue.connection, model)
    gathered = _taken_back(stored, formerly or {})
    rulings = rulings_of(catalogue.connection)
    bounds = _bounds(catalogue, gathered, rulings)
    gathered, left = _sent_home(gathered, bounds)
    affected = {*affected, *left}
    founding = founding_of(gathered.end_s - gathered.start_s, gathered.pictures, gathered.quality, settings)
    bar = bar_for(model, len(gathered.with_vector), settings)
    inside, again, remark = _cluster(gathered, bounds, founding, affected, anew, bar, settings)
    labels = np.full(len(gathered.ids), -1, np.int64)
    labels[gathered.with_vector] = inside
    labels = _by_first(labels)
    names, founded = _names(catalogue, gathered, bounds, labels)
    gone = sorted(set(gathered.identities) - set(names) - set(rulings.persons))
    earlier = [stored.identities[row] if row >= 0 else "" for row in stored.before]
    chosen = np.zeros(len(names), np.bool_)
    looked_at = gathered.fresh | anew
    looked_at[gathered.with_vector[again]] = True
    chosen[labels[looked_at & (labels >= 0)]] = True
    return Sorting(
        gathered,
        earlier,
        rulings,
        bounds,
        founding,
        labels,
        names,
        founded,
        gone,
        chosen,
        looked_at,
        model,
        bar,
        remark,
    )


def plan(catalogue: Catalogue, settings: Settings) -> Differences:
    """What sorting everything anew would change; nothing is written."""
    return difference_of(sort_people(catalogue, clustering_of(catalogue, settings), anew=True))


def difference_of(found: Sorting) -> Differences:
    """How a sorting differs from the one before it."""
    after = [found.names[label] if label >= 0 else "" for label in found.labels]
    return differences(found.earlier, after, found.remark)


def _write(catalogue: Catalogue, found: Sorting, settings: ClusteringSettings) -> list[dict[str, Any]]:
    """Write a sorting; the rows of identities that changed."""
    gathered = found.gathered
    with_vector = gathered.with_vector
    sure = certainty(gathered.template, gathered.video[with_vector], found.labels[with_vector], found.bar, found.chosen)
    rows = assigned(found, sure, settings)
    fresh_ids(catalogue, len(found.founded))
    people = people_rows(found, sure)
    write(catalogue.connection, people, found.gone, rows)
    renew_doubts(catalogue, found, sure, settings)
    return people


def _rules(catalogue: Catalogue, settings: ClusteringSettings) -> dict[str, Any]:
    """What the result depends on beside the tracks and the decisions."""
    measured = asdict(measured_of(catalogue.models().get("embedder", "")))
    measured["tail"] = [list(point) for point in measured["tail"]]
    measured["slopes"] = list(measured["slopes"])
    return {"settings": settings.model_dump(), "measured": measured}


def _taken_back(gathered: Gathered, formerly: Mapping[str, str]) -> Gathered:
    """The same with other former identities of some tracks."""
    if not formerly:
        return gathered
    known = [*gathered.identities, *sorted(set(formerly.values()) - set(gathered.identities))]
    place = {identity: row for row, identity in enumerate(known)}
    before = gathered.before.copy()
    for row, track_id in enumerate(gathered.ids):
        if track_id in formerly:
            before[row] = place[formerly[track_id]]
    return replace(gathered, before=before, identities=known)


def _sent_home(gathered: Gathered, bounds: Bounds) -> tuple[Gathered, set[str]]:
    """The same with tracks to be sorted that a human's word puts elsewhere, and the identities that they leave."""
    place = {identity: row for row, identity in enumerate(gathered.identities)}
    home = np.array([*(place.get(person, -2) for person in bounds.persons), -1], np.int64)[bounds.person]
    astray = (bounds.person >= 0) & (gathered.before != home)
    left = {gathered.identities[row] for row in np.unique(gathered.before[astray & (gathered.before >= 0)]).tolist()}
    return replace(gathered, fresh=gathered.fresh | astray), left


def _bounds(catalogue: Catalogue, gathered: Gathered, rulings: Rulings) -> Bounds:
    anchors = {place for person in rulings.persons.values() for place in (person.anchor, *person.pins)}
    anchors |= {place for place, _, _ in rulings.apart}
    row_of_id = {track_id: row for row, track_id in enumerate(gathered.ids)} if anchors else {}
    held = np.zeros(len(gathered.ids), np.bool_)
    held[gathered.with_vector] = True
    rows = {
        place: row_of_id[track_id]
        for place, track_id in resolve(catalogue.connection, sorted(anchors)).items()
        if held[row_of_id[track_id]]
    }
    return bounds_of(rulings, rows, gathered.video, gathered.start_s, gathered.end_s)


def _cluster(
    gathered: Gathered,
    bounds: Bounds,
    founding: Bytes,
    affected: Collection[str],
    anew: bool,
    bar: float,
    settings: ClusteringSettings,
) -> tuple[Labels, Labels, str]:
    """(m,), the cluster of each track that has a vector, which of them were sorted now, and the clusterer's remark."""
    tracks = _track_set(gathered, bounds, founding)
    clusterer = CLUSTERERS.create(settings.method, settings=settings)

    def cluster(some: TrackSet, rows: Labels) -> Labels:
        found = clusterer.cluster(some).labels
        pairs = found[some.cannot]
        if ((pairs[:, 0] == pairs[:, 1]) & (pairs[:, 0] >= 0)).any():
            raise AssertionError(f"the clusterer '{settings.method}' made one person of two faces that never are one")
        return np.asarray(found, np.int64)

    before, fresh = gathered.before[gathered.with_vector], gathered.fresh[gathered.with_vector]
    if anew:
        before, fresh = np.full(len(before), -1, np.int64), np.ones(len(before), np.bool_)
    reopened = np.array([*(identity in affected for identity in gathered.identities), False], np.bool_)
    labels, again = grow(tracks, before, fresh | reopened[before], bar, cluster)
    return labels, again, str(getattr(clusterer, "remark", ""))


def _track_set(gathered: Gathered, bounds: Bounds, founding: Bytes) -> TrackSet:
    """The tracks that have a vector, as a clusterer takes them."""
    rows = gathered.with_vector
    place = np.full(len(gathered.ids), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    cannot = place[bounds.cannot]
    return TrackSet(
        template=gathered.template,
        exemplars=gathered.exemplars,
        owner=gathered.owner,
        quality=gathered.quality[rows],
        founding=founding[rows],
        cannot=cannot[(cannot >= 0).all(axis=1)],
        person=bounds.person[rows],
        size=len(rows),
        others=gathered.template[:0],
        model=gathered.model,
    )


def _by_first(labels: Labels) -> Labels:
    """The same clusters, numbered in the order of their first tracks."""
    numbers = np.full(int(labels.max(initial=-1)) + 2, -1, np.int64)  # the last place is read by −1
    used, first = np.unique(labels[labels >= 0], return_index=True)
    numbers[used[np.argsort(first)]] = np.arange(len(used))
    return np.asarray(numbers[labels], np.int64)


def _names(catalogue: Catalogue, gathered: Gathered, bounds: Bounds, labels: Labels) -> tuple[list[str], list[str]]:
    """The identity of each cluster, and which of them are new."""
    own: dict[int, str] = {}
    for row in np.flatnonzero((bounds.person >= 0) & (labels >= 0)).tolist():
        own[int(labels[row])] = bounds.persons[bounds.person[row]]
    persons = set(bounds.persons)
    spoken_for = np.array([identity in persons for identity in gathered.identities], np.bool_)
    free = ~np.isin(labels, list(own)) & (labels >= 0)
    before = np.where(np.append(spoken_for, True)[gathered.before], -1, gathered.before)
    taken = match(np.where(free, labels, -1), before, len(gathered.identities))
    rows = np.append(taken, np.full(int(labels.max(initial=-1)) + 1 - len(taken), -1)).tolist()
    founded = coming_ids(catalogue, sum(row < 0 and label not in own for label, row in enumerate(rows)))
    fresh = iter(founded)
    names = [
        own[label] if label in own else gathered.identities[row] if row >= 0 else next(fresh)
        for label, row in enumerate(rows)
    ]
    return names, founded

"""Sort all tracks of the archive into people, and keep to the ids that people already have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count

import numpy as np
from scipy.sparse import csr_array

import cvid
from archive.catalogue import Catalogue
from archive.gathering import Assigned, Gathered, gather, write
from archive.matching import Labels, match, overlapping
from cvid.clustering import CLUSTERERS
from cvid.clustering.bars import measured_of
from cvid.clustering.founding import founding_of
from cvid.settings import ClusteringSettings, Settings
from cvid.types import Bytes, Doubles, Floats, TrackSet

NO_FACE = "no clear face"
TOO_SHORT = "too short, and nobody similar"
TOO_POOR = "not clear enough, and nobody similar"
ALONE = "nobody similar"
_BLOCK = 1 << 23
_DECIMALS = 6


def settle(catalogue: Catalogue, settings: Settings) -> None:
    """Cluster anew unless nothing has changed since the last time; all in one transaction.

    A cluster takes over the identity that most of its tracks had. New identities are numbered in the order of
    (sha256, time, box) of their first track. An identity that nobody belongs to any more is dissolved, unless a
    human has named it; its id is never given again.
    """
    measured = asdict(measured_of(catalogue.models().get("embedder", "")))
    key = json.dumps([cvid.__version__, settings.clustering.model_dump(), measured], sort_keys=True)
    if catalogue.fact("settled") == key:
        return
    with catalogue.atomic():
        models = catalogue.models()
        gathered = gather(catalogue.connection, models.get("embedder", ""))
        founding = _founding(gathered, settings.clustering)
        labels = _cluster(gathered, founding, models.get("embedder", ""), settings.clustering)
        names, founded = _names(catalogue, gathered, labels)
        kept = set(names)
        dissolved = [
            identity
            for identity, protected in zip(gathered.identities, gathered.protected, strict=True)
            if identity not in kept and not protected
        ]
        write(catalogue.connection, founded, dissolved, _rows(gathered, labels, names, founding, settings.clustering))
        catalogue.set_fact("settled", key)


def _founding(gathered: Gathered, settings: ClusteringSettings) -> Bytes:
    """(n,), who may found a person: `TrackSet.founding`."""
    return founding_of(gathered.end_s - gathered.start_s, gathered.pictures, gathered.quality, settings)


def _cluster(gathered: Gathered, founding: Bytes, model: str, settings: ClusteringSettings) -> Labels:
    """(n,), the cluster of each track; −1 also for those without a vector, which are never clustered."""
    labels: Labels = np.full(len(gathered.ids), -1, np.int64)
    rows = gathered.with_vector
    if not len(rows):
        return labels
    together = overlapping(gathered.video[rows], gathered.start_s[rows], gathered.end_s[rows])
    tracks = TrackSet(
        template=gathered.template,
        exemplars=gathered.exemplars,
        owner=gathered.owner,
        quality=gathered.quality[rows],
        founding=founding[rows],
        cannot=together,
        person=np.full(len(rows), -1, np.int32),
        model=model,
    )
    found = CLUSTERERS.create(settings.method, settings=settings).cluster(tracks).labels
    pairs = found[together]
    if ((pairs[:, 0] == pairs[:, 1]) & (pairs[:, 0] >= 0)).any():
        raise AssertionError(f"the clusterer '{settings.method}' made one person of two faces seen together")
    labels[rows] = _by_first(found)
    return labels


def _by_first(labels: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Labels:
    """The same clusters, numbered in the order of their first tracks."""
    numbers = np.full(int(labels.max(initial=-1)) + 2, -1, np.int64)  # the last place is read by −1
    used, first = np.unique(labels[labels >= 0], return_index=True)
    numbers[used[np.argsort(first)]] = np.arange(len(used))
    return np.asarray(numbers[labels], np.int64)


def _names(catalogue: Catalogue, gathered: Gathered, labels: Labels) -> tuple[list[str], list[str]]:
    """The identity of each cluster, and which of them are new."""
    fresh = _fresh_ids(catalogue)
    names, founded = [], []
    for row in match(labels, gathered.before, gathered.protected):
        if row < 0:
            founded.append(next(fresh))
        names.append(gathered.identities[row] if row >= 0 else founded[-1])
    if founded:
        catalogue.set_fact("last_identity", int(founded[-1][1:]))
    return names, founded


def _fresh_ids(catalogue: Catalogue) -> Iterator[str]:
    for number in count(int(catalogue.fact("last_identity") or 0) + 1):
        yield f"P{number:04d}"


def _rows(
    gathered: Gathered,
    labels: Labels,
    names: Sequence[str],
    founding: Bytes,
    settings: ClusteringSettings,
) -> list[Assigned]:
    """What is written of each track."""
    similarity, margin = _certainty(gathered, labels)
    size = np.bincount(labels[labels >= 0], minlength=len(names))
    has_vector = np.zeros(len(labels), np.bool_)
    has_vector[gathered.with_vector] = True
    short = ~gathered.pictures & (gathered.end_s - gathered.start_s < settings.found_s)
    reasons = np.select(
        [labels >= 0, ~has_vector, (founding == 1) & short, founding == 0], ["", NO_FACE, TOO_SHORT, TOO_POOR], ALONE
    )
    return [
        Assigned(
            track_id=gathered.ids[row],
            identity=names[label] if label >= 0 else None,
            similarity=_number(similarity[row]),
            margin=_number(margin[row]),
            support=int(size[label]) - 1 if label >= 0 else 0,
            reason=str(reasons[row]),
        )
        for row, label in enumerate(labels)
    ]


def _certainty(gathered: Gathered, labels: Labels) -> tuple[Doubles, Doubles]:
    """(n,) cosine with the mean of the others of one's identity, and by how much it exceeds the nearest other identity.

    NaN where there are no others to compare with.
    """
    similarity, margin = np.full((2, len(labels)), np.nan)
    rows = gathered.with_vector[labels[gathered.with_vector] >= 0]
    own = labels[rows]
    if not len(rows):
        return similarity, margin
    vectors = gathered.template[labels[gathered.with_vector] >= 0]
    clusters = int(own.max()) + 1
    sums = csr_array((np.ones(len(own), np.float32), (own, np.arange(len(own)))), (clusters, len(own))) @ vectors
    others = sums[own] - vectors
    alone = np.bincount(own, minlength=clusters)[own] == 1
    closeness = np.einsum("nd,nd->n", vectors, _unit(others)).astype(np.float64)
    similarity[rows] = np.where(alone, np.nan, closeness)
    if clusters > 1:
        nearest = _nearest_other(vectors, _unit(sums), own)
        margin[rows] = np.where(alone, np.nan, closeness - nearest)
    return similarity, margin


def _nearest_other(vectors: Floats, means: Floats, own: Labels) -> Doubles:
    """(n,), the cosine with the nearest mean that is not one's own; in blocks, for memory."""
    nearest = np.empty(len(vectors), np.float64)
    step = max(_BLOCK // len(means), 1)
    for start in range(0, len(vectors), step):
        block = slice(start, start + step)
        cosines = vectors[block] @ means.T
        cosines[np.arange(len(cosines)), own[block]] = -np.inf
        nearest[block] = cosines.max(axis=1)
    return nearest


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DECIMALS)

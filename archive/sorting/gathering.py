"""The tracks of the whole archive as arrays, and their new assignment back into the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from archive.schema import assignments, identities, tracks, vectors, videos
from archive.sorting.matching import Labels
from cvid.types import Floats

UNCONFIRMED = "unconfirmed"
_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Gathered:
    """All n tracks in the order of (sha256, time, box); those with a vector have a row in the arrays of m vectors."""

    ids: Sequence[str]
    pictures: NDArray[np.bool_]  # (n,), whether it was seen in a photograph, or in key frames alone
    video: Labels  # (n,), a number for each source
    start_s: NDArray[np.float64]  # (n,)
    end_s: NDArray[np.float64]  # (n,)
    quality: Floats  # (n,)
    before: Labels  # (n,), row in `identities`, −1 = nobody's
    fresh: NDArray[np.bool_]  # (n,), not sorted yet
    identities: Sequence[str]
    known: Mapping[str, Any]  # identity → its row: name, status, tightness
    model: str  # of the vectors
    with_vector: Labels  # (m,), rows of the tracks that have one
    template: Floats  # (m, d)
    exemplars: Floats  # (k, d)
    owner: NDArray[np.int32]  # (k,), row among the m


@dataclass(frozen=True)
class Assigned:
    """What is written of a track."""

    track_id: str
    identity: str | None
    similarity: float | None
    margin: float | None
    support: int
    certainty: str
    reason: str


def gather(connection: Connection, model: str) -> Gathered:
    """Read all tracks, and the vectors of one model."""
    people = connection.execute(select(identities).order_by(func.length(identities.c.id), identities.c.id)).all()
    place = {person.id: row for row, person in enumerate(people)}
    rows = connection.execute(
        _ordered(
            model,
            tracks,
            videos.c.kind,
            videos.c.speed,
            assignments.c.identity,
            assignments.c.reason,
            vectors.c.count.label("held"),
        )
    ).all()
    sources = {sha256: number for number, sha256 in enumerate(dict.fromkeys(row.sha256 for row in rows))}
    held = np.array([row.held or 0 for row in rows], np.int64)
    template, exemplars = _vectors(connection, model, held[held > 0])
    return Gathered(
        ids=[row.id for row in rows],
        pictures=np.array([row.kind == "picture" or row.speed == "skim" for row in rows], np.bool_),
        video=np.array([sources[row.sha256] for row in rows], np.int64),
        start_s=np.array([row.start_s for row in rows], np.float64),
        end_s=np.array([row.end_s for row in rows], np.float64),
        quality=np.array([row.quality for row in rows], np.float32),
        before=np.array([place.get(row.identity, -1) for row in rows], np.int64),
        fresh=np.array([row.reason is None for row in rows], np.bool_),
        identities=list(place),
        known={person.id: person for person in people},
        model=model,
        with_vector=np.flatnonzero(held),
        template=template,
        exemplars=exemplars,
        owner=np.repeat(np.arange(len(template)), held[held > 0]).astype(np.int32),
    )


def write(
    connection: Connection, people: Sequence[Mapping[str, Any]], gone: Sequence[str], rows: Sequence[Assigned]
) -> None:
    """Write the assignment of some tracks, with all identities that they need.

    Args:
        people: rows of `identities`, new ones and others; `gone` are identities that are no more.
    """
    if people:
        statement = upsert(identities)
        columns = {name: statement.excluded[name] for name in ("name", "status", "tightness")}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=columns), [*map(dict, people)])
    if rows:
        statement = upsert(assignments)
        columns = {name: statement.excluded[name] for name in vars(rows[0]) if name != "track_id"}
        statement = statement.on_conflict_do_update(index_elements=["track_id"], set_=columns)
        connection.execute(statement, [vars(row) for row in rows])
    for identity in gone:
        connection.execute(delete(identities).where(identities.c.id == identity))


def _ordered(model: str, *columns: Any) -> Any:
    """Tracks in the order that decides over new ids; `vectors` beside those that have one of this model."""
    return (
        select(*columns)
        .select_from(tracks)
        .join(videos, videos.c.sha256 == tracks.c.sha256)
        .outerjoin(assignments, assignments.c.track_id == tracks.c.id)
        .outerjoin(vectors, and_(vectors.c.track_id == tracks.c.id, vectors.c.model == model))
        .order_by(*(tracks.c[name] for name in ("sha256", "best_s", "x1", "y1", "x2", "y2", "id")))
    )


def _vectors(connection: Connection, model: str, counts: Labels) -> tuple[Floats, Floats]:
    """Templates (m, d) and exemplars (k, d), read into place: an archive's vectors are held in memory only once."""
    query = _ordered(model, vectors.c.template, vectors.c.exemplars).where(vectors.c.count > 0)
    template = exemplars = np.zeros((0, 0), np.float32)
    at = 0
    for row, found in enumerate(connection.execute(query, execution_options={"yield_per": _AT_ONCE})):
        own = np.frombuffer(found.template, "<f4")
        if not row:
            template = np.empty((len(counts), len(own)), np.float32)
            exemplars = np.empty((int(counts.sum()), len(own)), np.float32)
        template[row] = own
        exemplars[at : at + counts[row]] = np.frombuffer(found.exemplars, "<f4").reshape(counts[row], len(own))
        at += int(counts[row])
    return template, exemplars

"""Identities as groups of appearances: how large they are, what of them is confirmed, and their faces."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from archive.records import CONFIRMED, DOUBTFUL
from archive.schema import assignments, identities, tracks

_AT_ONCE = 500


@dataclass(frozen=True)
class Group:
    """An identity: its name, how many appearances it has, and how many of them nobody has confirmed.

    Of a single appearance there is nothing to confirm.
    """

    name: str
    size: int
    unseen: int


@dataclass(frozen=True)
class Listed:
    """One identity in a list of thousands; `doubtful` and `confirmed` count its appearances."""

    id: str
    name: str
    status: str
    appearances: int
    doubtful: int
    confirmed: int


def listed(connection: Connection) -> list[Listed]:
    """All identities, by id, with no more than an index tells: a hundredth of the time of `queries.people`."""
    size = func.count(assignments.c.identity)
    query = (
        select(
            identities.c.id,
            identities.c.name,
            identities.c.status,
            size.label("appearances"),
            size.filter(assignments.c.certainty == DOUBTFUL).label("doubtful"),
            size.filter(assignments.c.certainty == CONFIRMED).label("confirmed"),
        )
        .outerjoin(assignments, assignments.c.identity == identities.c.id)
        .group_by(identities.c.id)
        .order_by(func.length(identities.c.id), identities.c.id)
    )
    return [Listed(**row._mapping) for row in connection.execute(query)]


def groups(connection: Connection) -> Mapping[str, Group]:
    """Every identity that is seen, by id."""
    size = func.count()
    confirmed = size.filter(assignments.c.certainty == CONFIRMED)
    query = (
        select(identities.c.id, identities.c.name, size.label("size"), confirmed.label("confirmed"))
        .join(assignments, assignments.c.identity == identities.c.id)
        .group_by(identities.c.id)
        .order_by(func.length(identities.c.id), identities.c.id)
    )
    return {
        row.id: Group(row.name, row.size, row.size - row.confirmed if row.size > 1 else 0)
        for row in connection.execute(query)
    }


def homes(connection: Connection, appearances: Collection[str]) -> Mapping[str, str]:
    """Appearance → the identity it is with, of those that are somebody's."""
    found: dict[str, str] = {}
    wanted = sorted(appearances)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(assignments.c.track_id, assignments.c.identity).where(
            assignments.c.track_id.in_(wanted[start : start + _AT_ONCE]), assignments.c.identity.is_not(None)
        )
        found |= {row.track_id: row.identity for row in connection.execute(query)}
    return found


def clearest(connection: Connection, identity: str, most: int) -> Sequence[str]:
    """The clearest appearances of an identity."""
    query = (
        select(tracks.c.id)
        .join(assignments, assignments.c.track_id == tracks.c.id)
        .where(assignments.c.identity == identity)
        .order_by(tracks.c.quality.desc(), tracks.c.id)
    )
    return connection.execute(query.limit(most)).scalars().all()


def unconfirmed(connection: Connection, identity: str, most: int) -> tuple[Sequence[str], str]:
    """The appearances of an identity that may be wrong, the least similar first; and one to compare them with.

    That is the clearest one that is confirmed, or else the clearest of all.
    """
    query = (
        select(tracks.c.id, tracks.c.quality, assignments.c.certainty, assignments.c.similarity)
        .join(assignments, assignments.c.track_id == tracks.c.id)
        .where(assignments.c.identity == identity)
        .order_by(tracks.c.quality.desc(), tracks.c.id)
    )
    rows = connection.execute(query).all()
    best = next((row.id for row in rows if row.certainty == CONFIRMED), rows[0].id if rows else "")
    unseen = [row for row in rows if row.certainty != CONFIRMED]
    unseen.sort(key=lambda row: (1.0 if row.similarity is None else row.similarity, row.quality))
    return [row.id for row in unseen[:most]], best

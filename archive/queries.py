"""What is read from the catalogue: people, appearances, pictures, runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select, true

from archive import sources
from archive.records import CONFIRMED, DOUBTFUL, Appearance, Glance, Moment, Person, Run
from archive.schema import assignments, crops, files, identities, pictures, roots, runs, tracks, vectors, videos
from cvid.places import joined

NOWHERE = Moment("", 0.0)
_NOT_YET = "not sorted into people yet"
_AT_ONCE = 1000
_PICTURES_AT_ONCE = 50
_FIGURES = ("appearances", "videos", "screen_time_s", "doubtful", "confirmed")
_OF_TRACK = ("start_s", "end_s", "x1", "y1", "x2", "y2", "best_s", "faces", "quality")


def people(connection: Connection, only: Collection[str] | None = None) -> list[Person]:
    """All identities, or some, by id; also those that nobody belongs to any more."""
    shown = sources.shown()
    query = (
        select(
            identities,
            shown.c.path,
            func.count(tracks.c.id).label("appearances"),
            func.sum(tracks.c.end_s - tracks.c.start_s).label("screen_time_s"),
            func.min(tracks.c.start_s).label("first_s"),
            func.max(tracks.c.end_s).label("last_s"),
        )
        .select_from(identities)
        .outerjoin(assignments, assignments.c.identity == identities.c.id)
        .outerjoin(tracks, tracks.c.id == assignments.c.track_id)
        .outerjoin(shown, shown.c.sha256 == tracks.c.sha256)
        .group_by(identities.c.id, tracks.c.sha256)
        .order_by(func.length(identities.c.id), identities.c.id, shown.c.path, tracks.c.sha256)
    )
    if only is not None:
        query = query.where(identities.c.id.in_(only))
    return [_person(list(rows)) for _, rows in groupby(connection.execute(query), key=lambda row: row.id)]


def glances(connection: Connection) -> list[Glance]:
    """All identities, by id, with no more than a list shows: a fraction of the time of `people`."""
    own = (
        select(
            assignments.c.identity,
            func.count().label("appearances"),
            func.count(tracks.c.sha256.distinct()).label("videos"),
            func.sum(tracks.c.end_s - tracks.c.start_s).label("screen_time_s"),
            func.count().filter(assignments.c.certainty == DOUBTFUL).label("doubtful"),
            func.count().filter(assignments.c.certainty == CONFIRMED).label("confirmed"),
        )
        .join(tracks, tracks.c.id == assignments.c.track_id)
        .where(assignments.c.identity.is_not(None))
        .group_by(assignments.c.identity)
        .subquery()
    )
    figures = [func.coalesce(own.c[name], 0).label(name) for name in _FIGURES]
    query = select(identities.c.id, identities.c.name, identities.c.status, *figures).outerjoin(
        own, own.c.identity == identities.c.id
    )
    rows = connection.execute(query.order_by(func.length(identities.c.id), identities.c.id))
    return [Glance(**row._mapping) for row in rows]


def appearances(connection: Connection, identity: str | None = None, grouped: bool = False) -> Iterator[Appearance]:
    """All appearances, or one identity's ("" for nobody's), by video and time; `grouped`: by identity first."""
    query = _appearances()
    shown_path = query.selected_columns["video"]
    order: list[Any] = [shown_path, tracks.c.start_s, tracks.c.x1, tracks.c.id]
    if grouped:
        order = [func.length(assignments.c.identity), assignments.c.identity, *order]
    if identity is not None:
        query = query.where(assignments.c.identity == identity if identity else assignments.c.identity.is_(None))
    for row in connection.execute(query.order_by(*order), execution_options={"yield_per": _AT_ONCE}):
        yield Appearance(**row._mapping)


def logged(connection: Connection) -> Iterator[tuple[Appearance, str]]:
    """All appearances of people by identity, as in `glances`, then video and time; each with its video's sha256."""
    query = _appearances().add_columns(tracks.c.sha256).where(assignments.c.identity.is_not(None))
    order = (func.length(assignments.c.identity), assignments.c.identity, query.selected_columns["video"])
    query = query.order_by(*order, tracks.c.sha256, tracks.c.start_s, tracks.c.x1, tracks.c.id)
    for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        fields = dict(row._mapping)
        sha256 = fields.pop("sha256")
        yield Appearance(**fields), sha256


def pictures_of(connection: Connection, identity: str) -> dict[str, list[tuple[float, str]]]:
    """Appearance → (time_s, digest) of its pictures, best first; "" for what is nobody's."""
    found: dict[str, list[tuple[float, str]]] = {}
    query = _pictures(identity, pictures.c.track_id, pictures.c.time_s, pictures.c.digest)
    for row in connection.execute(query):
        found.setdefault(row.track_id, []).append((row.time_s, row.digest))
    return found


def jpegs_of(connection: Connection, identity: str) -> Iterator[tuple[str, int, bytes]]:
    """(appearance, rank, JPEG file) of all pictures of an identity."""
    query = _pictures(identity, pictures.c.track_id, pictures.c.rank, pictures.c.jpeg)
    for row in connection.execute(query, execution_options={"yield_per": _PICTURES_AT_ONCE}):
        yield row.track_id, row.rank, row.jpeg


def appearance(connection: Connection, appearance: str) -> Appearance | None:
    """One appearance by its whole id, if there is one."""
    row = connection.execute(_appearances().where(tracks.c.id == appearance)).first()
    return Appearance(**row._mapping) if row else None


def source_of(connection: Connection, appearance: str) -> str:
    """The sha256 of the video in which an appearance is seen; "" for an unknown one."""
    return connection.execute(select(tracks.c.sha256).where(tracks.c.id == appearance)).scalar() or ""


def portrait_of(connection: Connection, appearance: str) -> bytes | None:
    """The JPEG file of the best face of an appearance, if one is kept."""
    query = select(pictures.c.jpeg).where(pictures.c.track_id == appearance, pictures.c.rank == 0)
    found = connection.execute(query).scalar()
    return bytes(found) if found is not None else None


def missing_of(connection: Connection, identity: str) -> set[str]:
    """The appearances of an identity whose video lies nowhere where it was seen last; at an address the last scan says.

    Paths are looked at anew: footage is moved without a scan, and disks are taken out.
    """
    query = (
        select(tracks.c.id, roots.c.path.label("root"), files.c.path, files.c.missing)
        .join(assignments, assignments.c.track_id == tracks.c.id)
        .join(files, files.c.sha256 == tracks.c.sha256)
        .join(roots, roots.c.id == files.c.root_id)
        .where(assignments.c.identity == identity)
    )
    there: dict[tuple[str, str], bool] = {}
    found: dict[str, bool] = {}
    for row in connection.execute(query):
        place = row.root, row.path
        if place not in there:
            lies = joined(*place)
            there[place] = _exists(lies) if isinstance(lies, Path) else not row.missing
        found[row.id] = found.get(row.id, False) or there[place]
    return {appearance for appearance, is_there in found.items() if not is_there}


def all_runs(connection: Connection) -> list[Run]:
    """Newest first."""
    return [Run(**row._mapping) for row in connection.execute(select(runs).order_by(runs.c.id.desc()))]


def counts(connection: Connection) -> tuple[int, int, int, int]:
    """How many videos, tracks, identities, and tracks that are nobody's."""
    assigned = select(func.count()).select_from(assignments).where(assignments.c.identity.is_not(None))
    of = [select(func.count()).select_from(table) for table in (videos, tracks, identities)]
    sources_, tracks_, identities_, assigned_ = (connection.execute(q).scalar_one() for q in (*of, assigned))
    return sources_, tracks_, identities_, tracks_ - assigned_


def sizes(connection: Connection) -> dict[str, int]:
    """How many appearances each identity has."""
    query = select(assignments.c.identity, func.count().label("size")).where(assignments.c.identity.is_not(None))
    return {row.identity: row.size for row in connection.execute(query.group_by(assignments.c.identity))}


def may_replace(connection: Connection, sha256: str) -> bool:
    """May storing this content take others' appearances away: it is known already, or what lay at its path is gone?"""
    known = select(videos.c.sha256).where(videos.c.sha256 == sha256)
    gone = select(files.c.sha256).where(files.c.missing == true()).limit(1)
    return connection.execute(known).first() is not None or connection.execute(gone).first() is not None


def crop_bytes(connection: Connection) -> int:
    """How much room the faces take that are kept for models to come."""
    return int(connection.execute(select(func.coalesce(func.sum(func.length(crops.c.jpeg)), 0))).scalar_one())


def revectored(connection: Connection, model: str) -> tuple[int, int]:
    """How many tracks have vectors of a model, and how many have any."""
    done = select(func.count()).where(vectors.c.model == model)
    total = select(func.count(vectors.c.track_id.distinct()))
    return int(connection.execute(done).scalar_one()), int(connection.execute(total).scalar_one())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False  # nobody may look there


def _appearances() -> Select[Any]:
    shown = sources.shown()
    return (
        select(
            func.coalesce(assignments.c.identity, "").label("identity"),
            func.coalesce(identities.c.name, "").label("name"),
            shown.c.path.label("video"),
            *(tracks.c[name] for name in _OF_TRACK),
            assignments.c.similarity,
            literal("face").label("evidence"),
            tracks.c.id.label("appearance"),
            assignments.c.margin,
            func.coalesce(assignments.c.support, 0).label("support"),
            func.coalesce(assignments.c.certainty, "").label("certainty"),
            func.coalesce(assignments.c.reason, _NOT_YET).label("reason"),
        )
        .select_from(tracks)
        .join(shown, shown.c.sha256 == tracks.c.sha256)
        .outerjoin(assignments, assignments.c.track_id == tracks.c.id)
        .outerjoin(identities, identities.c.id == assignments.c.identity)
    )


def _pictures(identity: str, *columns: Any) -> Select[Any]:
    own = assignments.c.identity == identity if identity else assignments.c.identity.is_(None)
    joined = select(*columns).select_from(assignments).join(pictures, pictures.c.track_id == assignments.c.track_id)
    return joined.where(own).order_by(pictures.c.track_id, pictures.c.rank)


def _person(rows: list[Row[Any]]) -> Person:
    """One identity from its rows, one a video."""
    seen = [row for row in rows if row.appearances]
    return Person(
        id=rows[0].id,
        name=rows[0].name,
        videos=len(seen),
        appearances=sum(row.appearances for row in seen),
        screen_time_s=sum(row.screen_time_s for row in seen),
        first=Moment(seen[0].path, seen[0].first_s) if seen else NOWHERE,
        last=Moment(seen[-1].path, seen[-1].last_s) if seen else NOWHERE,
        status=rows[0].status,
        tightness=rows[0].tightness,
    )

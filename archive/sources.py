"""The footage in the catalogue: roots, files, and what became of them since the last scan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, false, func, or_, select, true, tuple_, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql import Subquery

from archive.found import Found, Known, Scope, Stamp, Unreadable
from archive.records import Failure
from archive.schema import files, roots, videos
from cvid.places import Place, joined


def known_roots(connection: Connection) -> dict[str, int]:
    """Root path → its id."""
    return {row.path: row.id for row in connection.execute(select(roots))}


def known_files(connection: Connection, done: Collection[str]) -> dict[str, Known]:
    """Absolute path → what is known of it; of several contents the one that was there last."""
    query = (
        select(roots.c.path.label("root"), files)
        .join_from(files, roots)
        .where(files.c.sha256 != "")
        .order_by(files.c.missing.desc(), files.c.id)
    )
    return {
        str(joined(row.root, row.path)): Known(
            row.root, Stamp(row.size, row.mtime_ns, row.inode), row.sha256, row.sha256 in done
        )
        for row in connection.execute(query)
    }


def indexed(connection: Connection, speeds: Sequence[str]) -> set[str]:
    """The sha256 of every video that is wholly in the catalogue, looked at at one of the speeds."""
    return set(connection.execute(select(videos.c.sha256).where(videos.c.speed.in_(speeds))).scalars())


def record(connection: Connection, items: Sequence[Found | Unreadable]) -> None:
    """Take in what a scan came upon; rows that say the same already are not written."""
    ids = known_roots(connection)
    for root in sorted({item.root for item in items} - ids.keys()):
        ids[root] = connection.execute(insert(roots).values(path=root).returning(roots.c.id)).scalar_one()
    rows = [_row(ids[item.root], item) for item in items]
    if not rows:
        return
    statement = insert(files)
    fresh = statement.excluded
    columns = [files.c[name] for name in ("size", "mtime_ns", "inode", "missing", "reason")]
    differs = or_(*(column != fresh[column.name] for column in columns))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["root_id", "path", "sha256"], set_={c.name: fresh[c.name] for c in columns}, where=differs
        ),
        rows,
    )
    here = and_(files.c.root_id == bindparam("at_root"), files.c.path == bindparam("at_path"))
    other = and_(files.c.sha256 != bindparam("content"), files.c.sha256 != "", files.c.missing == false())
    found = [{"at_root": r["root_id"], "at_path": r["path"], "content": r["sha256"]} for r in rows if r["sha256"]]
    if found:
        connection.execute(delete(files).where(here, files.c.sha256 == ""), found)
        connection.execute(update(files).where(here, other).values(missing=True), found)


def close_scan(connection: Connection, scope: Scope, seen: Collection[str]) -> None:
    """Settle what the scan did not meet: moved away, missing, or a failure that is gone.

    Args:
        seen: absolute paths of all items.
    """
    query = select(files.c.id, files.c.sha256, files.c.path, roots.c.path.label("root")).join_from(files, roots)
    unmet = [
        row
        for row in connection.execute(query)
        if (path := str(joined(row.root, row.path))) not in seen and scope.covers(path)
    ]
    if unmet:
        by_id = update(files).where(files.c.id == bindparam("row")).values(missing=True)
        connection.execute(by_id, [{"row": row.id} for row in unmet])
    other = files.alias()
    moved = exists().where(other.c.sha256 == files.c.sha256, other.c.missing == false())
    has_tracks = exists().where(videos.c.sha256 == files.c.sha256)
    connection.execute(delete(files).where(files.c.missing == true(), or_(moved, ~has_tracks)))
    drop_replaced(connection)


def drop_replaced(connection: Connection, sha256: str = "") -> None:
    """Forget what used to lie at a path that now holds other, indexed content; `sha256` narrows it to that content."""
    new = files.alias()
    current = select(new.c.root_id, new.c.path).where(
        new.c.missing == false(), new.c.sha256.in_(select(videos.c.sha256))
    )
    if sha256:
        current = current.where(new.c.sha256 == sha256)
    replaced = tuple_(files.c.root_id, files.c.path).in_(current)
    doomed = delete(files).where(files.c.missing == true(), replaced).returning(files.c.sha256)
    gone = connection.execute(doomed).scalars().all()
    if gone:
        orphan = ~exists().where(files.c.sha256 == videos.c.sha256)
        by_key = delete(videos).where(videos.c.sha256 == bindparam("key"), orphan)
        connection.execute(by_key, [{"key": sha256} for sha256 in gone])


def fail(connection: Connection, sha256: str, reason: str) -> None:
    """Record why a content could not be indexed, for every path it lies at."""
    connection.execute(update(files).where(files.c.sha256 == sha256).values(reason=reason))


def failures(connection: Connection) -> list[Failure]:
    """What could not be read when it was last tried, or not to its end, by path."""
    reason = func.coalesce(func.nullif(videos.c.damage, ""), files.c.reason)
    query = (
        select(files.c.path, reason.label("reason"))
        .outerjoin(videos, videos.c.sha256 == files.c.sha256)
        .where(reason != "", files.c.missing == false())
    )
    return [Failure(row.path, row.reason) for row in connection.execute(query.order_by(files.c.path, files.c.root_id))]


def count_failed(connection: Connection) -> int:
    """How many files could not be read at all when they were last tried."""
    query = select(func.count()).select_from(files).where(files.c.reason != "", files.c.missing == false())
    return connection.execute(query).scalar_one()


def damages(connection: Connection) -> dict[str, str]:
    """The sha256 of every indexed video that could not be read to its end → why."""
    query = select(videos.c.sha256, videos.c.damage).where(videos.c.damage != "")
    return {row.sha256: row.damage for row in connection.execute(query)}


def missing(connection: Connection) -> list[str]:
    """The paths of the indexed videos that lie nowhere where they were last seen."""
    present = exists().where(files.c.sha256 == videos.c.sha256, files.c.missing == false())
    place = shown()
    query = select(place.c.path).join(videos, videos.c.sha256 == place.c.sha256).where(~present)
    return list(connection.execute(query.order_by(place.c.path)).scalars())


def lies_at(connection: Connection, sha256: str) -> list[Place]:
    """Where a content lies or lay, first the place that stands for it; those of the last scan come before others."""
    query = (
        select(roots.c.path.label("root"), files.c.path)
        .join_from(files, roots)
        .where(files.c.sha256 == sha256)
        .order_by(files.c.missing, files.c.root_id, files.c.path)
    )
    return [joined(row.root, row.path) for row in connection.execute(query)]


def shown() -> Subquery:
    """sha256 → the one of its paths that stands for a content: a present one, the first by root and name."""
    place = func.row_number().over(
        partition_by=files.c.sha256, order_by=(files.c.missing, files.c.root_id, files.c.path)
    )
    columns = (files.c.sha256, files.c.path, files.c.root_id, place.label("place"))
    ranked = select(*columns).where(files.c.sha256 != "").subquery()
    return select(ranked.c.sha256, ranked.c.path, ranked.c.root_id).where(ranked.c.place == 1).subquery()


def _row(root_id: int, item: Found | Unreadable) -> dict[str, Any]:
    return {
        "root_id": root_id,
        "path": item.path,
        "sha256": item.sha256 if isinstance(item, Found) else "",
        "size": item.stamp.size,
        "mtime_ns": item.stamp.mtime_ns,
        "inode": item.stamp.inode,
        "missing": False,
        "reason": item.reason if isinstance(item, Unreadable) else "",
    }

"""The journal of decisions: rows are only ever appended, each chained to the one before by digests.

The chain holds salted digests of what was said; the words themselves lie beside it, so that somebody can be forgotten
and the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from archive.decisions.statements import Forgot, Statement, Undone, as_json, from_json, kind_of
from archive.schema import decisions, payloads
from cvid.errors import CatalogueError

_SALT_BYTES = 16
_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    """A row of the journal; `said` is None where it was erased.

    Entries count in the order of `place`, which is their number unless one stands in for another that was erased.
    """

    number: int
    uid: str
    utc: str
    kind: str
    place: int
    origin: str
    said: Statement | None


@dataclass(frozen=True)
class Intact:
    """How many rows there are, and the first that is not as it was written; 0 and "" where all are."""

    entries: int
    broken: int
    why: str


def append(
    connection: Connection, said: Statement, *, uid: str = "", utc: str = "", origin: str = "", place: int = 0
) -> Entry:
    """Write a decision down, inside the caller's transaction.

    Args:
        uid: of a decision that was taken elsewhere, with its time `utc` and the `origin` it came from.
        place: the number of the erased decision for which it stands in.
    """
    last = connection.execute(select(decisions).order_by(decisions.c.number.desc()).limit(1)).first()
    entry = coming(connection, said, uid=uid, utc=utc, origin=origin, place=place)
    data, salt = json.dumps(as_json(said), ensure_ascii=False), secrets.token_bytes(_SALT_BYTES)
    row: dict[str, Any] = {name: getattr(entry, name) for name in ("number", "uid", "utc", "kind", "place")}
    row["digest"] = _digest(salt, origin, data)
    row["chain"] = _chain(last.chain if last else "", row)
    connection.execute(insert(decisions).values(row))
    connection.execute(insert(payloads).values(number=entry.number, salt=salt, origin=origin, data=data))
    return entry


def coming(
    connection: Connection, said: Statement, *, uid: str = "", utc: str = "", origin: str = "", place: int = 0
) -> Entry:
    """The entry that `append` would write now."""
    number = _last_number(connection) + 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(number, uid or uuid.uuid4().hex, utc or now, kind_of(said), place or number, origin, said)


def read(connection: Connection) -> list[Entry]:
    """All rows by number.

    Raises:
        CatalogueError: one was changed so that it cannot be read.
    """
    query = select(decisions, payloads.c.origin, payloads.c.data).outerjoin(payloads).order_by(decisions.c.number)
    return [_entry(row) for row in connection.execute(query)]


def active(entries: Sequence[Entry]) -> list[Entry]:
    """The decisions that count, in their order: those that were not undone."""
    out = undone_by(entries)
    left = [e for e in entries if e.uid not in out and e.said is not None and not isinstance(e.said, Undone | Forgot)]
    return sorted(left, key=lambda entry: (entry.place, entry.number))


def undone_by(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The uid of each decision that does not count → the undo that says so. An undo may itself be undone."""
    out: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: -entry.number):
        if isinstance(entry.said, Undone) and entry.uid not in out:
            out.setdefault(entry.said.uid, entry)
    return out


def erase(connection: Connection, numbers: Collection[int]) -> None:
    """Empty some rows of their words; the chain still holds."""
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        connection.execute(delete(payloads).where(payloads.c.number.in_(ordered[start : start + _AT_ONCE])))


def intact(connection: Connection) -> Intact:
    """Check every row against the chain: was one changed, taken out, put in or erased otherwise than by `forget`?"""
    query = (
        select(decisions, payloads.c.salt, payloads.c.origin, payloads.c.data)
        .outerjoin(payloads)
        .order_by(decisions.c.number)
    )
    rows = connection.execute(query).all()
    before, missing = "", set()
    for number, row in enumerate(rows, start=1):
        if row.number != number:
            return Intact(len(rows), number, "it is missing")
        if row.chain != _chain(before, dict(row._mapping)):
            return Intact(len(rows), number, "it, or what stood before it, was changed")
        if row.data is None:
            missing.add(number)
        elif row.digest != _digest(row.salt, row.origin, row.data):
            return Intact(len(rows), number, "its words were changed")
        else:
            missing -= _erased_by(row)
        before = row.chain
    if missing:
        return Intact(len(rows), min(missing), "its words were taken away, and not by `forget`")
    if _last_number(connection) != len(rows):
        return Intact(len(rows), len(rows) + 1, "it is missing")
    return Intact(len(rows), 0, "")


def _entry(row: Row[Any]) -> Entry:
    try:
        said = None if row.data is None else from_json(row.kind, json.loads(row.data))
    except ValueError as exc:
        raise CatalogueError(f"decision {row.number} in the catalogue was changed and cannot be read: {exc}") from exc
    return Entry(row.number, row.uid, row.utc, row.kind, row.place, row.origin or "", said)


def _erased_by(row: Row[Any]) -> set[int]:
    """The rows that this one erased; of words that cannot be read nothing is taken for granted."""
    if row.kind != "forget":
        return set()
    said = _entry(row).said
    return set(said.erased) if isinstance(said, Forgot) else set()


def _last_number(connection: Connection) -> int:
    """Of all rows that there ever were: SQLite counts them beside the table."""
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'decisions'"
    return int(connection.exec_driver_sql(query).scalar() or 0)


def _digest(salt: bytes, origin: str, data: str) -> str:
    return hashlib.sha256(salt + json.dumps([origin, data]).encode()).hexdigest()


def _chain(before: str, row: dict[str, Any]) -> str:
    fields = [before, *(row[name] for name in ("number", "uid", "utc", "kind", "place", "digest"))]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()

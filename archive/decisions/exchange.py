"""Decisions as JSON, so that colleagues can exchange their work: what is written, and what is taken from a stranger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.importing import Imported, take_in
from archive.decisions.statements import Forgot, Statement, Undone, as_json, from_json
from cvid.errors import DecisionError

_VERSION = 1
_FIELDS = {"uid", "utc", "kind", "says"}


@dataclass(frozen=True)
class Sent:
    """A decision as it lies in a file."""

    uid: str
    utc: str
    said: Statement


def export_decisions(catalogue: Catalogue) -> dict[str, Any]:
    """All decisions of an archive as JSON, those that were undone together with their undo.

    What was erased is not among them, nor who was forgotten.
    """
    entries = sorted(journal.read(catalogue.connection), key=lambda entry: (entry.place, entry.number))
    known: set[str] = set()
    written = []
    for entry in entries:
        if entry.said is None or isinstance(entry.said, Forgot):
            continue
        if isinstance(entry.said, Undone) and entry.said.uid not in known:
            continue
        known.add(entry.uid)
        written.append({"uid": entry.uid, "utc": entry.utc, "kind": entry.kind, "says": as_json(entry.said)})
    return {"schema_version": _VERSION, "decisions": written}


def import_decisions(catalogue: Catalogue, content: Any, origin: str) -> Imported:
    """Take in the decisions of another archive that are new here, all in one transaction.

    Args:
        content: what `export_decisions` gave, read from JSON; anything else is refused before anything is written.
        origin: the name of the file, kept beside each decision.

    Raises:
        DecisionError: the content is not what it should be; the entry and the field are named.
    """
    sent = _read(content, origin)
    with catalogue.atomic():
        return take_in(catalogue, [(one.uid, one.utc, one.said) for one in sent], origin)


def _read(content: Any, origin: str) -> Sequence[Sent]:
    """Check all of a file before any of it is used."""
    if not isinstance(content, dict) or not isinstance(content.get("decisions"), list):
        raise DecisionError(f"{origin} holds no decisions: it must be an object with a list named 'decisions'")
    if content.get("schema_version") != _VERSION:
        raise DecisionError(
            f"{origin} is of schema_version {content.get('schema_version')!r}, and this cvid reads {_VERSION}"
        )
    sent: dict[str, Sent] = {}
    for number, item in enumerate(content["decisions"], start=1):
        try:
            one = _one(item)
            if one.uid in sent:
                raise ValueError("the field 'uid': another decision of the file has the same")
        except ValueError as exc:
            raise DecisionError(f"{origin}, decision {number}: {exc}") from exc
        sent[one.uid] = one
    return list(sent.values())


def _one(item: Any) -> Sent:
    if not isinstance(item, dict) or set(item) != _FIELDS:
        raise ValueError(f"it must be an object with the fields {', '.join(sorted(_FIELDS))}")
    kind = item["kind"]
    if not isinstance(kind, str) or kind == "forget":
        raise ValueError("the field 'kind' must be that of a decision; to forget somebody is up to each archive")
    uid = from_json("undo", {"uid": item["uid"]})
    assert isinstance(uid, Undone)
    return Sent(uid.uid, _utc(item["utc"]), from_json(kind, item["says"]))


def _utc(text: Any) -> str:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError("without a time zone")
        return time.astimezone(UTC).isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError("the field 'utc' must be a time such as 2026-05-03T10:00:00+00:00") from exc

"""The story of an archive: its runs and its decisions in the order of time, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive import queries
from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.journal import Entry, Intact
from archive.decisions.statements import as_json
from archive.decisions.telling import sentence
from archive.records import Run


@dataclass(frozen=True)
class Happening:
    """Something that was done; `number` is that of a decision, 0 of a run."""

    utc: str
    number: int
    text: str


@dataclass(frozen=True)
class Story:
    """What happened, oldest first, the decisions themselves, and whether the journal is as it was written."""

    events: list[Happening]
    decisions: list[dict[str, Any]]
    intact: Intact

    def as_json(self) -> dict[str, Any]:
        """The object of `history --json`."""
        return {
            "decisions": self.decisions,
            "events": [vars(event) for event in self.events],
            "journal": {"entries": self.intact.entries, "intact": not self.intact.broken},
        }


def story_of(catalogue: Catalogue) -> Story:
    """Read the story."""
    entries = journal.read(catalogue.connection)
    by_uid = {entry.uid: entry for entry in entries}
    undone = set(journal.undone_by(entries))
    events = [Happening(entry.utc, entry.number, _told(entry, by_uid, undone)) for entry in entries]
    events += [Happening(run.started_utc, 0, _run(run)) for run in queries.all_runs(catalogue.connection)]
    decisions = [
        {
            "number": entry.number,
            "uid": entry.uid,
            "utc": entry.utc,
            "kind": entry.kind,
            "origin": entry.origin,
            "counts": entry.said is not None and entry.uid not in undone,
            "sentence": sentence(entry, by_uid),
            "payload": as_json(entry.said) if entry.said else None,
        }
        for entry in entries
    ]
    ordered = sorted(events, key=lambda event: (event.utc, event.number))
    return Story(ordered, decisions, journal.intact(catalogue.connection))


def _told(entry: Entry, by_uid: dict[str, Entry], undone: set[str]) -> str:
    text = sentence(entry, by_uid)
    if entry.origin:
        text += f", from {entry.origin}"
    if entry.uid in undone:
        text += " (undone)"
    return text


def _run(run: Run) -> str:
    models = " and ".join(run.models[part] for part in ("detector", "embedder") if run.models.get(part))
    return f"run {run.id}: {run.outcome or 'not finished'}" + (f", with {models}" if models else "")

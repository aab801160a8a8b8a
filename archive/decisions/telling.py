"""Decisions in plain words, for the history of an archive and for refusals."""

from __future__ import annotations

from collections.abc import Mapping

from archive.decisions.journal import Entry
from archive.decisions.statements import Confirmed, Forgot, Held, Merged, Named, Rejected, Split, Undone

_ERASED = {
    "name": "named somebody",
    "confirm": "confirmed somebody",
    "merge": "merged two identities",
    "split": "split an identity",
    "reject": "rejected appearances",
    "hold": "kept appearances together",
}


def sentence(entry: Entry, earlier: Mapping[str, Entry]) -> str:
    """What a decision did, as the end of a sentence: `named P0003 "Jane Doe"`.

    Args:
        earlier: all decisions by uid, for those that undo another.
    """
    match entry.said:
        case Named(person, _, name):
            return f'named {person} "{name}"'
        case Confirmed(person, _, members, whole):
            some = _appearances(members)
            return f"confirmed {person} with {some}" if whole else f"confirmed {some} as {person}"
        case Merged() as said:
            return f"merged {said.other} into {said.person}" + (
                ", one person twice in a picture" if said.mirror else ""
            )
        case Split() as said:
            return f"split {_appearances(said.members)} off {said.person} as {said.other}"
        case Rejected(person, _, _, members):
            return f"rejected {_appearances(members)} from {person}"
        case Held() as said:
            return f"kept {_appearances(said.members + said.firm)} with {said.person}"
        case Undone(uid):
            undone = earlier.get(uid)
            return f"undid decision {undone.number}, {sentence(undone, earlier)}" if undone else "undid another"
        case Forgot(person, appearances, _):
            return f"forgot {person}, seen in {appearances} appearance{'' if appearances == 1 else 's'}"
    return f"{_ERASED.get(entry.kind, entry.kind)}, erased when somebody was forgotten"


def dated(entry: Entry) -> str:
    """A decision by number and day: `decision 3 of 2026-05-03`."""
    return f"decision {entry.number} of {entry.utc[:10]}"


def _appearances(members: tuple[object, ...]) -> str:
    return f"{len(members)} appearance{'' if len(members) == 1 else 's'}"

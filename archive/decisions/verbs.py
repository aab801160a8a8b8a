"""The decisions that a human can take: each is checked, written into the journal, and told.

Nothing here sorts: whoever lets somebody decide settles the identities that are named, in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.journal import Entry
from archive.decisions.rulings import Contradiction, Replay, told
from archive.decisions.standing import Standing, seen_together
from archive.decisions.statements import (
    Anchors,
    Confirmed,
    Merged,
    Named,
    Rejected,
    Split,
    Statement,
    checked_name,
    ids_in,
)
from archive.decisions.telling import sentence
from archive.decisions.undoing import undone
from archive.numbers import fresh_id
from archive.schema import assignments
from cvid.errors import DecisionError

_IDENTITY = re.compile(r"[Pp]\d+")


@dataclass(frozen=True)
class Said:
    """A decision that was taken.

    `identities` are those that it affects. `formerly` says, of appearances that it brings back, whose they were before
    the decision that was undone: track → identity.
    """

    number: int
    sentence: str
    identities: frozenset[str]
    formerly: Mapping[str, str] = field(default_factory=dict)


def name(catalogue: Catalogue, identity: str, name: str) -> Said:
    """Name an identity; the name goes where its anchor goes.

    Raises:
        UnknownName: there is no such identity.
        DecisionError: it cannot be called that, or was merged into another.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        person = standing.identity(identity)
        try:
            checked = checked_name(name)
        except ValueError as exc:
            raise DecisionError(f"{person} cannot have this name: {exc}") from exc
        return _record(standing, Named(person, standing.anchor(person, standing.members(person)), checked))


def confirm(catalogue: Catalogue, identity: str, appearances: Sequence[str] = ()) -> Said:
    """Say that all appearances of an identity are one person, or that some are this person, wherever they are now.

    Raises:
        UnknownName: there is no such identity, or no such appearance.
        DecisionError: it is not seen anywhere, was merged into another, one is seen beside it, or an earlier decision
            says otherwise.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        person = standing.identity(identity)
        members = standing.members(person)
        if not members:
            raise DecisionError(f"{person} is not seen in any footage of this archive: there is nothing to confirm")
        anchor = standing.anchor(person, members)
        if not appearances:
            return _record(standing, Confirmed(person, anchor, standing.places(members)))
        chosen = standing.chosen(person, members, appearances, elsewhere=True)
        joining = [track_id for track_id in chosen if track_id not in members]
        _refuse_together(catalogue, person, members, f"the appearance {' or '.join(joining)}", joining)
        said = Confirmed(person, anchor, standing.places(chosen), whole=False)
        return _record(standing, said, _holders(standing, joining))


def merge(catalogue: Catalogue, into: str, other: str, mirror: bool = False) -> Said:
    """Say that `other` is `into`.

    Args:
        mirror: also where they are seen at one moment: one person twice, in a mirror or on a screen.

    Raises:
        UnknownName: there is no such identity.
        DecisionError: they are the same already, are seen together, or an earlier decision says otherwise.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        person, gone = standing.identity(into), standing.identity(other)
        if person == gone:
            raise DecisionError(f"{person} cannot be merged with itself")
        mine, theirs = standing.members(person), standing.members(gone)
        if not mirror:
            _refuse_together(catalogue, person, mine, gone, theirs)
        said = Merged(
            person,
            standing.anchor(person, mine),
            _loose(standing, person, mine),
            gone,
            standing.anchor(gone, theirs),
            _loose(standing, gone, theirs),
            mirror,
        )
        return _record(standing, said)


def split(catalogue: Catalogue, identity: str, appearances: Sequence[str]) -> Said:
    """Say that some appearances of an identity are one other person, who gets a new id; the others stay.

    Raises:
        UnknownName: there is no such identity, or no such appearance.
        DecisionError: an appearance is not there, none would be left, or an earlier decision says otherwise.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        person = standing.identity(identity)
        members = standing.members(person)
        off = standing.chosen(person, members, appearances)
        left = [track_id for track_id in members if track_id not in off]
        if not left:
            raise DecisionError(f"these are all appearances of {person}: nothing would be left of it")
        places = standing.places(off)
        rest, loose = standing.places(left)[0], _loose(standing, person, left)
        anchor = standing.anchor(person, members)
        return _record(standing, Split(person, anchor, rest, places, fresh_id(catalogue), places[0], loose))


def reject(catalogue: Catalogue, identity: str, appearances: Sequence[str]) -> Said:
    """Say that some appearances are not this identity, whoever they are; an id says it of a whole other identity.

    Raises:
        UnknownName: there is no such identity, or no such appearance.
        DecisionError: none would be left, or an earlier decision says otherwise.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        person = standing.identity(identity)
        members = standing.members(person)
        others = sorted({standing.identity(text) for text in appearances if _IDENTITY.fullmatch(text.strip())})
        if person in others:
            raise DecisionError(f"{person} cannot differ from itself")
        named = [text for text in appearances if not _IDENTITY.fullmatch(text.strip())]
        off = standing.chosen(person, members, named, elsewhere=True) if named or not others else []
        left = [track_id for track_id in members if track_id not in off]
        if not left:
            only = "the only appearance" if len(members) == 1 else "all appearances"
            raise DecisionError(f"that is {only} of {person}: nothing would be left that it could differ from")
        anchor, places = standing.anchor(person, members), standing.places(off)
        places += tuple(standing.anchor(other, standing.members(other)) for other in others)
        rest = standing.places(left)[0] if anchor in places else anchor
        return _record(standing, Rejected(person, anchor, rest, places), {*others, *_holders(standing, off)})


def undo(catalogue: Catalogue, number: int | None = None) -> Said:
    """Take a decision back: the one of that number, else the last that counts. An undo can be taken back too.

    Raises:
        DecisionError: there is no such decision, it counts no more, cannot be brought back, or one that remains
            would contradict an earlier one without it.
    """
    with catalogue.atomic():
        standing = Standing.of(catalogue)
        said, affected, formerly = undone(standing, number)
        entry = journal.append(catalogue.connection, said)
        return Said(entry.number, _sentence(standing, entry), affected, formerly)


def _loose(standing: Standing, identity: str, members: Sequence[str]) -> Anchors:
    """What no decision pinned to an identity so far: undoing an earlier merge must find nothing of it pinned here."""
    person = standing.rulings.persons.get(identity)
    return tuple(place for place in standing.places(members) if not person or place not in person.pins)


def _refuse_together(catalogue: Catalogue, person: str, mine: Sequence[str], other: str, theirs: Sequence[str]) -> None:
    moment = seen_together(catalogue.connection, mine, theirs)
    if moment:
        raise DecisionError(
            f"{person} and {other} are seen together at {moment.time_s:.1f} s of {moment.video}, so they are two "
            "people; if it is one person and a mirror or a screen, `merge` them with --mirror"
        )


def _holders(standing: Standing, track_ids: Sequence[str]) -> set[str]:
    """The identities that some appearances are with now."""
    query = select(assignments.c.identity).where(assignments.c.track_id.in_(track_ids))
    return {identity for identity in standing.catalogue.connection.execute(query).scalars() if identity}


def _record(standing: Standing, said: Statement, more: Collection[str] = ()) -> Said:
    """Write a decision down, unless an earlier one says otherwise; `more` identities are affected too."""
    entry = journal.coming(standing.catalogue.connection, said)
    replayed = Replay()
    for earlier in journal.active(standing.entries):
        replayed.apply(earlier)
    try:
        replayed.apply(entry)
    except Contradiction as exc:
        raise DecisionError(f"this contradicts {told(exc.earlier)}") from exc
    written = journal.append(standing.catalogue.connection, said)
    return Said(written.number, _sentence(standing, written), frozenset({*ids_in(said), *more}))


def _sentence(standing: Standing, entry: Entry) -> str:
    return sentence(entry, {earlier.uid: earlier for earlier in standing.entries})

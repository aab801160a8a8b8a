"""Fit the decisions of another archive into this one: its ids, its appearances, and what was decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.anchors import Anchor, resolve
from archive.decisions.journal import Entry
from archive.decisions.rulings import Contradiction, Replay, told
from archive.decisions.standing import Standing, seen_together
from archive.decisions.statements import Merged, Split, Statement, Undone, anchors_in, checked, ids_in, translated
from archive.decisions.telling import sentence
from archive.decisions.undoing import formerly
from archive.forgetting.places import forgotten_among
from archive.numbers import fresh_id
from archive.schema import assignments

_AT_ONCE = 500

Sent = tuple[str, str, Statement]
"""uid, time and words of a decision from elsewhere."""


@dataclass
class Imported:
    """What an import came to.

    `taken` decisions count from now on or are undone already, `known` ones were here, `waiting` ones count once their
    footage is here, `contradicting` ones were left out: why, a sentence each. `identities` are those affected, and
    `formerly` says whose appearances were before what was undone.
    """

    taken: int = 0
    known: int = 0
    waiting: int = 0
    contradicting: list[str] = field(default_factory=list)
    identities: set[str] = field(default_factory=set)
    formerly: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The fields of `history --import --json`."""
        return {name: getattr(self, name) for name in ("taken", "known", "waiting", "contradicting")}


def take_in(catalogue: Catalogue, sent: Sequence[Sent], origin: str) -> Imported:
    """Write down what is new here and holds, inside the caller's transaction."""
    return _Import(catalogue, sent, origin).run()


class _LeftOut(Exception):
    """A decision cannot be taken in; the message ends a sentence about it."""


class _Import:
    """One import under way."""

    def __init__(self, catalogue: Catalogue, sent: Sequence[Sent], origin: str) -> None:
        self._catalogue, self._sent, self._origin = catalogue, sent, origin
        self._standing = Standing.of(catalogue)
        self._entries = list(self._standing.entries)
        self._replay = _replayed(self._entries)
        self._local = {entry.uid: entry for entry in self._entries}
        places = {anchor for _, _, said in sent for anchor in anchors_in(said)}
        self._track = resolve(catalogue.connection, places)
        self._holder = _holders(catalogue.connection, list(self._track.values()))
        self._forgotten = forgotten_among(catalogue.connection, places)
        self._ids: dict[str, str] = {}
        self._result = Imported()

    def run(self) -> Imported:
        """Take the decisions in their order."""
        asleep = _asleep(self._sent)
        for number, (uid, utc, said) in enumerate(self._sent, start=1):
            if uid in self._local:
                self._result.known += 1
                self._learn(said, self._local[uid].said)
                continue
            try:
                self._take(uid, utc, said, asleep=uid in asleep)
            except _LeftOut as why:
                told_as = sentence(Entry(0, uid, utc, "", 0, "", said), {})
                self._result.contradicting.append(
                    f"decision {number} of {self._origin}, of {utc[:10]}, which {told_as}, {why}"
                )
        return self._result

    def _take(self, uid: str, utc: str, said: Statement, asleep: bool) -> None:
        if isinstance(said, Undone):
            if said.uid not in self._local:
                raise _LeftOut("undoes a decision that is not here")
            own: Statement = said
        else:
            own = self._own(said)
            if isinstance(own, Merged) and own.person == own.other:
                self._result.known += 1  # a merge of one's own says so already
                return
            own = _checked(own)
        entry = journal.coming(self._catalogue.connection, own, uid=uid, utc=utc, origin=self._origin)
        if not asleep:
            self._let_count(entry)
        journal.append(self._catalogue.connection, own, uid=uid, utc=utc, origin=self._origin)
        self._entries.append(entry)
        self._local[uid] = entry
        self._count(said, own, asleep)

    def _count(self, said: Statement, own: Statement, asleep: bool) -> None:
        """Is it in force, or does it wait for footage?"""
        places = list(anchors_in(said))
        if asleep or not places or any(place in self._track for place in places):
            self._result.taken += 1
        else:
            self._result.waiting += 1
        self._result.identities |= set(ids_in(own))

    def _own(self, said: Statement) -> Statement:
        """The decision with the ids and places of this archive."""
        if any(place in self._forgotten for place in anchors_in(said)):
            raise _LeftOut("speaks of somebody who was forgotten here")
        ids = {identity: self._id(identity, place) for identity, place in _homes(said)}
        return translated(said, ids.__getitem__, self._place)

    def _place(self, place: Anchor) -> Anchor:
        """What decisions here call the appearance at a place."""
        known = self._standing.known.get(self._track.get(place, ""), (place,))
        return place if place in known else known[0]

    def _id(self, identity: str, place: Anchor) -> str:
        """The identity that holds the anchor here; a new one if there is none, or another id of the file has it."""
        if identity not in self._ids:
            here = self._replay.owner(self._place(place)) or self._holder.get(self._track.get(place, ""), "")
            taken = not here or here in self._ids.values()
            self._ids[identity] = fresh_id(self._catalogue) if taken else here
        return self._standing.rulings.now(self._ids[identity])

    def _learn(self, said: Statement, own: Statement | None) -> None:
        """From a decision that is known here, which of the file's ids are which here."""
        if own and type(own) is type(said):
            self._ids |= dict(zip(ids_in(said), ids_in(own), strict=True))

    def _let_count(self, entry: Entry) -> None:
        """Add a decision to those that count, unless an earlier one says otherwise."""
        try:
            if isinstance(entry.said, Undone):
                self._undo(entry)
            else:
                self._replay.apply(entry)
                self._refuse_together(entry.said)
        except Contradiction as exc:
            self._replay = _replayed(self._entries)
            raise _LeftOut(f"contradicts {told(exc.earlier)}") from exc
        except _LeftOut:
            self._replay = _replayed(self._entries)
            raise

    def _undo(self, entry: Entry) -> None:
        assert isinstance(entry.said, Undone)
        before = self._replay.rulings()
        self._replay = _replayed([*self._entries, entry])
        gone = self._local[entry.said.uid]
        self._result.identities |= set(ids_in(gone.said)) if gone.said else set()
        self._result.identities |= {before.now(i) for i in (ids_in(gone.said) if gone.said else ())}
        self._result.formerly |= formerly(self._catalogue.connection, gone, self._replay.rulings())

    def _refuse_together(self, said: Statement | None) -> None:
        """Stop at a merge of two who are seen together here."""
        if not isinstance(said, Merged) or said.mirror:
            return
        mine = self._here(said.anchor, *said.members)
        moment = seen_together(self._catalogue.connection, mine, self._here(said.other_anchor, *said.other_members))
        if moment:
            raise _LeftOut(f"makes one person of two who are seen together at {moment.time_s:.1f} s of {moment.video}")

    def _here(self, *places: Anchor) -> set[str]:
        return set(resolve(self._catalogue.connection, places).values())


def _checked(said: Statement) -> Statement:
    try:
        return checked(said)
    except ValueError as exc:
        raise _LeftOut(f"cannot be said of the appearances of this archive: {exc}") from exc


def _replayed(entries: Sequence[Entry]) -> Replay:
    replayed = Replay()
    for entry in journal.active(entries):
        replayed.apply(entry)
    return replayed


def _asleep(sent: Sequence[Sent]) -> set[str]:
    """The uids of decisions that other ones of the same file undo: they need not hold here."""
    entries = [Entry(n, uid, utc, "", n, "", said) for n, (uid, utc, said) in enumerate(sent, start=1)]
    return set(journal.undone_by(entries))


def _homes(said: Statement) -> list[tuple[str, Anchor]]:
    """The identities of a statement, each with the place that it is at."""
    homes = [(getattr(said, "person"), getattr(said, "anchor"))]  # noqa: B009
    if isinstance(said, Merged | Split):
        homes.append((said.other, said.other_anchor))
    return homes


def _holders(connection: Connection, track_ids: Sequence[str]) -> Mapping[str, str]:
    """Track → the identity that has it now."""
    found: dict[str, str] = {}
    for start in range(0, len(track_ids), _AT_ONCE):
        some = track_ids[start : start + _AT_ONCE]
        query = select(assignments.c.track_id, assignments.c.identity).where(
            assignments.c.track_id.in_(some), assignments.c.identity.is_not(None)
        )
        found |= {row.track_id: row.identity for row in connection.execute(query)}
    return found

"""Where the decisions of an archive stand today, and what its identities hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, select

from archive import sources
from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.anchors import Anchor, anchors_of, resolve
from archive.decisions.journal import Entry
from archive.decisions.rulings import Person, Rulings, replay, told
from archive.records import Moment
from archive.schema import assignments, tracks
from archive.sorting.matching import overlapping
from cvid.errors import DecisionError, UnknownName

_PREFIX = re.compile(r"[0-9a-f]{4,}")
_FEWEST = 4
_AT_ONCE = 500


def rulings_of(connection: Connection) -> Rulings:
    """What the decisions of an archive come to.

    Raises:
        Contradiction, CatalogueError: the journal was tampered with.
    """
    return replay(journal.active(journal.read(connection)))


@dataclass(frozen=True)
class Standing:
    """All decisions, what they come to, and the places they speak of by the track that is there now."""

    catalogue: Catalogue
    entries: Sequence[Entry]
    rulings: Rulings
    known: Mapping[str, tuple[Anchor, ...]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Standing:
        """Read the journal."""
        entries = journal.read(catalogue.connection)
        rulings = replay(journal.active(entries))
        known: dict[str, tuple[Anchor, ...]] = {}
        for anchor, track_id in resolve(catalogue.connection, places_of(rulings)).items():
            known[track_id] = (*known.get(track_id, ()), anchor)
        return cls(catalogue, entries, rulings, known)

    def identity(self, text: str) -> str:
        """The id that a user means.

        Raises:
            UnknownName: there is none; the message names the closest.
            DecisionError: it was merged into another.
        """
        identity = text.strip().upper()
        if identity in self.rulings.merged:
            number = self.rulings.merged[identity][1]
            raise DecisionError(f"{identity} is {self.rulings.now(identity)} now, by {told(self.entry(number))}")
        return identity if identity in self.rulings.persons else self.catalogue.person(identity).id

    def entry(self, number: int) -> Entry:
        """The decision of a number."""
        return next(entry for entry in self.entries if entry.number == number)

    def members(self, identity: str) -> list[str]:
        """The appearances of an identity, the clearest first."""
        query = select(tracks.c.id).join(assignments).where(assignments.c.identity == identity)
        ordered = query.order_by(tracks.c.quality.desc(), tracks.c.id)
        return list(self.catalogue.connection.execute(ordered).scalars())

    def places(self, track_ids: Sequence[str]) -> tuple[Anchor, ...]:
        """What stands for some appearances in the journal: what decisions called them before, else their best faces."""
        own = anchors_of(self.catalogue.connection, [i for i in track_ids if i not in self.known])
        return tuple(anchor for i in track_ids for anchor in self.known.get(i) or (own[i],))

    def anchor(self, identity: str, members: Sequence[str]) -> Anchor:
        """Where an identity is: its anchor, else its clearest appearance.

        Raises:
            DecisionError: it has neither.
        """
        if identity in self.rulings.persons:
            return self.rulings.persons[identity].anchor
        if not members:
            raise DecisionError(f"{identity} is not seen in any footage of this archive")
        return self.places(members[:1])[0]

    def chosen(self, identity: str, members: Sequence[str], texts: Sequence[str], elsewhere: bool = False) -> list[str]:
        """The appearances that a user means by the beginnings of their ids: those of the identity, the clearest first.

        Args:
            elsewhere: others' appearances are meant too.

        Raises:
            UnknownName: one is unknown or stands for several.
            DecisionError: one belongs to somebody else.
        """
        found = [self._appearance(identity, members, text.strip().lower(), elsewhere) for text in texts]
        if not found:
            raise DecisionError(f"name at least one appearance of {identity}; `cvid show {identity}` lists them")
        own = [track_id for track_id in members if track_id in found]
        return own + [track_id for track_id in dict.fromkeys(found) if track_id not in own]

    def _appearance(self, identity: str, members: Sequence[str], text: str, elsewhere: bool) -> str:
        own = [track_id for track_id in members if track_id.startswith(text)] if _PREFIX.fullmatch(text) else []
        if len(own) == 1 or text in own:
            return text if text in own else own[0]
        if own:
            raise UnknownName(f"the appearance '{text}' could be {_listed(own)}; write more of its id")
        if len(text) < _FEWEST:
            raise UnknownName(f"the appearance '{text}' is too short a beginning; write at least {_FEWEST} characters")
        others = self._elsewhere(text)
        if elsewhere and len(others) == 1:
            return others[0][0]
        if elsewhere and others:
            several = _listed([track_id for track_id, _ in others])
            raise UnknownName(f"the appearance '{text}' could be {several}; write more of its id")
        for track_id, holder in others:
            raise DecisionError(f"the appearance {track_id} is {holder or 'nobody'}'s, not {identity}'s")
        close = difflib.get_close_matches(text, [track_id[: max(len(text), _FEWEST)] for track_id in members], n=3)
        hint = f"closest: {_listed(close)}" if close else f"`cvid show {identity}` lists those of {identity}"
        raise UnknownName(f"the archive has no appearance '{text}'; {hint}")

    def _elsewhere(self, text: str) -> Sequence[tuple[str, str | None]]:
        """Appearances of others that begin so, and whose they are."""
        if not _PREFIX.fullmatch(text):
            return []
        query = select(tracks.c.id, assignments.c.identity).outerjoin(assignments).where(tracks.c.id.startswith(text))
        return [(row.id, row.identity) for row in self.catalogue.connection.execute(query.order_by(tracks.c.id))]


def told_apart(connection: Connection) -> set[frozenset[str]]:
    """Pairs of identities of which a human said that they are two people."""
    rulings = rulings_of(connection)
    owner = {anchor: person.id for person in rulings.persons.values() for anchor in (*person.pins, person.anchor)}
    return {frozenset((rulings.now(identity), owner[place])) for place, identity, _ in rulings.apart if place in owner}


def places_of(rulings: Rulings) -> set[Anchor]:
    """All places that rulings speak of."""
    pinned = {anchor for person in rulings.persons.values() for anchor in (person.anchor, *person.pins)}
    return pinned | {anchor for anchor, _, _ in rulings.apart}


def seen_together(connection: Connection, ones: Collection[str], others: Collection[str]) -> Moment | None:
    """A moment at which an appearance of some is seen beside one of others."""
    one, other = set(ones), set(others)
    rows = [row for some in _parts(sorted(one | other)) for row in connection.execute(_spans(some))]
    sources_of = {sha256: number for number, sha256 in enumerate(sorted({row.sha256 for row in rows}))}
    video = np.array([sources_of[row.sha256] for row in rows], np.int64)
    start_s = np.array([row.start_s for row in rows], np.float64)
    end_s = np.array([row.end_s for row in rows], np.float64)
    for pair in overlapping(video, start_s, end_s).tolist():
        a, b = (rows[row].id for row in pair)
        if (a in one and b in other) or (b in one and a in other):
            time_s = max(rows[row].start_s for row in pair)
            return Moment(_path_of(connection, rows[pair[0]].sha256), time_s)
    return None


def newly_together(connection: Connection, before: Rulings, after: Rulings) -> tuple[Person, Moment] | None:
    """A person who would be seen twice at one moment by what was decided, without a word of a mirror."""
    for person in after.persons.values():
        held = before.persons.get(person.id)
        old = set(held.pins) if held and person.id not in before.doubled else set()
        if person.id in after.doubled or person.pins.keys() <= old:
            continue
        found = resolve(connection, person.pins)
        new = [track_id for anchor, track_id in found.items() if anchor not in old]
        moment = seen_together(connection, new, found.values())
        if moment:
            return person, moment
    return None


def _path_of(connection: Connection, sha256: str) -> str:
    shown = sources.shown()
    return str(connection.execute(select(shown.c.path).where(shown.c.sha256 == sha256)).scalar() or sha256[:12])


def _spans(track_ids: Sequence[str]) -> Select[Any]:
    columns = (tracks.c.id, tracks.c.sha256, tracks.c.start_s, tracks.c.end_s)
    return select(*columns).where(tracks.c.id.in_(track_ids)).order_by(tracks.c.id)


def _parts(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")

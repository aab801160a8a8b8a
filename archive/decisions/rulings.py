"""What the decisions come to: replayed in their order, they say which persons there are and what belongs to each.

Nothing here knows of tracks or of the catalogue: decisions speak of places in footage, and so do the rulings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.decisions.anchors import Anchor
from archive.decisions.journal import Entry
from archive.decisions.statements import Confirmed, Held, Merged, Named, Rejected, Split
from archive.decisions.telling import dated, sentence
from cvid.errors import DecisionError


@dataclass(frozen=True)
class Pin:
    """Why an appearance belongs to a person: the decision's number, and whether a human looked at this very one."""

    number: int
    firm: bool


@dataclass(frozen=True)
class Person:
    """An identity that a human spoke of. It is where its anchor is, and `pins` are its own, the anchor among them."""

    id: str
    anchor: Anchor
    name: str
    confirmed: bool
    pins: Mapping[Anchor, Pin]


@dataclass(frozen=True)
class Rulings:
    """What decisions come to.

    `persons` by id. `apart`: an appearance, a person of `persons` that it is not, and the number of the decision.
    `merged`: id → the person it became, and the decision. `doubled`: persons who may be seen twice at one moment.
    """

    persons: Mapping[str, Person]
    apart: Sequence[tuple[Anchor, str, int]]
    merged: Mapping[str, tuple[str, int]]
    doubled: frozenset[str]

    def now(self, identity: str) -> str:
        """The id that an identity has today, after merges."""
        while identity in self.merged:
            identity = self.merged[identity][0]
        return identity


class Contradiction(DecisionError):
    """A decision cannot hold beside an earlier one."""

    def __init__(self, new: Entry, earlier: Entry) -> None:
        super().__init__(new, earlier)
        self.new, self.earlier = new, earlier

    def __str__(self) -> str:
        own = sentence(self.new, {})
        return f"{dated(self.new)}, which {own}, contradicts {told(self.earlier)}"


def told(entry: Entry) -> str:
    """A decision that stands in the way, and the way out."""
    return f"{dated(entry)}, which {sentence(entry, {})}; `cvid undo {entry.number}` takes that back"


def replay(entries: Sequence[Entry]) -> Rulings:
    """The rulings that decisions come to.

    Args:
        entries: those that count, in their order: `archive.decisions.verbs.journal.active`.

    Raises:
        Contradiction: one cannot hold beside an earlier one.
    """
    replayed = Replay()
    for entry in entries:
        replayed.apply(entry)
    return replayed.rulings()


def replay_what_holds(entries: Iterable[Entry]) -> tuple[Replay, list[Contradiction]]:
    """The replay of all decisions that do not contradict earlier ones, and those that do."""
    replayed, held, against = Replay(), list[Entry](), list[Contradiction]()
    for entry in entries:
        try:
            replayed.apply(entry)
        except Contradiction as exc:
            against.append(exc)
            replayed = Replay()  # the refused one may have come half-way
            for earlier in held:
                replayed.apply(earlier)
        else:
            held.append(entry)
    return replayed, against


@dataclass
class _Draft:
    """A person while decisions are being replayed."""

    id: str
    anchor: Anchor
    name: str = ""
    confirmed: bool = False
    pins: dict[Anchor, Pin] = field(default_factory=dict)
    apart: dict[Anchor, int] = field(default_factory=dict)


class Replay:
    """Decisions applied one after the other. After a `Contradiction` it is of no more use."""

    def __init__(self) -> None:
        self._persons: dict[str, _Draft] = {}
        self._owner: dict[Anchor, str] = {}
        self._merged: dict[str, tuple[str, int]] = {}
        self._doubled: set[str] = set()
        self._entries: dict[int, Entry] = {}

    def rulings(self) -> Rulings:
        """What the decisions so far come to."""
        return Rulings(
            {who.id: _person_of(who) for who in self._persons.values()},
            [(anchor, who.id, number) for who in self._persons.values() for anchor, number in who.apart.items()],
            dict(self._merged),
            frozenset(self._doubled),
        )

    def owner(self, anchor: Anchor) -> str:
        """The person to whom an appearance is pinned so far; empty where to nobody."""
        return self._owner.get(anchor, "")

    def apply(self, entry: Entry) -> None:
        """Let one more decision count.

        Raises:
            Contradiction: it cannot hold beside an earlier one.
        """
        self._entries[entry.number] = entry
        match entry.said:
            case Named(person, anchor, name):
                self._person(entry, person, anchor).name = name
            case Confirmed(person, anchor, members, whole):
                who = self._person(entry, person, anchor)
                who.confirmed = who.confirmed or whole
                self._pin(entry, who, members, firm=True)
            case Held() as said:
                who = self._person(entry, said.person, said.anchor)
                self._pin(entry, who, said.members)
                self._pin(entry, who, said.firm, firm=True)
                self._doubled |= {who.id} if said.mirror else set()
            case Rejected() as said:
                self._take_off(entry, said)
            case Split() as said:
                self._take_off(entry, said)
                self._pin(entry, self._person(entry, said.person, said.anchor), said.left)
                self._pin(entry, self._person(entry, said.other, said.other_anchor), said.members)
            case Merged() as said:
                self._merge(entry, said)

    def _person(self, entry: Entry, identity: str, anchor: Anchor) -> _Draft:
        """The person of an id; the first decision about an identity makes it one."""
        if identity in self._merged:
            raise Contradiction(entry, self._entries[self._merged[identity][1]])
        if identity not in self._persons:
            who = _Draft(identity, anchor)
            self._pin(entry, who, (anchor,))
            self._persons[identity] = who
        return self._persons[identity]

    def _pin(self, entry: Entry, who: _Draft, anchors: Iterable[Anchor], firm: bool = False) -> None:
        for anchor in anchors:
            if anchor in who.apart:
                raise Contradiction(entry, self._entries[who.apart[anchor]])
            owner = self._owner.setdefault(anchor, who.id)
            if owner != who.id:
                raise Contradiction(entry, self._entries[self._persons[owner].pins[anchor].number])
            if anchor not in who.pins or (firm and not who.pins[anchor].firm):
                who.pins[anchor] = Pin(entry.number, firm)

    def _take_off(self, entry: Entry, said: Rejected | Split) -> None:
        """Some appearances are not this person; if its anchor was among them, the person is elsewhere."""
        who = self._person(entry, said.person, said.anchor)
        for anchor in said.members:
            pin = who.pins.get(anchor)
            if pin and pin.firm:
                raise Contradiction(entry, self._entries[pin.number])
            if pin:
                del who.pins[anchor], self._owner[anchor]
            who.apart.setdefault(anchor, entry.number)
        if who.anchor in said.members:
            self._pin(entry, who, (said.rest,))
            who.anchor = said.rest

    def _merge(self, entry: Entry, said: Merged) -> None:
        into = self._person(entry, said.person, said.anchor)
        other = self._person(entry, said.other, said.other_anchor)
        for mine, theirs in ((into, other), (other, into)):
            for anchor in theirs.pins.keys() & mine.apart.keys():
                raise Contradiction(entry, self._entries[mine.apart[anchor]])
        self._owner |= dict.fromkeys(other.pins, into.id)
        into.pins |= other.pins
        into.apart = other.apart | into.apart
        into.name = into.name or other.name
        self._pin(entry, into, said.members + said.other_members)
        self._merged[other.id] = (into.id, entry.number)
        if said.mirror or other.id in self._doubled:
            self._doubled.add(into.id)
        self._doubled.discard(other.id)
        del self._persons[other.id]


def _person_of(who: _Draft) -> Person:
    return Person(who.id, who.anchor, who.name, who.confirmed, dict(who.pins))

"""Take somebody out of the journal: what speaks of them is erased, and what it said of others is said again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from archive.decisions.anchors import Anchor
from archive.decisions.journal import Entry, active
from archive.decisions.rulings import Rulings, replay_what_holds
from archive.decisions.statements import (
    Confirmed,
    Forgot,
    Held,
    Merged,
    Named,
    Rejected,
    Split,
    Statement,
    Undone,
    anchors_in,
    ids_in,
    kind_of,
)


@dataclass(frozen=True)
class Gone:
    """Somebody who is being forgotten: all ids and all places; `rulings` are those before."""

    ids: frozenset[str]
    places: frozenset[Anchor]
    rulings: Rulings

    def speaks(self, entry: Entry) -> bool:
        """Does a decision speak of them?"""
        if entry.said is None or isinstance(entry.said, Undone | Forgot):
            return False
        return not (self.ids.isdisjoint(ids_in(entry.said)) and self.places.isdisjoint(anchors_in(entry.said)))

    def left(self, members: Collection[Anchor]) -> tuple[Anchor, ...]:
        """Those places that are not theirs."""
        return tuple(place for place in members if place not in self.places)

    def home(self, person: str, anchor: Anchor, members: Collection[Anchor] = ()) -> Anchor | None:
        """Where another person is if what decisions called so is gone."""
        if anchor not in self.places:
            return anchor
        if person in self.rulings.persons:
            return self.rulings.persons[person].anchor
        return next(iter(self.left(members)), None)


@dataclass(frozen=True)
class Erasure:
    """What to do to a journal: the numbers to erase, what to say in the place of which, and what to say at the end."""

    numbers: list[int]
    instead: list[tuple[Entry, Statement]]
    anew: list[Statement] = field(default_factory=list)


def erasure_of(entries: Sequence[Entry], gone: Gone) -> Erasure:
    """Work out how to forget somebody so that what was said of others stays as it came out.

    What an erased decision said of others is said again in its place. Where that does not come to the same, because
    the erased part had moved somebody, all decisions about those persons are erased and what they came to is said.
    """
    counting = active(entries)
    wanted = _states(gone.rulings, gone)
    anew: set[str] = set()  # persons of whom everything is said anew
    while True:
        kept = [entry for entry in counting if not anew.intersection(map(gone.rulings.now, _ids_of(entry)))]
        instead = [(entry, said) for entry in kept if gone.speaks(entry) and (said := _remains(entry, gone))]
        again = {entry.number: said for entry, said in instead}
        now = [replace(e, said=again.get(e.number)) if gone.speaks(e) else e for e in kept]
        tail = [said for person in sorted(anew & wanted.keys()) for said in _all_of(gone.rulings, person, gone)]
        replayed, against = replay_what_holds([*(e for e in now if e.said), *_following(entries, tail)])
        found = _states(replayed.rulings(), gone)
        wrong = {person for person in wanted.keys() | found.keys() if wanted.get(person) != found.get(person)}
        wrong |= {person for exc in against for entry in (exc.new, exc.earlier) for person in _ids_of(entry)}
        wrong = {gone.rulings.now(person) for person in wrong}
        if not wrong:
            dropped = {entry.number for entry in counting} - {entry.number for entry in kept}
            numbers = sorted(dropped | {entry.number for entry in entries if gone.speaks(entry)})
            return Erasure(numbers, instead, tail)
        if wrong <= anew:
            raise AssertionError(f"what was decided about {', '.join(sorted(wrong))} cannot be said anew")
        anew |= wrong


def _states(rulings: Rulings, gone: Gone) -> dict[str, object]:
    """Everything that rulings say of each person, without what is of those who are gone."""
    apart: dict[str, set[Anchor]] = {}
    for place, person, _ in rulings.apart:
        if place not in gone.places:
            apart.setdefault(person, set()).add(place)
    return {
        who.id: (
            who.anchor,
            who.name,
            who.confirmed,
            {place: pin.firm for place, pin in who.pins.items() if place not in gone.places},
            apart.get(who.id, set()),
            who.id in rulings.doubled,
        )
        for who in rulings.persons.values()
        if who.id not in gone.ids
    }


def _all_of(rulings: Rulings, person: str, gone: Gone) -> list[Statement]:
    """What decisions came to about a person, said anew."""
    who = rulings.persons[person]
    firm = tuple(sorted(place for place, pin in who.pins.items() if pin.firm and place not in gone.places))
    loose = tuple(sorted(place for place, pin in who.pins.items() if not pin.firm and place not in gone.places))
    apart = tuple(sorted(p for p, other, _ in rulings.apart if other == person and p not in gone.places))
    said: list[Statement] = [Held(person, who.anchor, loose, firm, person in rulings.doubled)]
    said += [Confirmed(person, who.anchor, ())] if who.confirmed else []
    said += [Named(person, who.anchor, who.name)] if who.name else []
    said += [Rejected(person, who.anchor, who.anchor, apart)] if apart else []
    return said


def _following(entries: Sequence[Entry], said: Sequence[Statement]) -> list[Entry]:
    """Statements as they would stand at the end of a journal."""
    first = max((entry.number for entry in entries), default=0) + 1
    return [Entry(n, "", "", kind_of(one), n, "", one) for n, one in enumerate(said, start=first)]


def _ids_of(entry: Entry) -> set[str]:
    return set(ids_in(entry.said)) if entry.said else set()


def _remains(entry: Entry, gone: Gone) -> Statement | None:
    """What a decision says of others than those who are gone; None where nothing."""
    match entry.said:
        case Named(person, anchor, _) as said:
            home = None if person in gone.ids else gone.home(person, anchor)
            return replace(said, anchor=home) if home else None
        case Confirmed(person, anchor, members) as said:
            home = None if person in gone.ids else gone.home(person, anchor, members)
            return replace(said, anchor=home, members=gone.left(members)) if home else None
        case Held(person, anchor, members, firm) as said:
            home = None if person in gone.ids else gone.home(person, anchor, members)
            return replace(said, anchor=home, members=gone.left(members), firm=gone.left(firm)) if home else None
        case Rejected() | Split() as said:
            return _not_theirs(gone, said) if not isinstance(said, Split) else _of_split(gone, said)
        case Merged() as said:
            return _of_merge(gone, said)
    return None


def _not_theirs(gone: Gone, said: Rejected | Split) -> Statement | None:
    """A rejection without those who are gone: at least the person stays."""
    home = None if said.person in gone.ids else gone.home(said.person, said.anchor)
    if home is None:
        return None
    left, rest = gone.left(said.members), gone.home(said.person, said.rest)
    if not left or rest is None or rest in left:
        return Held(said.person, home, (), (), False)
    return Rejected(said.person, home, rest, left)


def _of_split(gone: Gone, said: Split) -> Statement | None:
    left, of_person = gone.left(said.members), _not_theirs(gone, said)
    there = gone.home(said.other, said.other_anchor, left)
    if said.other in gone.ids or there is None or not left:
        return of_person
    if not isinstance(of_person, Rejected):
        return Held(said.other, there, left, (), False)
    at = there if there in left else left[0]
    return Split(of_person.person, of_person.anchor, of_person.rest, left, said.other, at, gone.left(said.left))


def _of_merge(gone: Gone, said: Merged) -> Statement | None:
    if not gone.ids.isdisjoint((said.person, said.other)):
        return None
    members, others = gone.left(said.members), gone.left(said.other_members)
    home = gone.home(said.person, said.anchor, members)
    there = gone.home(said.other, said.other_anchor, others)
    if home is None or there is None:
        return None
    return Merged(said.person, home, members, said.other, there, others, said.mirror)

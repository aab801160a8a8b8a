"""What decisions come to, and which contradict each other: pure, without a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from builders import sha_of
from hypothesis import given
from hypothesis import strategies as st

from archive.decisions.anchors import Anchor
from archive.decisions.journal import Entry, active
from archive.decisions.rulings import Contradiction, Rulings, replay, replay_what_holds
from archive.decisions.statements import (
    Confirmed,
    Held,
    Merged,
    Named,
    Rejected,
    Split,
    Statement,
    Undone,
    anchors_in,
    as_json,
    from_json,
    ids_in,
    kind_of,
)

A, B, C, D, E, F = (Anchor(sha_of(name), 1.0, (0.0, 0.0, 40.0, 40.0)) for name in "abcdef")
P, Q, R, N = "P0001", "P0002", "P0003", "P0004"


def uid_of(number: int) -> str:
    return f"{number:032x}"


def journal(*said: Statement) -> list[Entry]:
    return [
        Entry(number, uid_of(number), "2026-05-03T10:00:00+00:00", kind_of(one), number, "", one)
        for number, one in enumerate(said, start=1)
    ]


def rulings(*said: Statement) -> Rulings:
    return replay(active(journal(*said)))


def pins(found: Rulings, identity: str, firm: bool | None = None) -> set[Anchor]:
    return {anchor for anchor, pin in found.persons[identity].pins.items() if firm in (None, pin.firm)}


def in_the_way(*said: Statement) -> int:
    """The number of the decision that the last one contradicts."""
    rulings(*said[:-1])
    with pytest.raises(Contradiction) as caught:
        rulings(*said)
    assert caught.value.new.number == len(said)
    return caught.value.earlier.number


def merge(mirror: bool = False) -> Merged:
    return Merged(P, A, (B,), Q, C, (D,), mirror)


def test_a_name_anchors_at_one_appearance() -> None:
    found = rulings(Named(P, A, "Jane"), Named(P, A, "Jane Doe"))
    assert (found.persons[P].name, found.persons[P].anchor, pins(found, P), found.apart) == ("Jane Doe", A, {A}, [])
    assert not found.persons[P].confirmed and pins(found, P, firm=True) == set()


def test_a_confirmation_pins_all_firmly() -> None:
    found = rulings(Confirmed(P, A, (A, B)))
    assert found.persons[P].confirmed and pins(found, P, firm=True) == {A, B}


def test_a_merge_pins_both_and_keeps_a_name() -> None:
    found = rulings(Named(Q, C, "Jane"), merge())
    assert list(found.persons) == [P] and found.persons[P].name == "Jane"
    assert pins(found, P) == {A, B, C, D} and found.merged == {Q: (P, 2)} and found.doubled == frozenset()
    assert rulings(Named(P, A, "Ann"), Named(Q, C, "Jane"), merge()).persons[P].name == "Ann"
    assert rulings(merge(mirror=True)).doubled == {P}


def test_a_merged_id_leads_to_what_it_became() -> None:
    found = rulings(merge(), Merged(R, E, (), P, A, (), False))
    assert found.now(Q) == found.now(P) == R and pins(found, R) == {A, B, C, D, E}
    assert in_the_way(merge(), Named(Q, C, "Jane")) == 1


def test_a_split_parts_and_the_part_with_the_anchor_keeps_the_id() -> None:
    found = rulings(Named(P, A, "Jane"), Split(P, A, A, (B, C), N, B))
    assert (pins(found, P), pins(found, N), found.persons[P].name, found.persons[N].name) == ({A}, {B, C}, "Jane", "")
    assert found.apart == [(B, P, 2), (C, P, 2)]


def test_a_person_whose_anchor_is_split_off_or_rejected_gets_another() -> None:
    for off in (Split(P, A, B, (A,), N, A), Rejected(P, A, B, (A,))):
        found = rulings(Named(P, A, "Jane"), off)
        assert (found.persons[P].anchor, found.persons[P].name, pins(found, P)) == (B, "Jane", {B})


def test_what_a_merge_pinned_may_be_rejected_later() -> None:
    found = rulings(merge(), Rejected(P, A, A, (D,)))
    assert pins(found, P) == {A, B, C} and found.apart == [(D, P, 2)]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ((Confirmed(P, A, (A, B)), Rejected(P, A, A, (B,))), 1),
        ((Confirmed(P, A, (A, B)), Split(P, A, A, (B,), N, B)), 1),
        ((Named(Q, C, "Q"), Confirmed(P, A, (A, C)), Rejected(P, A, A, (C,)))[:2], 1),
        ((Rejected(P, A, A, (B,)), Confirmed(P, A, (A, B))), 1),
        ((Rejected(P, A, A, (C,)), merge()), 1),
        ((Named(R, E, "R"), Rejected(Q, C, C, (A,)), merge()), 2),
        ((Split(P, A, A, (B,), N, B), Merged(P, A, (), N, B, (), False)), 1),
        ((Split(P, A, A, (B,), N, B), Merged(N, B, (), P, A, (), True)), 1),
        ((Merged(P, A, (), Q, C, (D,), False), Confirmed(R, E, (E, D))), 1),
        ((Confirmed(P, A, (A, B)), Merged(P, A, (), Q, C, (), False), Rejected(P, A, C, (A,))), 1),
    ],
)
def test_contradictions_name_the_earlier_decision(said: Sequence[Statement], number: int) -> None:
    assert in_the_way(*said) == number


def test_a_contradiction_says_both_and_the_way_out() -> None:
    with pytest.raises(Contradiction) as caught:
        rulings(Confirmed(P, A, (A, B)), Rejected(P, A, A, (B,)))
    assert str(caught.value) == (
        "decision 2 of 2026-05-03, which rejected 1 appearance from P0001, contradicts decision 1 of 2026-05-03, which "
        "confirmed P0001 with 2 appearances; `cvid undo 1` takes that back"
    )


def test_an_undo_leaves_a_decision_out_and_may_itself_be_undone() -> None:
    entries = journal(Named(P, A, "Jane"), merge(), Undone(uid_of(2)), Undone(uid_of(3)), Undone(uid_of(1)))
    assert [entry.number for entry in active(entries[:3])] == [1]
    assert [entry.number for entry in active(entries[:4])] == [1, 2]
    assert [entry.number for entry in active(entries)] == [2]
    assert set(replay(active(entries[:3])).persons) == {P}


def test_what_stands_in_counts_in_the_place_of_what_was_erased() -> None:
    entries = journal(Split(P, A, A, (B,), N, B), Named(N, B, "Jane"), Held(N, B, (B, C), (), False))
    late = Entry(3, uid_of(3), "", "hold", 1, "", entries[2].said)
    left = [Entry(1, uid_of(1), "", "split", 1, "", None), entries[1], late]
    assert [entry.number for entry in active(left)] == [3, 2]
    assert pins(replay(active(left)), N) == {B, C}


def test_what_does_not_hold_is_left_out_whole() -> None:
    entries = journal(Confirmed(P, A, (A, B)), Rejected(P, A, A, (C, B)), Named(P, A, "Jane"))
    replayed, against = replay_what_holds(entries)
    found = replayed.rulings()
    assert found.apart == [] and found.persons[P].name == "Jane"
    assert [(one.new.number, one.earlier.number) for one in against] == [(2, 1)]


EVERY_KIND: list[Statement] = [
    Named(P, A, "Jane"), Confirmed(P, A, (A, B)), merge(mirror=True), Split(P, A, A, (B,), N, B),
    Rejected(P, A, B, (A,)), Held(P, A, (A,), (C,), True), Undone(uid_of(7)),
]  # fmt: skip


@pytest.mark.parametrize("said", EVERY_KIND, ids=kind_of)
def test_statements_survive_json(said: Statement) -> None:
    assert from_json(kind_of(said), as_json(said)) == said


@pytest.mark.parametrize("said", EVERY_KIND, ids=kind_of)
@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [[]], float("nan"), True])
def test_no_field_takes_what_it_is_not(said: Statement, junk: object) -> None:
    for field in as_json(said):
        if junk == [] and field in ("members", "other_members", "firm", "left"):
            continue
        if junk is True and field in ("mirror", "whole"):
            continue
        if field == "name" and junk == "x":
            continue
        with pytest.raises(ValueError, match=field):
            from_json(kind_of(said), as_json(said) | {field: junk})


class World:
    """Six appearances that a clusterer without eyes sorts: it obeys the rulings, the rest goes at random."""

    places = (A, B, C, D, E, F)

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.ids = 0
        self.free: dict[Anchor, str] = {}

    def fresh(self) -> str:
        self.ids += 1
        return f"P{self.ids:04d}"

    def rulings(self) -> Rulings:
        return replay(active(self.entries))

    def sort(self, draw: st.DataObject) -> dict[Anchor, str]:
        """Anchor → identity: pinned ones with their person, others with anybody who they may be."""
        found = self.rulings()
        sorted_: dict[Anchor, str] = {}
        owner = {anchor: who.id for who in found.persons.values() for anchor in who.pins}
        for place in self.places:
            never = {identity for anchor, identity, _ in found.apart if anchor == place}
            choices = sorted({*found.persons, *(i for i in sorted_.values() if i not in found.merged)} - never)
            new = owner.get(place) or draw.draw(st.sampled_from([*choices, "new"]))
            sorted_[place] = self.fresh() if new == "new" else new
        return sorted_

    def say(self, said: Statement) -> bool:
        number = len(self.entries) + 1
        entry = Entry(number, uid_of(number), "", kind_of(said), number, "", said)
        try:
            replay(active([*self.entries, entry]))
        except Contradiction:
            return False
        self.entries.append(entry)
        return True


def anything(world: World, now: dict[Anchor, str], draw: st.DataObject) -> Statement | None:
    """A decision that a human could take about identities as they are now."""
    found = world.rulings()
    members: dict[str, list[Anchor]] = {}
    for place, identity in now.items():
        members.setdefault(identity, []).append(place)

    def anchor(identity: str) -> Anchor:
        return found.persons[identity].anchor if identity in found.persons else members[identity][0]

    def loose(identity: str) -> tuple[Anchor, ...]:
        own = found.persons[identity].pins if identity in found.persons else {}
        return tuple(place for place in members[identity] if place not in own)

    identity = draw.draw(st.sampled_from(sorted(members)))
    own = members[identity]
    kind = draw.draw(st.sampled_from(["name", "confirm", "merge", "split", "reject", "undo", "undo"]))
    if kind == "name":
        return Named(identity, anchor(identity), draw.draw(st.sampled_from(["Jane", "Ann"])))
    if kind == "confirm":
        return Confirmed(identity, anchor(identity), tuple(own))
    if kind == "merge" and len(members) > 1:
        other = draw.draw(st.sampled_from(sorted(members.keys() - {identity})))
        return Merged(identity, anchor(identity), loose(identity), other, anchor(other), loose(other), False)
    if kind in ("split", "reject") and len(own) > 1:
        off = tuple(draw.draw(st.lists(st.sampled_from(own), min_size=1, max_size=len(own) - 1, unique=True)))
        rest = next(place for place in own if place not in off)
        if kind == "reject":
            return Rejected(identity, anchor(identity), rest, off)
        return Split(identity, anchor(identity), rest, off, world.fresh(), off[0])
    if kind == "undo" and world.entries:
        return Undone(draw.draw(st.sampled_from(world.entries)).uid)
    return None


def violated(found: Rulings, entries: Iterable[Entry]) -> list[Entry]:
    """The decisions that do not hold, read from their words alone."""
    owner = {anchor: who.id for who in found.persons.values() for anchor in who.pins}
    apart = {(anchor, identity) for anchor, identity, _ in found.apart}
    wrong = []
    for entry in entries:
        said = entry.said
        assert said is not None
        person = found.now(next(ids_in(said)))
        holds = person in found.persons
        if isinstance(said, Confirmed):
            holds &= all(owner[anchor] == person and found.persons[person].pins[anchor].firm for anchor in said.members)
        if isinstance(said, Rejected | Split):
            holds &= all((anchor, person) in apart and owner.get(anchor) != person for anchor in said.members)
        if isinstance(said, Split):
            holds &= found.now(said.other) in found.persons
        if isinstance(said, Merged):
            holds &= found.now(said.other) == person
        if not holds:
            wrong.append(entry)
    return wrong


@given(st.data())
def test_no_answer_is_ever_violated(draw: st.DataObject) -> None:
    world = World()
    spoken: set[str] = set()
    for _ in range(draw.draw(st.integers(1, 12))):
        said = anything(world, world.sort(draw), draw)
        if said is None or not world.say(said):
            continue
        counting = active(world.entries)
        found = world.rulings()
        assert violated(found, counting) == []
        spoken = {identity for entry in counting for identity in ids_in(entry.said) if entry.said}
        assert spoken == {*found.persons, *found.merged}, "an id was lost or came from nowhere"
        everybody = [anchor for who in found.persons.values() for anchor in who.pins]
        assert len(everybody) == len(set(everybody)), "somebody is two persons"
        assert all(who.anchor in who.pins for who in found.persons.values())
        assert {identity for _, identity, _ in found.apart} <= found.persons.keys()
        spoken_of = {anchor for entry in counting if entry.said for anchor in anchors_in(entry.said)}
        assert set(everybody) <= spoken_of

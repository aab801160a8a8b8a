"""Take decisions back, in any order that makes sense."""

from __future__ import annotations

from sqlalchemy import Connection

from archive.decisions import journal
from archive.decisions.anchors import resolve
from archive.decisions.journal import Entry
from archive.decisions.rulings import Contradiction, Rulings, replay
from archive.decisions.standing import Standing, newly_together
from archive.decisions.statements import Forgot, Merged, Rejected, Split, Undone, ids_in
from archive.decisions.telling import dated, sentence
from cvid.errors import DecisionError


def undone(standing: Standing, number: int | None) -> tuple[Undone, frozenset[str], dict[str, str]]:
    """What to write to take a decision back, the identities that it affects, and whose appearances were before.

    Raises:
        DecisionError: there is no such decision, it counts no more, cannot be brought back, or one that remains
            would contradict an earlier one without it.
    """
    target = _target(standing, number)
    said = Undone(target.uid)
    connection = standing.catalogue.connection
    entries = [*standing.entries, journal.coming(connection, said)]
    try:
        rulings = replay(journal.active(entries))
    except Contradiction as exc:
        raise DecisionError(_alone(target, _told_of(exc), exc.new)) from exc
    _refuse_together(standing, target, rulings)
    root = _root(standing, target)
    spoken = set(ids_in(root.said)) if root.said else set()
    affected = spoken | {found.now(identity) for identity in spoken for found in (standing.rulings, rulings)}
    gone = root.uid in journal.undone_by(entries)
    return said, frozenset(affected), formerly(connection, root, rulings) if gone else {}


def formerly(connection: Connection, gone: Entry, rulings: Rulings) -> dict[str, str]:
    """Whose the appearances were that a decision took away which does not count any more: track → identity.

    Args:
        rulings: without it; what they pin to somebody stays there.
    """
    match gone.said:
        case Merged() as said:
            back = said.other
            places = {said.other_anchor, *said.other_members}
            places |= rulings.persons[back].pins.keys() if back in rulings.persons else set()
        case Split() | Rejected() as said:
            back, places = rulings.now(said.person), set(said.members)
        case _:
            return {}
    owner = {anchor: person.id for person in rulings.persons.values() for anchor in person.pins}
    found = resolve(connection, [anchor for anchor in places if owner.get(anchor, back) == back])
    return dict.fromkeys(found.values(), rulings.now(back))


def _target(standing: Standing, number: int | None) -> Entry:
    """The decision that is meant, if it can be taken back."""
    counting = journal.active(standing.entries)
    if number is None:
        if not counting:
            raise DecisionError("there is no decision to undo")
        return counting[-1]
    if all(entry.number != number for entry in standing.entries):
        last = f"the last is {standing.entries[-1].number}" if standing.entries else "nothing was decided yet"
        raise DecisionError(f"there is no decision {number}; {last}")
    entry = standing.entry(number)
    if isinstance(entry.said, Forgot):
        raise DecisionError(f"{dated(entry)} forgot somebody: that is for good and cannot be undone")
    if entry.said is None:
        raise DecisionError(f"{dated(entry)} was erased when somebody was forgotten, and counts no more")
    by = journal.undone_by(standing.entries).get(entry.uid)
    if by:
        raise DecisionError(
            f"{dated(entry)} is undone already, by decision {by.number}; `cvid undo {by.number}` brings it back"
        )
    if isinstance(entry.said, Undone) and _root(standing, entry).said is None:
        raise DecisionError(
            f"what {dated(entry)} undid was erased when somebody was forgotten, and cannot be brought back"
        )
    return entry


def _root(standing: Standing, entry: Entry) -> Entry:
    """The decision at the end of undoing an undo of an undo …"""
    by_uid = {earlier.uid: earlier for earlier in standing.entries}
    while isinstance(entry.said, Undone) and entry.said.uid in by_uid:
        entry = by_uid[entry.said.uid]
    return entry


def _refuse_together(standing: Standing, target: Entry, rulings: Rulings) -> None:
    found = newly_together(standing.catalogue.connection, standing.rulings, rulings)
    if not found:
        return
    person, moment = found
    in_the_way = max((pin.number for pin in person.pins.values() if pin.number != target.number), default=0)
    then = f"{person.id} would be seen twice at {moment.time_s:.1f} s of {moment.video}"
    raise DecisionError(_alone(target, then, standing.entry(in_the_way) if in_the_way else target))


def _told_of(exc: Contradiction) -> str:
    return (
        f"{dated(exc.new)}, which {sentence(exc.new, {})}, would contradict {dated(exc.earlier)}, which "
        f"{sentence(exc.earlier, {})}"
    )


def _alone(target: Entry, then: str, in_the_way: Entry) -> str:
    return (
        f"decision {target.number} cannot be undone alone: then {then}; `cvid undo {in_the_way.number}` first takes "
        f"that one back"
    )

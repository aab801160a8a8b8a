"""What humans decided, as rules over the rows of the tracks: who is one person, and who never is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.decisions.anchors import Anchor
from archive.decisions.rulings import Rulings
from archive.sorting.matching import Labels, overlapping

Pairs = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Bounds:
    """Rules over n tracks.

    `persons` are the ids of the identities that a human spoke of, in the order of their numbers in `person`.
    """

    persons: Sequence[str]
    person: NDArray[np.int32]  # (n,), which of `persons` a row is pinned to, −1 = none
    firm: NDArray[np.bool_]  # (n,), pinned by a human who looked at this very appearance
    anchor: Labels  # (persons,), the row of each one's anchor, −1 where it is not here
    cannot: Pairs  # (k, 2), rows that never are one person
    rejected: Labels  # rows of which a human said who they are not


def bounds_of(
    rulings: Rulings,
    row_of: Mapping[Anchor, int],
    video: Labels,
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
) -> Bounds:
    """Bind the rulings to rows.

    Args:
        row_of: the row of each anchor that is found in the archive.
        video: (n,), `start_s`, `end_s`: where and when each track is seen.
    """
    persons = list(rulings.persons)
    person = np.full(len(video), -1, np.int32)
    firm = np.zeros(len(video), np.bool_)
    anchor: Labels = np.full(len(persons), -1, np.int64)
    for number, who in enumerate(rulings.persons.values()):
        for place, pin in who.pins.items():
            row = row_of.get(place, -1)
            if row >= 0 and (person[row] < 0 or (pin.firm and not firm[row])):
                person[row], firm[row] = number, pin.firm
    for number, who in enumerate(rulings.persons.values()):  # an anchor is where it is, whatever else was pinned there
        row = row_of.get(who.anchor, -1)
        if row >= 0:
            person[row], anchor[number] = number, row
    together = overlapping(video, start_s, end_s)
    doubled = np.array([identity in rulings.doubled for identity in persons], np.bool_)
    cannot = np.concatenate([together[~_lifted(together, person, doubled)], _apart(rulings, row_of, person, anchor)])
    _unpin(cannot, person, firm, anchor)
    rejected = np.array(sorted({row_of[place] for place, _, _ in rulings.apart if place in row_of}), np.int64)
    return Bounds(persons, person, firm, anchor, cannot, rejected)


def _apart(rulings: Rulings, row_of: Mapping[Anchor, int], person: NDArray[np.int32], anchor: Labels) -> Pairs:
    """Pairs of an appearance and somebody's anchor who a human said it is not; without anchor any face of theirs."""
    number_of = {identity: number for number, identity in enumerate(rulings.persons)}
    pairs = set()
    for place, identity, _ in rulings.apart:
        number = number_of[identity]
        of_person = [int(anchor[number])] if anchor[number] >= 0 else np.flatnonzero(person == number)[:1].tolist()
        row = row_of.get(place, -1)
        pairs |= {(min(row, other), max(row, other)) for other in of_person if row >= 0 and row != other}
    return np.array(sorted(pairs), np.int32).reshape(-1, 2)


def _unpin(cannot: Pairs, person: NDArray[np.int32], firm: NDArray[np.bool_], anchor: Labels) -> None:
    """Let go of what cannot be held once footage was looked at anew: of two rows that exclude each other the weaker."""
    for pair in cannot[(person[cannot[:, 0]] >= 0) & (person[cannot[:, 0]] == person[cannot[:, 1]])].tolist():
        if person[pair[0]] == person[pair[1]] >= 0:
            weaker = min(pair, key=lambda row: (row in anchor, firm[row], -row))
            person[weaker], firm[weaker] = -1, False


def _lifted(together: Pairs, person: NDArray[np.int32], doubled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(k,), pairs that a human called one person twice, in a mirror or on a screen."""
    if not len(together) or not len(doubled):
        return np.zeros(len(together), np.bool_)
    first, second = person[together[:, 0]], person[together[:, 1]]
    return np.asarray((first >= 0) & (first == second) & doubled[first])

"""What is worth asking: whether two identities are one, whose a face is, who does not belong in a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archive.catalogue import Catalogue
from archive.decisions.standing import told_apart
from archive.doubts import SAME, Doubt, doubts_of
from archive.groups import Group, clearest, groups, homes, unconfirmed

ONE, BELONGS, ODD, NAME = "one", "belongs", "odd", "name"
FACES = 9
"""So many faces of a group fit on one screen, into one look, and on the keys 1 to 9."""
_UNSEEN = 0.02
"""The chance that an appearance which the machine is sure of does not belong; it then spoils a pair with each other."""
_SPOILT = 10
"""So many pairs count at most: who appears hundreds of times is not asked about first for that alone."""
_WORTH = 0.05
"""An answer that is expected to set fewer pairs of appearances right is not needed for certainty."""


@dataclass(frozen=True)
class Question:
    """Something to ask.

    `one`: are `identity` and `other` one person? `belongs`: is the face `faces[0]`, which is nobody's, `identity`?
    `odd`: which of `faces` are not `identity`? `name`: what is `identity` called?

    `faces` are appearances of the first side and `other_faces` of the second: the faces to look at. Those of `odd` and
    `name` are chosen when it is asked (`posed`). `gain` is the number of pairs of appearances that an answer is
    expected to set right; `unseen` how many appearances of the identity nobody has confirmed.
    """

    kind: str
    identity: str
    other: str = ""
    faces: tuple[str, ...] = ()
    other_faces: tuple[str, ...] = ()
    similarity: float | None = None
    gain: float = 0.0
    unseen: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same question when it comes up again."""
        if self.kind == ONE:
            return (ONE, *sorted((self.identity, self.other)))
        if self.kind == BELONGS:
            return (BELONGS, self.identity, self.faces[0])
        return (self.kind, self.identity, self.unseen)

    @property
    def matters(self) -> bool:
        """Is an answer needed before all is certain?"""
        return self.gain >= _WORTH

    @property
    def concerns(self) -> frozenset[str]:
        """The identities that it speaks of."""
        return frozenset(filter(None, (self.identity, self.other)))


def questions_of(catalogue: Catalogue) -> list[Question]:
    """All questions, the most useful first."""
    doubts, connection = doubts_of(catalogue), catalogue.connection
    found = groups(connection)
    home = homes(connection, {doubt.appearance for doubt in doubts if doubt.kind != SAME})
    asked = [
        *_pairs(doubts),
        *_namesakes(catalogue, found, doubts),
        *_strays(doubts, home),
        *_odd(doubts, found, home),
        *_names(found),
    ]
    asked.sort(key=lambda question: -question.gain)
    return asked


def posed(catalogue: Catalogue, question: Question) -> Question:
    """The question with the faces that it is about: of a group those that may be wrong, as many as fit."""
    connection = catalogue.connection
    if question.faces:
        return question
    if question.kind == ONE:
        sides = [tuple(clearest(connection, side, 1)) for side in (question.identity, question.other)]
        return replace(question, faces=sides[0], other_faces=sides[1])
    if question.kind == NAME:
        return replace(question, faces=tuple(clearest(connection, question.identity, FACES)))
    faces, best = unconfirmed(connection, question.identity, FACES)
    return replace(question, faces=tuple(faces), other_faces=(best,) if best else ())


def _pairs(doubts: Sequence[Doubt]) -> list[Question]:
    return [
        Question(ONE, d.identity, d.other or "", (d.appearance,), (d.other_appearance or "",), d.similarity, d.gain)
        for d in doubts
        if d.kind == SAME
    ]


def _namesakes(catalogue: Catalogue, found: Mapping[str, Group], doubts: Sequence[Doubt]) -> list[Question]:
    """Those who were given the same name: one person, most likely, however little alike."""
    named = defaultdict(list)
    for identity, group in found.items():
        if group.name:
            named[group.name.casefold()].append(identity)
    pairs = [pair for same in named.values() for pair in pairwise(same)]
    if not pairs:
        return []
    known = {frozenset((doubt.identity, doubt.other or "")) for doubt in doubts if doubt.kind == SAME}
    known |= told_apart(catalogue.connection)
    return [
        Question(ONE, one, other, gain=float(found[one].size * found[other].size))
        for one, other in pairs
        if frozenset((one, other)) not in known
    ]


def _strays(doubts: Sequence[Doubt], home: Mapping[str, str]) -> list[Question]:
    """Is a face that is nobody's one of somebody's?"""
    return [
        Question(BELONGS, d.identity, "", (d.appearance,), (d.other_appearance or "",), d.similarity, d.gain)
        for d in doubts
        if d.kind != SAME and d.appearance not in home
    ]


def _odd(doubts: Sequence[Doubt], found: Mapping[str, Group], home: Mapping[str, str]) -> list[Question]:
    """Which faces of an identity are not of it?"""
    wrong: dict[str, dict[str, float]] = defaultdict(dict)
    for d in doubts:
        if d.kind != SAME and home.get(d.appearance) == d.identity:
            wrong[d.identity][d.appearance] = max(d.gain, wrong[d.identity].get(d.appearance, 0.0))
    asked = []
    for identity, group in found.items():
        if group.size < 2 or not group.unseen:
            continue
        likely = sorted(wrong[identity].values(), reverse=True)[:FACES] if identity in wrong else []
        unlikely = _UNSEEN * min(group.size - 1, _SPOILT)
        expected = sum(likely) + unlikely * (min(group.unseen, FACES) - len(likely))
        gain = min(expected, group.size * (group.size - 1) / 2)
        asked.append(Question(ODD, identity, gain=gain, unseen=group.unseen))
    return asked


def _names(found: Mapping[str, Group]) -> list[Question]:
    """Who is this? Asked last, of the largest first, once every face of the identity was looked at."""
    ready = [(identity, group) for identity, group in found.items() if not group.name and not group.unseen]
    return [Question(NAME, identity) for identity, group in sorted(ready, key=lambda pair: (-pair[1].size, pair[0]))]

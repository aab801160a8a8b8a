"""What is worth asking: whether two identities are one, whose a face is, who does not belong in a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import Connection, func, select

from archive.catalogue import Catalogue
from archive.decisions.standing import told_apart
from archive.schema import assignments, identities, tracks
from archive.sorting.assigning import CONFIRMED
from archive.sorting.doubts import SAME, Doubt, doubts_of

ONE, BELONGS, ODD, NAME = "one", "belongs", "odd", "name"
FACES = 9
"""So many faces of a group fit on one screen, into one look, and on the keys 1 to 9."""
_UNSEEN = 0.02
"""The pairs that an appearance which the machine is sure of is expected to spoil."""
_WORTH = 0.05
"""An answer that is expected to set fewer pairs of appearances right is not needed for certainty."""
_AT_ONCE = 500


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


@dataclass(frozen=True)
class _Group:
    """An identity: how many appearances it has, and how many of them nobody has confirmed."""

    size: int
    unseen: int
    name: str


def questions_of(catalogue: Catalogue) -> list[Question]:
    """All questions, the most useful first."""
    doubts, connection = doubts_of(catalogue), catalogue.connection
    groups = _groups(connection)
    home = _homes(connection, {doubt.appearance for doubt in doubts if doubt.kind != SAME})
    asked = [
        *_pairs(doubts),
        *_namesakes(connection, groups, doubts),
        *_strays(doubts, home),
        *_odd(doubts, groups, home),
        *_names(groups),
    ]
    asked.sort(key=lambda question: -question.gain)
    return asked


def posed(connection: Connection, question: Question) -> Question:
    """The question with the faces that it is about: of a group those that may be wrong, as many as fit."""
    if question.faces:
        return question
    if question.kind == ONE:
        return replace(
            question,
            faces=tuple(_clearest(connection, question.identity, 1)),
            other_faces=tuple(_clearest(connection, question.other, 1)),
        )
    if question.kind == NAME:
        return replace(question, faces=tuple(_clearest(connection, question.identity, FACES)))
    query = (
        select(tracks.c.id, tracks.c.quality, assignments.c.certainty, assignments.c.similarity)
        .join(assignments, assignments.c.track_id == tracks.c.id)
        .where(assignments.c.identity == question.identity)
        .order_by(tracks.c.quality.desc(), tracks.c.id)
    )
    rows = connection.execute(query).all()
    best = next((row.id for row in rows if row.certainty == CONFIRMED), rows[0].id if rows else "")
    unseen = [row for row in rows if row.certainty != CONFIRMED]
    unseen.sort(key=lambda row: (1.0 if row.similarity is None else row.similarity, row.quality))
    return replace(question, faces=tuple(row.id for row in unseen[:FACES]), other_faces=(best,) if best else ())


def _clearest(connection: Connection, identity: str, most: int) -> Sequence[str]:
    query = (
        select(tracks.c.id)
        .join(assignments, assignments.c.track_id == tracks.c.id)
        .where(assignments.c.identity == identity)
        .order_by(tracks.c.quality.desc(), tracks.c.id)
    )
    return connection.execute(query.limit(most)).scalars().all()


def _pairs(doubts: Sequence[Doubt]) -> list[Question]:
    return [
        Question(ONE, d.identity, d.other or "", (d.appearance,), (d.other_appearance or "",), d.similarity, d.gain)
        for d in doubts
        if d.kind == SAME
    ]


def _namesakes(connection: Connection, groups: Mapping[str, _Group], doubts: Sequence[Doubt]) -> list[Question]:
    """Those who were given the same name: one person, most likely, however little alike."""
    named = defaultdict(list)
    for identity, group in groups.items():
        if group.name:
            named[group.name.casefold()].append(identity)
    pairs = [pair for same in named.values() for pair in pairwise(same)]
    if not pairs:
        return []
    known = {frozenset((doubt.identity, doubt.other or "")) for doubt in doubts if doubt.kind == SAME}
    known |= told_apart(connection)
    return [
        Question(ONE, one, other, gain=float(groups[one].size * groups[other].size))
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


def _odd(doubts: Sequence[Doubt], groups: Mapping[str, _Group], home: Mapping[str, str]) -> list[Question]:
    """Which faces of an identity are not of it?"""
    wrong: dict[str, dict[str, float]] = defaultdict(dict)
    for d in doubts:
        if d.kind != SAME and home.get(d.appearance) == d.identity:
            wrong[d.identity][d.appearance] = max(d.gain, wrong[d.identity].get(d.appearance, 0.0))
    asked = []
    for identity, group in groups.items():
        if group.size < 2 or not group.unseen:
            continue
        likely = sorted(wrong[identity].values(), reverse=True)[:FACES] if identity in wrong else []
        expected = sum(likely) + _UNSEEN * (min(group.unseen, FACES) - len(likely))
        gain = min(expected, group.size * (group.size - 1) / 2)
        asked.append(Question(ODD, identity, gain=gain, unseen=group.unseen))
    return asked


def _names(groups: Mapping[str, _Group]) -> list[Question]:
    """Who is this? Asked last, of the largest first, once every face of the identity was looked at."""
    ready = [(identity, group) for identity, group in groups.items() if not group.name and not group.unseen]
    return [Question(NAME, identity) for identity, group in sorted(ready, key=lambda pair: (-pair[1].size, pair[0]))]


def _groups(connection: Connection) -> dict[str, _Group]:
    """Every identity that is seen, by id."""
    size = func.count()
    confirmed = size.filter(assignments.c.certainty == CONFIRMED)
    query = (
        select(identities.c.id, identities.c.name, size.label("size"), confirmed.label("confirmed"))
        .join(assignments, assignments.c.identity == identities.c.id)
        .group_by(identities.c.id)
        .order_by(func.length(identities.c.id), identities.c.id)
    )
    return {
        row.id: _Group(row.size, row.size - row.confirmed if row.size > 1 else 0, row.name)
        for row in connection.execute(query)
    }


def _homes(connection: Connection, appearances: Collection[str]) -> dict[str, str]:
    """Appearance → the identity it is with, of those that are somebody's."""
    found: dict[str, str] = {}
    wanted = sorted(appearances)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(assignments.c.track_id, assignments.c.identity).where(
            assignments.c.track_id.in_(wanted[start : start + _AT_ONCE]), assignments.c.identity.is_not(None)
        )
        found |= {row.track_id: row.identity for row in connection.execute(query)}
    return found

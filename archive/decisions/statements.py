"""What each kind of decision says, and how it is written as JSON and read again, also from strangers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from archive.decisions.anchors import Anchor

Id = str
Uid = str
Name = str
Anchors = tuple[Anchor, ...]
Numbers = tuple[int, ...]

LONGEST_NAME = 200
_ID = re.compile(r"P\d{4,12}")
_UID = re.compile(r"[0-9a-f]{32}")
_STEERING = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Unicode categories that no name has: control characters, halves of characters, ends of lines."""


@dataclass(frozen=True)
class Named:
    """Who is at the anchor has this name."""

    person: Id
    anchor: Anchor
    name: Name


@dataclass(frozen=True)
class Confirmed:
    """A human looked at all these appearances: they are this person; `whole` if these are all that it has."""

    person: Id
    anchor: Anchor
    members: Anchors
    whole: bool = True


@dataclass(frozen=True)
class Merged:
    """`other` is `person`. The members are those of both that no earlier decision pinned."""

    person: Id
    anchor: Anchor
    members: Anchors
    other: Id
    other_anchor: Anchor
    other_members: Anchors
    mirror: bool


@dataclass(frozen=True)
class Split:
    """The members are not `person` but `other`; `rest` is where `person` is if its anchor was among them.

    `left` stays with `person`: those of the others that no earlier decision pinned.
    """

    person: Id
    anchor: Anchor
    rest: Anchor
    members: Anchors
    other: Id
    other_anchor: Anchor
    left: Anchors = ()


@dataclass(frozen=True)
class Rejected:
    """The members are not `person`; `rest` is where `person` is if its anchor was among them."""

    person: Id
    anchor: Anchor
    rest: Anchor
    members: Anchors


@dataclass(frozen=True)
class Held:
    """The members are this person, some of them firmly: what is left of decisions of which a part was erased."""

    person: Id
    anchor: Anchor
    members: Anchors
    firm: Anchors
    mirror: bool


@dataclass(frozen=True)
class Undone:
    """A decision does not count."""

    uid: Uid


@dataclass(frozen=True)
class Forgot:
    """Somebody was erased, and the decisions of these numbers with them."""

    person: Id
    appearances: int
    erased: Numbers


Statement = Named | Confirmed | Merged | Split | Rejected | Held | Undone | Forgot
KINDS: dict[str, type[Statement]] = {
    "name": Named,
    "confirm": Confirmed,
    "merge": Merged,
    "split": Split,
    "reject": Rejected,
    "hold": Held,
    "undo": Undone,
    "forget": Forgot,
}
_KIND_OF = {of: kind for kind, of in KINDS.items()}


def kind_of(said: Statement) -> str:
    """The verb of a statement, as the journal keeps it."""
    return _KIND_OF[type(said)]


def as_json(said: Statement) -> dict[str, Any]:
    """The fields of a statement as JSON."""
    return {field.name: _plain(getattr(said, field.name)) for field in fields(said)}


def from_json(kind: str, content: Any) -> Statement:
    """Read a statement.

    Raises:
        ValueError: the kind is unknown, or a field is missing, unknown, of another type or out of range.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no decision of kind '{kind}'; kinds are {', '.join(KINDS)}")
    if not isinstance(content, dict):
        raise ValueError("a decision must be an object with fields")
    types = {field.name: str(field.type) for field in fields(KINDS[kind])}
    for name in sorted(types.keys() ^ content.keys()):
        raise ValueError(f"the field '{name}' " + ("is missing" if name in types else "is unknown"))
    values: dict[str, Any] = {}
    for name, of in types.items():
        try:
            values[name] = _READERS[of](content[name])
        except ValueError as exc:
            raise ValueError(f"the field '{name}': {exc}") from exc
    return checked(KINDS[kind](**values))


def checked(said: Statement) -> Statement:
    """A statement that does not contradict itself.

    Raises:
        ValueError: it does; the message names the field.
    """
    if isinstance(said, Split | Rejected):
        if not said.members:
            raise ValueError("the field 'members': at least one appearance is needed")
        if said.rest in said.members:
            raise ValueError("the field 'rest' must not be among the members")
    if isinstance(said, Split) and not set(said.left).isdisjoint(said.members):
        raise ValueError("the field 'left' must name none of the members")
    if isinstance(said, Split) and said.other_anchor not in said.members:
        raise ValueError("the field 'other_anchor' must be among the members")
    if isinstance(said, Merged) and said.anchor == said.other_anchor:
        raise ValueError("the field 'other_anchor' must differ from 'anchor'")
    if isinstance(said, Merged | Split) and said.person == said.other:
        raise ValueError("the field 'other' must differ from 'person'")
    return said


def translated(said: Statement, of_id: Callable[[str], str], of_anchor: Callable[[Anchor], Anchor]) -> Statement:
    """The same statement with other ids and other places."""
    values: dict[str, Any] = {}
    for field in fields(said):
        value = getattr(said, field.name)
        if field.type == "Id":
            values[field.name] = of_id(value)
        elif field.type == "Anchor":
            values[field.name] = of_anchor(value)
        elif field.type == "Anchors":
            values[field.name] = tuple(dict.fromkeys(of_anchor(anchor) for anchor in value))
    return replace(said, **values)


def anchors_in(said: Statement) -> Iterator[Anchor]:
    """All places that a statement speaks of."""
    for field in fields(said):
        value = getattr(said, field.name)
        if isinstance(value, Anchor):
            yield value
        elif field.type == "Anchors":
            yield from value


def ids_in(said: Statement) -> Iterator[str]:
    """All identities that a statement speaks of."""
    yield from (getattr(said, field.name) for field in fields(said) if field.type == "Id")


def checked_name(text: Any) -> str:
    """A person's name as it is kept: trimmed, in Unicode's composed form.

    Raises:
        ValueError: it is empty, too long or holds control characters.
    """
    if not isinstance(text, str):
        raise ValueError("a name must be text")
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise ValueError("a name cannot be empty")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} characters, not {len(name)}")
    if any(unicodedata.category(character) in _STEERING for character in name):
        raise ValueError("a name cannot hold control characters")
    return name


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.as_json() if isinstance(value, Anchor) else value


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"it must be {what}")
        return value

    return read


def _tuple(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("it must be a list")
        return tuple(of(item) for item in value)

    return read


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError("it must be a whole number")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "Id": _matching(_ID, "an identity such as P0001"),
    "Uid": _matching(_UID, "32 hexadecimal digits"),
    "Name": checked_name,
    "Anchor": Anchor.from_json,
    "Anchors": _tuple(Anchor.from_json),
    "Numbers": _tuple(_whole),
    "int": _whole,
    "bool": _truth,
}

"""The two lists of the review: the people, and where one of them appears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from archive.groups import Listed
from archive.records import Appearance
from reports.names import printable
from reports.review.rows import Rows
from reports.wording import clock, span

ORDERS = ("id", "appearances", "doubtful", "name")
"""How people can be sorted."""


@dataclass(frozen=True)
class Choice:
    """Which people are listed, and in which order."""

    order: str = "id"
    words: str = ""

    def of(self, people: Sequence[Listed]) -> list[Listed]:
        """The people in this order whose id, name or status holds all the words."""
        words = self.words.casefold().split()
        chosen = [p for p in people if all(w in f"{p.id} {p.name} {p.status}".casefold() for w in words)]
        if self.order == "appearances":
            chosen.sort(key=lambda p: -p.appearances)
        elif self.order == "doubtful":
            chosen.sort(key=lambda p: -p.doubtful)
        elif self.order == "name":
            chosen.sort(key=lambda p: (not p.name, p.name.casefold()))
        return chosen


class PeopleList(Rows):
    """The people: id, name, how many appearances, and how many of them are doubtful."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.people: list[Listed] = []
        self.choice = Choice()
        self._all: list[Listed] = []

    @property
    def current(self) -> Listed | None:
        """The person under the cursor."""
        return self.people[self.cursor] if self.cursor < len(self.people) else None

    def show(self, people: Sequence[Listed], choice: Choice, at: str = "") -> None:
        """List these people; the cursor stays with the person `at`, or near where it was."""
        self._all, self.choice = list(people), choice
        self.people = choice.of(self._all)
        place = next((row for row, person in enumerate(self.people) if person.id == at), self.cursor)
        self.border_subtitle = f"{len(self.people):,} of {len(self._all):,}, by {choice.order}"
        self.refill(place)

    def choose(self, choice: Choice) -> None:
        """List others of them, or in another order."""
        self.show(self._all, choice, self.current.id if self.current else "")

    def row_count(self) -> int:
        """How many are listed."""
        return len(self.people)

    def row_text(self, row: int, width: int) -> Text:
        """`P0003 Jane Doe      12 2?`."""
        p = self.people[row]
        figures = f"{p.appearances:,}" + (f" {p.doubtful:,}?" if p.doubtful else "")
        left = Text(f"{p.id} {printable(p.name)}")
        left.stylize("bold", 0, len(p.id))
        room = max(width - len(figures) - 1, 0)
        left.truncate(room, overflow="ellipsis", pad=True)
        left.append(f" {figures}", "yellow" if p.doubtful else "dim")
        return left


class LogList(Rows):
    """Where a person appears, and how sure that is; marked ones are for split, reject and confirm."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.seen: list[Appearance] = []
        self.marked: set[str] = set()
        self.missing: frozenset[str] = frozenset()

    @property
    def current(self) -> Appearance | None:
        """The appearance under the cursor."""
        return self.seen[self.cursor] if self.cursor < len(self.seen) else None

    @property
    def chosen(self) -> list[str]:
        """The marked appearances, or else the one under the cursor."""
        marked = [a.appearance for a in self.seen if a.appearance in self.marked]
        return marked or ([self.current.appearance] if self.current else [])

    def show(self, log: Sequence[Appearance], missing: frozenset[str], at: str = "") -> None:
        """Show this log; marks stay where the appearances do."""
        self.seen, self.missing = list(log), missing
        self.marked &= {a.appearance for a in self.seen}
        self.refill(next((row for row, a in enumerate(self.seen) if a.appearance == at), 0))

    def mark(self) -> None:
        """Mark the one under the cursor, or take the mark away, and go on to the next."""
        if self.current:
            self.marked ^= {self.current.appearance}
            self.refresh()
            self.action_move(1)

    def row_count(self) -> int:
        """How many appearances there are."""
        return len(self.seen)

    def row_text(self, row: int, width: int) -> Text:
        """`* clip.mp4  0:07  4.2 s  0.71 +0.32  confident`."""
        a = self.seen[row]
        similar = "" if a.similarity is None else f"{a.similarity:.2f}"
        margin = "" if a.margin is None else f"{a.margin:+.2f}"
        length = span(a.end_s - a.start_s) if a.end_s > a.start_s else ""
        right = f" {clock(a.start_s):>7} {length:>7} {similar:>4} {margin:>5} {a.certainty:<9}"
        gone = " (missing)" if a.video in self.missing else ""
        left = Text(f"{'*' if a.appearance in self.marked else ' '} {printable(a.video)}{gone}")
        left.truncate(max(width - len(right), 8), overflow="ellipsis", pad=True)
        left.append(right, {"doubtful": "yellow", "confirmed": "green"}.get(a.certainty, ""))
        return left

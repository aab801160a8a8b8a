"""The questions that a human is best asked, as the last sorting left them (`archive.sorting.doubts`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from archive.schema import doubts

if TYPE_CHECKING:
    from archive.catalogue import Catalogue

SAME, MEMBER = "same", "member"


@dataclass(frozen=True)
class Doubt:
    """A question. `same`: are `identity` and `other` one person? `member`: does `appearance` belong to `identity`, with
    which it may be now or not?

    `appearance` and `other_appearance` are the faces to look at side by side. `similarity` is the mean similarity
    between the two sides, `gain` the number of pairs of appearances that an answer is expected to set right.
    """

    kind: str
    identity: str
    other: str | None
    appearance: str
    other_appearance: str | None
    similarity: float
    gain: float

    def as_json(self) -> dict[str, Any]:
        """An element of `doubts --json`."""
        return vars(self) | {"similarity": round(self.similarity, 4), "gain": round(self.gain, 4)}


def doubts_of(catalogue: Catalogue) -> list[Doubt]:
    """All questions, the most useful first."""
    columns = [column for column in doubts.c if column.name != "rank"]
    return [Doubt(**row._mapping) for row in catalogue.connection.execute(select(*columns).order_by(doubts.c.rank))]

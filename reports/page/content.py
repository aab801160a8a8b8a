"""What a report shows of the archive as a whole, gathered before the first page is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archive import sources
from archive.catalogue import Catalogue
from archive.doubts import SAME, doubts_of
from archive.overview import CERTAINTIES, Overview, as_of, bar_in_use, overview
from reports.names import printable
from reports.page.timeline import Timelines
from reports.page.together import Together
from reports.page.wording import Who, source_names, who_is
from reports.wording import count, models_used

SOURCES_A_PAGE = 25
STILL = "picture"
"""The kind of a source that is a photograph."""
_ALIKE_MOST = 8
_NEAR = 0.8
"""Those below this share of the bar are asked about by `doubts`, but it would mislead to call them alike."""


@dataclass(frozen=True)
class Card:
    """One of the people; `row` is theirs in the overview, and `levels` counts their appearances by certainty."""

    row: int
    who: Who
    status: str
    appearances: int
    videos: int
    screen_time_s: float
    levels: Sequence[int]

    @property
    def doubtful(self) -> int:
        """How many appearances are in doubt."""
        return self.levels[CERTAINTIES.index("doubtful")]

    @property
    def is_confirmed(self) -> bool:
        """Did a human say that this is a person?"""
        return self.status == "confirmed"


@dataclass(frozen=True)
class Totals:
    """The figures of the whole archive."""

    named: int
    videos: int
    photographs: int
    appearances: int
    doubtful: int
    nobodys: int
    missing: int
    damaged: int
    failed: int

    @property
    def footage(self) -> str:
        """What was indexed: `3 videos and 1 photograph`."""
        told = [count(self.videos, "video")] if self.videos or not self.photographs else []
        return " and ".join(told + ([count(self.photographs, "photograph")] if self.photographs else []))


class Content:
    """The people and the footage of an archive, and how they are called.

    Args:
        catalogue: inside a snapshot.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.seen: Overview = overview(catalogue.connection)
        self.names = source_names(self.seen.sources)
        self.bar = bar_in_use(catalogue)
        self.models = models_used(catalogue.models())
        self.indexed, self.decided = (_day(utc) for utc in as_of(catalogue.connection))
        self._failed = sources.count_failed(catalogue.connection)
        self._doubts = [doubt for doubt in doubts_of(catalogue) if doubt.kind == SAME and doubt.other]

    @cached_property
    def cards(self) -> list[Card]:
        """The people, by id."""
        levels = np.zeros((len(self.seen.people), len(CERTAINTIES)), np.int64)
        inside = self.seen.person >= 0
        np.add.at(levels, (self.seen.person[inside], self.seen.certainty[inside]), 1)
        return [
            Card(row, who_is(p), printable(p.status), p.appearances, p.videos, p.screen_time_s, counts)
            for row, (p, counts) in enumerate(zip(self.seen.people, levels.tolist(), strict=True))
        ]

    @cached_property
    def in_order(self) -> list[Card]:
        """The people as the pages list them: those with most appearances first."""
        return sorted(self.cards, key=lambda card: (-card.appearances, -card.screen_time_s, card.row))

    @cached_property
    def timelines(self) -> Timelines:
        """Who is seen when."""
        return Timelines(self.seen, self.names)

    @cached_property
    def together(self) -> Together:
        """Who is seen with whom."""
        return Together(self.seen)

    @cached_property
    def alike(self) -> dict[int, list[tuple[Who, float]]]:
        """Row → who may be the same person and has not been asked about yet, the most alike first."""
        place = {person.id: row for row, person in enumerate(self.seen.people)}
        found: dict[int, dict[int, float]] = defaultdict(dict)
        for doubt in self._doubts:
            if self.bar is not None and doubt.similarity < _NEAR * self.bar:
                continue
            pair = place.get(doubt.identity), place.get(doubt.other or "")
            for one, other in (pair, pair[::-1]):
                if one is not None and other is not None:
                    found[one][other] = max(doubt.similarity, found[one].get(other, -1.0))
        return {
            row: [
                (self.cards[other].who, alike) for other, alike in sorted(others.items(), key=_most_alike)[:_ALIKE_MOST]
            ]
            for row, others in found.items()
        }

    @cached_property
    def totals(self) -> Totals:
        """The figures of the whole archive."""
        inside = self.seen.person >= 0
        return Totals(
            named=sum(1 for card in self.cards if card.who.name),
            videos=sum(source.kind != STILL for source in self.seen.sources),
            photographs=sum(source.kind == STILL for source in self.seen.sources),
            appearances=int(inside.sum()),
            doubtful=sum(card.doubtful for card in self.cards),
            nobodys=int((~inside).sum()),
            missing=sum(source.missing for source in self.seen.sources),
            damaged=sum(source.damaged for source in self.seen.sources),
            failed=self._failed,
        )


def people_page(number: int) -> str:
    """The file of one page of people, from 1."""
    return "index.html" if number == 1 else f"index-{number}.html"


def timeline_page(number: int) -> str:
    """The file of one page of the timeline, from 1."""
    return "timeline.html" if number == 1 else f"timeline-{number}.html"


def source_link(row: int) -> str:
    """Where on the timeline a source stands."""
    return f"{timeline_page(row // SOURCES_A_PAGE + 1)}#v{row}"


def pages_of(total: int, a_page: int) -> int:
    """How many pages something takes; an empty one at least."""
    return max(-(-total // a_page), 1)


def _most_alike(pair: tuple[int, float]) -> tuple[float, int]:
    return -pair[1], pair[0]


def _day(utc: str) -> str:
    """A time of the catalogue as people read it, to the minute."""
    return f"{utc[:10]} {utc[11:16]} UTC" if utc else ""

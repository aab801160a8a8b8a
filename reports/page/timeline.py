"""Who is seen when, as lanes of spans: in one video, or in all of them one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archive.overview import Overview
from cvid.types import Ints
from reports.page.wording import LEVELS, between, figure

WIDTH = 1000.0
"""Of a lane, in the units of its picture."""
_NARROWEST = 3.0
_STILL_S = 1.0
"""What a photograph is wide where all sources lie one after another."""
_SAID_MOST = 12


@dataclass(frozen=True)
class Span:
    """A stretch of a lane, with the class of its certainty and a note that appears over it."""

    x: float
    width: float
    style: str
    note: str


@dataclass(frozen=True)
class Lane:
    """Where one person is seen; `row` is theirs, −1 for what is nobody's, and `text` says the same in words."""

    row: int
    seconds: float
    appearances: int
    spans: Sequence[Span]
    text: str


class Timelines:
    """The lanes of an archive.

    Args:
        names: what the sources are called.
    """

    def __init__(self, overview: Overview, names: Sequence[str]) -> None:
        self._seen, self._names = overview, names
        last = np.zeros(len(overview.sources))
        np.maximum.at(last, overview.source, overview.end_s)
        told = np.array([source.duration_s for source in overview.sources], np.float64)
        self.duration_s = np.maximum(last, told)  # (sources,), 0 of photographs
        self._length_s = np.maximum(self.duration_s, _STILL_S)
        self._begin_s = np.cumsum(self._length_s) - self._length_s
        self.total_s = float(self._length_s.sum())

    def of_source(self, source: int) -> list[Lane]:
        """Everybody who is seen in a source, the longest seen first, and at the end what is nobody's."""
        rows = self._seen.by_source[source]
        people = self._seen.person[rows]
        lanes = [self._lane(source, rows[people == row]) for row in np.unique(people)]
        return sorted(lanes, key=lambda lane: (lane.row < 0, -lane.seconds, -lane.appearances, lane.row))

    def of_person(self, row: int, most: int) -> Iterator[tuple[int, Lane]]:
        """The sources in which one of the people is seen, by path, and their lane in each; so many at most."""
        rows = self._seen.by_person[row]
        for source in np.unique(self._seen.source[rows])[:most].tolist():
            yield source, self._lane(source, rows[self._seen.source[rows] == source])

    def over_all(self, row: int) -> Lane:
        """Where one of the people is seen, over all sources one after another."""
        rows = self._seen.by_person[row]
        scale = WIDTH / self.total_s if self.total_s else 0.0
        spans = []
        for source in np.unique(self._seen.source[rows]).tolist():
            own = rows[self._seen.source[rows] == source]
            begin, length = self._begin_s[source] * scale, self._length_s[source] * scale
            for span in self._spans(source, own, begin, length):
                spans.append(Span(span.x, span.width, span.style, f"{self._names[source]}, {span.note}"))
        return Lane(row, self._seconds(rows), len(rows), spans, _said(spans))

    def edges(self) -> list[float]:
        """Where each source begins among all of them, in units of a lane."""
        scale = WIDTH / self.total_s if self.total_s else 0.0
        return [round(float(begin * scale), 1) for begin in self._begin_s]

    def _lane(self, source: int, rows: Ints) -> Lane:
        spans = self._spans(source, rows, 0.0, WIDTH)
        return Lane(int(self._seen.person[rows[0]]), self._seconds(rows), len(rows), spans, _said(spans))

    def _seconds(self, rows: Ints) -> float:
        return float((self._seen.end_s[rows] - self._seen.start_s[rows]).sum())

    def _spans(self, source: int, rows: Ints, begin: float, length: float) -> list[Span]:
        """The appearances in a source that is so long; those of one certainty that would lie on each other are one."""
        duration = float(self.duration_s[source])
        found: list[Span] = []
        held: list[int] = []
        left = right = 0.0
        for row in rows.tolist():
            start = begin + (float(self._seen.start_s[row]) / duration * length if duration else 0.0)
            end = begin + (float(self._seen.end_s[row]) / duration * length if duration else length)
            if held and self._seen.certainty[row] == self._seen.certainty[held[-1]] and start <= right + 1:
                held.append(row)
                right = max(right, end)
                continue
            if held:
                found.append(self._span(held, left, right))
            held, left, right = [row], start, end
        if held:
            found.append(self._span(held, left, right))
        return found

    def _span(self, rows: Sequence[int], left: float, right: float) -> Span:
        level = LEVELS[self._seen.certainty[rows[0]]]
        width = max(right - left, _NARROWEST)
        when = between(float(self._seen.start_s[rows[0]]), float(self._seen.end_s[list(rows)].max()))
        if len(rows) > 1:
            note = f"{when}, {len(rows):,} appearances, {level.label}"
        else:
            alike = float(self._seen.similarity[rows[0]])
            note = f"{when}, {level.label}" + ("" if np.isnan(alike) else f", similarity {figure(alike)}")
        return Span(round(min(left, WIDTH - width), 1), round(width, 1), level.style, note)


def _said(spans: Sequence[Span]) -> str:
    """What a lane shows, in words."""
    said = "; ".join(span.note for span in spans[:_SAID_MOST])
    return f"{said}; and {len(spans) - _SAID_MOST:,} more" if len(spans) > _SAID_MOST else said

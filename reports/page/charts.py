"""The heat map of people and videos, and the histogram of similarities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archive.overview import CERTAINTIES, Overview
from cvid.types import Doubles, Ints
from reports.page.wording import LEVELS, Who
from reports.wording import count

PEOPLE_MOST = SOURCES_MOST = 40
_STEPS_S = (2.0, 10.0, 60.0, 600.0)
STEPS = ("under 2 s", "2 to 10 s", "10 s to 1 min", "1 to 10 min", "over 10 min")
"""The shades of the heat map; a photograph counts as one second."""
BINS = 44
LOWEST, HIGHEST = -0.1, 1.0
_LEFT, _RIGHT, _BASE, _HIGH = 20.0, 780.0, 205.0, 160.0
"""The histogram in its picture, which is 800 wide."""
_LETTER_PX = 7.5
_LETTERS_MOST = 22
_ALL_WIDE_PX = 720


@dataclass(frozen=True)
class Heat:
    """The people and sources seen most, by row, and a cell (row, column) → (seconds, appearances, shade)."""

    people: Sequence[int]
    sources: Sequence[int]
    cells: dict[tuple[int, int], tuple[float, int, int]]

    @property
    def wide(self) -> int:
        """How wide a column is drawn, px."""
        return min(max(_ALL_WIDE_PX // max(len(self.sources), 1), 22), 56)

    def left(self, who: Sequence[Who]) -> int:
        """How much room the people's names need, px."""
        return _room([who[row].called for row in self.people]) + 16

    def top(self, names: Sequence[str]) -> int:
        """How much room the names of the sources need, which stand aslant, px."""
        return round(0.9 * _room([names[row] for row in self.sources])) + 16


@dataclass(frozen=True)
class Histogram:
    """How alike appearances are with the person they were given to, by certainty, and with the nearest other person.

    `own` has a row for each of CERTAINTIES, and all are over the same `edges`. `bar` is None where there is none.
    """

    edges: Sequence[float]
    own: Sequence[Sequence[int]]
    others: Sequence[int]
    bar: float | None

    @property
    def highest(self) -> int:
        """The largest number in it."""
        return max([*map(sum, zip(*self.own, strict=True)), *self.others, 1])


def heat_of(overview: Overview) -> Heat:
    """The people and sources with most time on screen."""
    inside = overview.person >= 0
    person, source = overview.person[inside], overview.source[inside]
    seconds = np.maximum(overview.end_s - overview.start_s, 1.0)[inside]
    people = _most(_sums(person, seconds, len(overview.people)), PEOPLE_MOST)
    at_person = {row: place for place, row in enumerate(people)}
    shown = np.isin(person, people)
    sources = sorted(_most(_sums(source[shown], seconds[shown], len(overview.sources)), SOURCES_MOST))
    at_source = {row: place for place, row in enumerate(sources)}
    cells: dict[tuple[int, int], tuple[float, int, int]] = {}
    shown &= np.isin(source, sources)
    for who, where, lasting in zip(
        person[shown].tolist(), source[shown].tolist(), seconds[shown].tolist(), strict=True
    ):
        cell = at_person[who], at_source[where]
        before = cells.get(cell, (0.0, 0, 0))
        cells[cell] = (before[0] + lasting, before[1] + 1, 0)
    shaded = {cell: (s, n, int(np.searchsorted(_STEPS_S, s, side="right"))) for cell, (s, n, _) in cells.items()}
    return Heat(people, sources, shaded)


def histogram_of(overview: Overview, bar: float | None) -> Histogram:
    """Of all appearances that there is something to compare with."""
    edges = np.linspace(LOWEST, HIGHEST, BINS + 1)
    own = [_counted(overview, overview.similarity, edges, overview.certainty == c) for c in range(len(CERTAINTIES))]
    others = _counted(overview, overview.similarity - overview.margin, edges, overview.person >= 0)
    return Histogram([round(float(edge), 4) for edge in edges], own, others, bar)


def _counted(overview: Overview, values: Doubles, edges: Doubles, chosen: NDArray[np.bool_]) -> list[int]:
    numbers = values[chosen & (overview.person >= 0)]
    numbers = np.clip(numbers[~np.isnan(numbers)], LOWEST, HIGHEST)
    return [int(number) for number in np.histogram(numbers, edges)[0]]


def _sums(place: Ints, values: Doubles, count: int) -> Doubles:
    return np.asarray(np.bincount(place, values, count), np.float64)


def _most(values: Doubles, most: int) -> list[int]:
    """The rows of the largest values above 0, the largest first."""
    order = np.lexsort((np.arange(len(values)), -values))[:most]
    return [int(row) for row in order if values[row] > 0]


@dataclass(frozen=True)
class Picture:
    """A histogram, measured out.

    `bars` are (x, y, height, style, note), `ticks` (x, label), and the rows of `table` (from, to, own, others).
    """

    compared: int
    bars: Sequence[tuple[float, float, float, str, str]]
    wide: float
    ticks: Sequence[tuple[float, str]]
    bar: float | None
    bar_x: float | None
    table: Sequence[tuple[str, str, int, int]]
    lowest: float
    base: float = _BASE
    left: float = _LEFT
    right: float = _RIGHT


def picture_of(histogram: Histogram) -> Picture:
    """Own persons upwards, the nearest others downwards, to one scale."""
    scale = _HIGH / histogram.highest
    filled = [any(counts) for counts in zip(*histogram.own, histogram.others, strict=True)]
    least = histogram.edges[filled.index(True)] if any(filled) else LOWEST
    lowest = max(LOWEST, int(10 * min(least, HIGHEST if histogram.bar is None else histogram.bar) - 0.5) / 10)
    bars, table = [], []
    for place, (low, high) in enumerate(pairwise(histogram.edges)):
        x, top = _x(low, lowest), _BASE
        said = f"{low:.3f}", f"{high:.3f}"
        for level, counts in zip(LEVELS, histogram.own, strict=True):
            if counts[place]:
                height = counts[place] * scale
                top -= height
                note = f"{' to '.join(said)}: {count(counts[place], 'appearance')}, {level.label}"
                bars.append((x, round(top, 1), round(height, 1), level.style, note))
        own, other = sum(counts[place] for counts in histogram.own), histogram.others[place]
        if other:
            note = f"{' to '.join(said)}: nearest other person of {count(other, 'appearance')}"
            bars.append((x, _BASE, round(other * scale, 1), "other", note))
        if own or other:
            table.append((*said, own, other))
    ticks = [(_x(t / 10, lowest), f"{t / 10:.1f}") for t in range(11) if t / 10 >= lowest]
    bar_x = None if histogram.bar is None else _x(histogram.bar, lowest)
    wide = round(_x(lowest + (HIGHEST - LOWEST) / BINS, lowest) - _LEFT - 1, 1)
    return Picture(sum(map(sum, histogram.own)), bars, wide, ticks, histogram.bar, bar_x, table, lowest)


def _room(names: Sequence[str]) -> int:
    return round(_LETTER_PX * min(max(map(len, names), default=0), _LETTERS_MOST))


def _x(similarity: float, lowest: float) -> float:
    share = (similarity - lowest) / (HIGHEST - lowest)
    return round(_LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT), 1)

"""The co-appearance graph: who stands where, so that those who are seen together lie close."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.page.together import Pair

WIDTH, HEIGHT = 1000, 680
_MARGIN = 60
_ROUNDS = 400
_EVEN = 0.6
"""How far the places are evened out: the rest is as the forces have it, which may be a knot with much room around."""
_ROOM = np.array([104.0, 66.0])
"""Between two people, at least."""
_PULL = 0.6
"""Towards the middle, so that those who have nothing to do with the others stay in the picture."""


@dataclass(frozen=True)
class Node:
    """One of the people in the picture, by row."""

    row: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Edge:
    """A pair in the picture: from whom to whom, how wide, and whether they are ever seen at the same moment."""

    pair: Pair
    x1: float
    y1: float
    x2: float
    y2: float
    width: float


@dataclass(frozen=True)
class Graph:
    """Those who are seen together most."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]


def first_people(pairs: Sequence[Pair], most: int) -> list[int]:
    """Those of the first pairs, so many at most."""
    rows: dict[int, None] = {}
    for pair in pairs:
        both = {pair.one: None, pair.other: None}
        if len(rows | both) <= most:
            rows |= both
    return list(rows)


def graph_of(shown: Sequence[Pair]) -> Graph:
    """Lay out everybody in some pairs."""
    rows = {row: place for place, row in enumerate(first_people(shown, 2 * len(shown)))}
    if not shown:
        return Graph((), ())
    ends = np.array([(rows[pair.one], rows[pair.other]) for pair in shown], np.int64)
    weight = np.array([math.log1p(pair.sources + 2 * pair.moments) for pair in shown])
    at = _parted(_spread(len(rows), ends, weight))
    radius = 22.0 if len(rows) <= 24 else 17.0
    nodes = [Node(row, *_place(at[place]), radius) for row, place in rows.items()]
    edges = [
        Edge(pair, *_place(at[a]), *_place(at[b]), round(1 + 2 * float(wide), 1))
        for pair, (a, b), wide in zip(shown, ends.tolist(), weight, strict=True)
    ]
    return Graph(nodes, edges)


def _parted(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same with room around each for its name."""
    for _ in range(_ROUNDS):
        apart = at[:, None] - at[None]
        lacking = np.maximum(_ROOM - np.abs(apart), 0)
        close = (lacking > 0).all(axis=2)
        np.fill_diagonal(close, False)
        if not close.any():
            break
        way = np.where(
            apart == 0, np.sign(np.arange(len(at))[:, None, None] - np.arange(len(at))[:, None]), np.sign(apart)
        )
        sideways = lacking[..., 0] / _ROOM[0] < lacking[..., 1] / _ROOM[1]
        step = way * lacking * np.stack([sideways, ~sideways], axis=2) * close[..., None]
        at = np.clip(at + 0.3 * step.sum(axis=1), _MARGIN, np.array([WIDTH, HEIGHT]) - _MARGIN)
    return at


def _place(at: NDArray[np.float64]) -> tuple[float, float]:
    return round(float(at[0]), 1), round(float(at[1]), 1)


def _spread(count: int, ends: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(count, 2) places after Fruchterman and Reingold, from a circle, so that they are the same every time."""
    angle = np.arange(count) * (2 * np.pi / max(count, 1))
    at = np.stack([np.cos(angle), 0.7 * np.sin(angle)], axis=1)
    ideal = 1.6 / math.sqrt(max(count, 1))
    strength = weight / weight.max()
    for step in range(_ROUNDS):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        push = (apart * (ideal**2 / distance**2)[..., None]).sum(axis=1)
        along = at[ends[:, 0]] - at[ends[:, 1]]
        pull = along * (np.linalg.norm(along, axis=1) / ideal * (0.3 + 0.7 * strength))[:, None]
        np.add.at(push, ends[:, 0], -pull)
        np.add.at(push, ends[:, 1], pull)
        push -= _PULL * at * ideal
        length = np.maximum(np.linalg.norm(push, axis=1, keepdims=True), 1e-9)
        at = at + push / length * np.minimum(length, 0.1 * (1 - step / _ROUNDS))
    low, high = at.min(axis=0), at.max(axis=0)
    share = (at - low) / np.maximum(high - low, 1e-9)
    even = np.argsort(np.argsort(at, axis=0), axis=0) / max(count - 1, 1)
    room = np.array([WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN], np.float64)
    return np.asarray(_MARGIN + ((1 - _EVEN) * share + _EVEN * even) * room, np.float64)

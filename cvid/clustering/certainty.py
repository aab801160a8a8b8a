"""How sure each guess is: the similarity, margin and support of a track in its group, and how tight the group is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cvid.clustering.bars import cosine_at, measured_of
from cvid.clustering.graph import NeighbourIndex
from cvid.types import Doubles, Floats, Ints

_BLOCK = 1 << 23
_SURE_LOG10_FAR = -8
"""A link between few tracks is sure where one pair of strangers in 10⁸ is as similar: look-alikes reach 10⁻⁶."""
_SURE_VIDEOS = 2
_SURE_MARGIN = 0.05
"""Or where tracks of this many other videos speak for it, and nobody else comes this near."""


@dataclass(frozen=True, eq=False)
class Certainty:
    """What speaks for the group of each of n tracks, and how tight each of c groups is. NaN: nothing to compare with.

    `similarity` is the cosine with the mean of the group's other tracks, `margin` what that lies above the cosine with
    the nearest mean of another group. `linkage` is the mean of the cosines with the others, what average-link goes by.
    `support` counts the other tracks of the group that by themselves reach the bar, `videos` the videos beside its own
    that they are in. `nearest` is the most similar other track of the group, −1 where there is none.
    """

    similarity: Doubles  # (n,)
    margin: Doubles  # (n,)
    linkage: Doubles  # (n,)
    support: Ints  # (n,)
    videos: Ints  # (n,)
    nearest: Ints  # (n,), a row
    tightness: Doubles  # (c,), the mean cosine between its tracks


def certainty(template: Floats, video: Ints, labels: Ints, bar: float, chosen: NDArray[np.bool_]) -> Certainty:
    """Judge the members of some groups; the others' places are left empty.

    Args:
        template: float32 (n, d), unit length.
        video: int64 (n,), a number for the source of each track.
        labels: int64 (n,), the group of each track, 0 … c − 1, −1 = none.
        bar: the cosine from which one track supports another.
        chosen: bool (c,), which groups.
    """
    found = _empty(len(template), len(chosen))
    if not chosen.any():
        return found
    sums = group_sums(template, labels, len(chosen))
    size = np.bincount(labels[labels >= 0], minlength=len(chosen)).astype(np.float64)
    inner = np.einsum("cd,cd->c", sums, sums, dtype=np.float64)
    pairs = size * (size - 1)
    several = chosen & (size > 1)
    found.tightness[several] = ((inner - size) / np.maximum(pairs, 1))[several]
    rows = np.flatnonzero((labels >= 0) & several[labels])
    own = labels[rows]
    others = sums[own] - template[rows]
    found.similarity[rows] = np.einsum("nd,nd->n", template[rows], _unit(others))
    found.linkage[rows] = np.einsum("nd,nd->n", template[rows], others) / (size[own] - 1)
    if len(chosen) > 1:
        found.margin[rows] = found.similarity[rows] - _nearest_other(template[rows], _unit(sums), own)
    order = rows[np.argsort(own, kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        _judge_members(found, template, video, members, bar)
    return found


def confident(sure: Certainty, model: str) -> NDArray[np.bool_]:
    """(n,), is a track in its group with confidence? Not where it is alone, which says nothing."""
    alike = sure.linkage >= cosine_at(model, _SURE_LOG10_FAR)
    supported = (sure.videos >= _SURE_VIDEOS) & ~(sure.margin < _SURE_MARGIN)
    return np.asarray(~np.isnan(sure.linkage) & (alike | supported))


def chance_of_one(linkage: Doubles, bar: Doubles | float, model: str) -> Doubles:
    """How likely two groups of this mean similarity are one person, where it is even at the bar; by the calibration."""
    slope = sum(measured_of(model).slopes)
    return np.asarray(1 / (1 + np.exp(-slope * np.clip(linkage - bar, -1, 1))), np.float64)


def _empty(n: int, c: int) -> Certainty:
    similarity, margin, linkage = np.full((3, n), np.nan)
    support, videos = np.zeros((2, n), np.int64)
    return Certainty(similarity, margin, linkage, support, videos, np.full(n, -1, np.int64), np.full(c, np.nan))


def _judge_members(found: Certainty, template: Floats, video: Ints, members: Ints, bar: float) -> None:
    """Fill in who supports whom in one group; in blocks, for memory."""
    step = max(_BLOCK // max(len(members), 1), 1)
    for start in range(0, len(members), step):
        rows = members[start : start + step]
        alike = template[rows] @ template[members].T
        alike[np.arange(len(rows)), np.arange(start, start + len(rows))] = -2
        found.nearest[rows] = members[alike.argmax(axis=1)]
        for row, supporters in zip(rows, alike >= bar, strict=True):
            found.support[row] = supporters.sum()
            found.videos[row] = len(set(video[members[supporters]].tolist()) - {int(video[row])})


def group_sums(template: Floats, labels: Ints, count: int) -> Floats:
    """(c, d), the sum of each group's vectors."""
    inside = np.flatnonzero(labels >= 0)
    ones = np.ones(len(inside), np.float32)
    which = csr_array((ones, (labels[inside], inside)), (count, len(template)))
    return np.asarray(which @ template, np.float32)


def _nearest_other(vectors: Floats, means: Floats, own: Ints) -> Doubles:
    """(n,), the cosine with the nearest mean that is not one's own."""
    cosine, group = NeighbourIndex(means).search(vectors, 2)
    nearest = np.where(group[:, 0] == own, cosine[:, 1], cosine[:, 0])
    return np.asarray(nearest, np.float64)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)

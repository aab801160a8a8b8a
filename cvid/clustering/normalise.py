"""How much each track is like strangers in general, by a cohort of the archive's own people.

Some faces are like nearly everybody: of a group that the model knows badly, blurred, seen from the side. A cosine that
says much between two others says little there. Adaptive score normalisation (AS-norm) judges a pair by how alike its
sides are to those of a cohort whom they resemble most, here by their mean, less what strangers would show on average:
Matějka et al., Analysis of score normalization in multilingual speaker recognition, Interspeech 2017.
"""

from __future__ import annotations

import numpy as np

from cvid.clustering.bars import cosine_at
from cvid.types import Doubles, Floats, Ints, TrackSet

COHORT = 1000
"""People that everybody is compared with at most. 2,000 gave the same on footage among strangers, 500 let more of them
in."""
NEAREST = 30
"""Of these so many count for a track, the most similar ones (measured: 10 and 40 are a little worse on footage)."""
_PASSED_OVER = 1
"""The most similar one does not count: it may be the same person."""
_MOST_SHIFT = 0.15
_BLOCK = 1 << 13


def shifts(tracks: TrackSet, groups: Ints) -> Floats:
    """How much more alike each track is to its nearest strangers than tracks are in general, float32 (n,), a cosine.

    Args:
        groups: int64 (n,), who is taken for one person so far: nobody is a stranger to their own.
    """
    rows, others = _cohort(tracks, groups)
    wanted = NEAREST + _PASSED_OVER
    count = len(rows) + len(others)
    if count <= wanted:  # too few to say anything
        return np.zeros(len(tracks), np.float32)
    expected = cosine_at(tracks.model, float(np.log10((_PASSED_OVER + NEAREST / 2) / count)))
    cohort = np.concatenate([tracks.template[rows], others])
    nearest = np.concatenate(
        [
            _nearest(tracks.template[start : start + _BLOCK], cohort, groups[start : start + _BLOCK], groups[rows])
            for start in range(0, len(tracks), _BLOCK)
        ]
    )
    return np.asarray(np.clip(nearest - expected, -_MOST_SHIFT, _MOST_SHIFT), np.float32)


def _cohort(tracks: TrackSet, groups: Ints) -> tuple[Ints, Floats]:
    """The clearest track of people here, as rows, and vectors of people who are elsewhere in the archive.

    Where only a part of the archive is looked at, both are represented by their share of it.
    """
    order = np.lexsort((-tracks.quality, groups))
    rows = order[np.unique(groups[order], return_index=True)[1]]
    here = round(COHORT * len(tracks) / max(tracks.size, len(tracks), 1))
    return rows[_spread(len(rows), here)], tracks.others[_spread(len(tracks.others), COHORT - here)]


def _spread(count: int, most: int) -> Ints:
    """At most so many of `count` places, evenly spread."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)


def _nearest(vectors: Floats, cohort: Floats, groups: Ints, of_cohort: Ints) -> Doubles:
    """The mean of the nearest strangers' cosines; the first members of the cohort are of these groups."""
    cosine = vectors @ cohort.T
    cosine[:, : len(of_cohort)][groups[:, None] == of_cohort] = -1
    wanted = NEAREST + _PASSED_OVER
    best = np.sort(np.partition(cosine, -wanted, axis=1)[:, -wanted:], axis=1)
    return np.asarray(best[:, :NEAREST].mean(axis=1), np.float64)

"""A face and its mirror image are two views of one person; which of them an embedder looks at.

The mean of both is better than either. Of a track, whose faces are averaged anyway, the three best are seen both ways
and the others as they are and as mirror images in turn, which does as well at less cost (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvid.types import Bytes, Floats, Ints

PLAIN, MIRRORED, BOTH = 1, 2, 3

_BOTH_WAYS = 3
"""So many of a track's faces are seen both ways. With two, or none, lookalikes-22 loses a link (docs/LOG.md)."""


def in_turn(count: int) -> list[int]:
    """The views for the faces of one track, best first."""
    return [BOTH if place < _BOTH_WAYS else (PLAIN, MIRRORED)[place % 2] for place in range(count)]


def viewed(crops: Sequence[Bytes], views: Sequence[int] | None) -> tuple[list[Bytes], Ints]:
    """What the network looks at, each uint8 (h, w, 3), and int64 (m,), the crop that it shows.

    Args:
        crops: n crops, uint8 (h, w, 3).
        views: n views; None for both of every crop.
    """
    pictures: list[Bytes] = []
    shows: list[int] = []
    for place, crop in enumerate(crops):
        view = BOTH if views is None else views[place]
        pictures += [crop] * bool(view & PLAIN) + [np.ascontiguousarray(crop[:, ::-1])] * bool(view & MIRRORED)
        shows += [place] * view.bit_count()
    return pictures, np.array(shows, np.int64)


def summed(vectors: Floats, shows: Ints, count: int) -> Floats:
    """The sum of the vectors of each crop's views, float32 (count, d)."""
    total = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(total, shows, vectors)
    return total

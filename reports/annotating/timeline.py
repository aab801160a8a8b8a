"""The strip at the bottom of an annotated video: where each person appears in it, and where it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cvid.types import Bytes
from reports.annotating.canvas import Canvas, Look
from reports.annotating.colours import BLACK, WHITE, Rgb

_ROWS_A_PICTURE = 90
_MOST = 0.125
"""Share of the picture that the strip may take."""
_GROUND = 16
"""Brightness that the picture behind the strip is darkened towards."""

Spans = Sequence[tuple[float, float]]
"""From when to when somebody is seen, s."""


class Timeline:
    """One row a person, those seen longest if there are too many.

    Args:
        people: the colour of a person → when; in the order of the rows.
        duration_s: of the video.
    """

    def __init__(self, people: Mapping[str, tuple[Rgb, Spans]], duration_s: float, look: Look) -> None:
        self._duration_s, self._look = max(duration_s, 1e-3), look
        room_px = int(look.height * _MOST) // 2 * 2
        row_px = max(int(min(look.height / _ROWS_A_PICTURE, room_px / max(len(people), 1))) // 2 * 2, 2)
        by_time = sorted(people, key=lambda person: -sum(end - start for start, end in people[person][1]))
        chosen = set(by_time[: room_px // row_px])
        self.left_out = len(people) - len(chosen)
        self._rows = [people[person] for person in people if person in chosen]
        self.height = len(self._rows) * row_px
        self._row_px = row_px
        self._line_px = max(round(look.height / 540), 1) * 2
        self._ground, self._paint = self._painted()

    def _painted(self) -> tuple[tuple[Bytes, ...], tuple[Bytes, ...]]:
        """Of each plane, where the picture shines through (0 or 1), and what is added to it."""
        wide, high = self._look.width, self.height
        shapes = ((high, wide), (high // 2, wide // 2), (high // 2, wide // 2))
        through = tuple(np.ones(shape, np.uint8) for shape in shapes)
        added = tuple(
            np.full(shape, level, np.uint8) for shape, level in zip(shapes, (_GROUND * 3 // 4, 96, 96), strict=True)
        )
        for number, (colour, spans) in enumerate(self._rows):
            top, bottom = number * self._row_px, (number + 1) * self._row_px - (2 if self._row_px > 2 else 0)
            for start_s, end_s in spans:
                left, right = self._at(start_s), max(self._at(end_s), self._at(start_s) + 2)
                for plane, value in enumerate(self._look.matrix.yuv(colour)):
                    by = 2 if plane else 1
                    part = slice(top // by, bottom // by), slice(left // by, right // by)
                    through[plane][part], added[plane][part] = 0, value
        return through, added

    def draw(self, canvas: Canvas) -> None:
        """Lay the strip over the bottom of a picture."""
        if not self._rows:
            return
        top = canvas.height - self.height
        regions = canvas.regions((0, top, canvas.width, canvas.height))
        for region, through, added in zip(regions, self._ground, self._paint, strict=True):
            region[:] = (region >> 2) * through + added
        now = self._at(canvas.time_s)
        dark, bright = (self._look.matrix.yuv(colour) for colour in (BLACK, WHITE))
        canvas.fill(now - self._line_px, top, now + 2 * self._line_px, canvas.height, dark)
        canvas.fill(now, top, now + self._line_px, canvas.height, bright)

    def _at(self, time_s: float) -> int:
        """The column of a moment, even px."""
        share = min(max(time_s / self._duration_s, 0.0), 1.0)
        return int(share * (self._look.width - self._line_px)) // 2 * 2

"""Faces as widgets: in half blocks or letters, or as real pictures where the terminal can draw them."""

from __future__ import annotations

from typing import Any

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from reports.review.blocks import face_rows


class Face(Widget):
    """The picture of one appearance, as large as its place."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._jpeg: bytes | None = None
        self._empty = True
        self._drawn: tuple[int, int, list[list[Segment]]] | None = None

    def show(self, jpeg: bytes | None) -> None:
        """Show another picture; None says that there is none."""
        self._jpeg, self._empty, self._drawn = jpeg, False, None
        self.refresh()

    def clear(self) -> None:
        """Show nothing."""
        self._jpeg, self._empty, self._drawn = None, True, None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        width, height = self.size
        if self._empty:
            return Strip.blank(width, self.rich_style)
        if self._drawn is None or self._drawn[:2] != (width, height):
            self._drawn = width, height, face_rows(self._jpeg, width, height, not self.app.no_color)
        rows = self._drawn[2]
        if y >= len(rows):
            return Strip.blank(width, self.rich_style)
        return Strip(list(Segment.apply_style(rows[y], self.rich_style))).adjust_cell_length(width, self.rich_style)

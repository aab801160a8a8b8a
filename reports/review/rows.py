"""A list in the terminal of which only the rows on the screen are drawn, so that thousands cost nothing."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

_CONSOLE = Console(color_system="truecolor", legacy_windows=False)


class Rows(ScrollView, can_focus=True):
    """Rows with a cursor; subclasses say how many there are and how each looks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
    ]
    cursor: reactive[int] = reactive(0, init=False)

    class Moved(Message):
        """The cursor is on another row, or the rows have changed."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> Rows:
            """The list."""
            return self.rows

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row_text(self, row: int, width: int) -> Text:
        """How a row looks."""
        raise NotImplementedError

    def refill(self, cursor: int = 0) -> None:
        """The rows have changed; the cursor goes to the one given."""
        count = self.row_count()
        self.virtual_size = Size(0, count)
        cursor = max(min(cursor, count - 1), 0)
        if cursor == self.cursor:
            self._show_cursor()
            self.post_message(self.Moved(self))
        self.cursor = cursor
        self.refresh()

    def watch_cursor(self) -> None:
        """Keep it on the screen, and tell."""
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved(self))

    def action_move(self, step: int) -> None:
        """Up or down."""
        self.cursor = max(min(self.cursor + step, self.row_count() - 1), 0)

    def action_page(self, step: int) -> None:
        """A screen up or down."""
        self.action_move(step * max(self.size.height - 1, 1))

    def action_jump(self, row: int) -> None:
        """To the first or the last row."""
        self.cursor = max(self.row_count() - 1, 0) if row < 0 else 0

    def on_click(self, event: Click) -> None:
        """A click moves the cursor."""
        place = event.get_content_offset(self)
        if place and self.scroll_offset.y + place.y < self.row_count():
            self.cursor = self.scroll_offset.y + place.y

    def render_line(self, y: int) -> Strip:
        """One row on the screen."""
        width, row = self.scrollable_content_region.width, self.scroll_offset.y + y
        base = self.rich_style
        if row >= self.row_count():
            return Strip.blank(width, base)
        text = self.row_text(row, width)
        text.truncate(width, overflow="ellipsis", pad=True)
        here = Style(reverse=True, bold=self.has_focus) if row == self.cursor else Style()
        segments = Segment.apply_style(text.render(_CONSOLE, end=""), base, here)
        return Strip(list(segments), width).adjust_cell_length(width, base)

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

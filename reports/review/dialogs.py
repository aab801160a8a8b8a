"""The small screens over the review: a line to type, and the help."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

HELP = """\
People, left
  up, down, page up, page down, home, end   move       tab      go to the log, and back
  /   search by id, name or status          S          sort by id, appearances, doubt, name

The person under the cursor
  N   name                                  m          merge with another
  c   confirm: all are this person          x          the marked appearances are somebody else
  p   split the marked ones off, as one other person
  space (in the log)   mark an appearance; without marks the one under the cursor is meant
  o   play the video at that second

The question below
  y   yes      n   no      s   skip, ask later      z   larger, and back
  1 to 9   mark the faces that are not of the person    enter   done

  u   undo the last answer or decision      ?   this help      q   leave; everything is kept

A match is a lead to check, never proof. "similar" compares an appearance with the others of the person, "margin" is
what that lies above the nearest other person.
"""


class Help(ModalScreen[None]):
    """The keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """The text, which scrolls where it is longer than the screen."""
        with VerticalScroll(id="help"):
            yield Static(HELP, markup=False)


class Line(ModalScreen[str | None]):
    """A line to type; None where it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, label: str, value: str = "") -> None:
        super().__init__()
        self._label, self._value = label, value

    def compose(self) -> ComposeResult:
        """What is asked, and the line."""
        with Vertical(id="line"):
            yield Static(Text(self._label), markup=False)
            yield Input(self._value)
            yield Static("enter: done · escape: leave it", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """It is typed."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(None)

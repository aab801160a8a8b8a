"""Real pictures where the terminal draws them (kitty's protocol or sixel), by the optional package textual-image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import ComposeResult
from textual.containers import Center
from textual.widget import Widget

from cvid.opencv import cv2
from reports.review.blocks import decoded
from reports.review.faces import Face

Maker = Callable[..., Any]


def face_maker(plain: bool) -> Maker:
    """What draws a face: a class of widgets with `show` and `clear`. It asks the terminal, so call it before the app.

    Args:
        plain: blocks of colour wherever it runs.
    """
    if plain:
        return Face
    try:
        from textual_image import widget
        from textual_image.renderable import Image, sixel, tgp
    except Exception:  # noqa: BLE001 - not installed, or the terminal answers it with nonsense: blocks do
        return Face
    if Image is not sixel.Image and Image is not tgp.Image:
        return Face
    return lambda **named: Picture(widget.Image, **named)


class Picture(Center):
    """A face drawn by the terminal itself; where there is none, what `Face` shows."""

    def __init__(self, drawn: Callable[..., Widget], **named: Any) -> None:
        super().__init__(**named)
        self._drawn = drawn

    def compose(self) -> ComposeResult:
        """One of the two is seen."""
        yield self._drawn(classes="drawn")
        yield Face()

    def show(self, jpeg: bytes | None) -> None:
        """Show another picture; None says that there is none."""
        from PIL import Image

        picture, note = decoded(jpeg), self.query_one(Face)
        note.display = picture is None
        real = self.query_one(".drawn")
        real.display = picture is not None
        if picture is None:
            note.show(None)
        else:
            real.image = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))  # type: ignore[attr-defined]

    def clear(self) -> None:
        """Show nothing."""
        self.query_one(".drawn").display = False
        self.query_one(Face).display = True
        self.query_one(Face).clear()

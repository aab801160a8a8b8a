"""Pictures of faces as terminal cells: two pixels in each, in colour; or letters of different weight without it."""

from __future__ import annotations

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from cvid.opencv import cv2
from cvid.types import Bytes

_RAMP = " .:-=+*#%@"
_UPPER_HALF = "▀"
MISSING = "no picture"


def decoded(jpeg: bytes | None) -> Bytes | None:
    """The picture in a JPEG file, uint8 (h, w, 3) BGR; None where it is missing or broken."""
    if not jpeg:
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def face_rows(jpeg: bytes | None, width: int, height: int, colour: bool = True) -> list[list[Segment]]:
    """A face as `height` rows of `width` cells, in its proportions, centred; of a missing or broken one a note."""
    picture = decoded(jpeg)
    if picture is None or width < 1 or height < 1:
        return _note(width, height)
    high, wide = picture.shape[:2]
    scale = min(width / wide, 2 * height / high)  # a cell is two pixels high
    columns, rows = max(min(round(wide * scale), width), 1), max(min(round(high * scale / 2), height), 1)
    small = cv2.resize(picture, (columns, 2 * rows), interpolation=cv2.INTER_AREA)
    cells = _coloured(small) if colour else _weighed(small)
    left, top = (width - columns) // 2, (height - rows) // 2
    blank = [Segment(" " * width)]
    framed = [[Segment(" " * left), *row, Segment(" " * (width - columns - left))] for row in cells]
    return [blank] * top + framed + [blank] * (height - rows - top)


def face_text(jpeg: bytes | None, width: int, height: int, colour: bool = True) -> Text:
    """The same as one text, for printing."""
    text = Text(no_wrap=True)
    for number, row in enumerate(face_rows(jpeg, width, height, colour)):
        text.append("\n" if number else "")
        for segment in row:
            text.append(segment.text, segment.style)
    return text


def _coloured(small: Bytes) -> list[list[Segment]]:
    rows = []
    for upper, lower in zip(small[0::2].tolist(), small[1::2].tolist(), strict=True):
        row = []
        for (b, g, r), (b2, g2, r2) in zip(upper, lower, strict=True):
            style = Style(color=Color.from_rgb(r, g, b), bgcolor=Color.from_rgb(r2, g2, b2))
            row.append(Segment(_UPPER_HALF, style))
        rows.append(row)
    return rows


def _weighed(small: Bytes) -> list[list[Segment]]:
    luma = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low, high = float(luma.min()), float(luma.max())
    level = (luma[0::2] + luma[1::2]) / 2
    place = np.clip((level - low) / max(high - low, 1.0) * len(_RAMP), 0, len(_RAMP) - 1).astype(int)
    return [[Segment("".join(_RAMP[value] for value in row))] for row in place.tolist()]


def _note(width: int, height: int) -> list[list[Segment]]:
    blank = [Segment(" " * max(width, 0))]
    rows = [blank] * max(height, 0)
    if rows:
        rows[len(rows) // 2] = [Segment(MISSING[: max(width, 0)].center(max(width, 0)))]
    return rows

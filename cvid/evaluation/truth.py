"""One's own word on who appears where: a csv of appearances."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np

from cvid.errors import LabelsError
from cvid.types import Doubles, Ints, check

TIMES, BOX, WAY = ("start_s", "end_s"), ("x1", "y1", "x2", "y2"), ("dx", "dy")
COLUMNS = ("video", "person", *TIMES, *BOX, *WAY)
NEEDED = ("video", "person")
ALWAYS = (0.0, 1e9)
"""The times of an appearance that gives none: the whole video."""
_SHOWN = 60


@dataclass(frozen=True, eq=False)
class Truth:
    """The t appearances of a file, in its order."""

    path: str  # of the file, for messages
    line: Ints  # (t,), where in the file
    video: Sequence[str]  # as the file names it
    person: Sequence[str]
    start_s: Doubles  # (t,); `ALWAYS` where there are no times
    end_s: Doubles  # (t,)
    xyxy: Doubles  # (t, 4), px in the middle of the time; NaN where the person is alone on screen
    way: Doubles  # (t, 2), px that the box moves over the time

    def __post_init__(self) -> None:
        t = len(self.line)
        check("Truth.line", self.line, np.int64, (t,))
        check("Truth.start_s", self.start_s, np.float64, (t,))
        check("Truth.end_s", self.end_s, np.float64, (t,))
        check("Truth.xyxy", self.xyxy, np.float64, (t, 4))
        check("Truth.way", self.way, np.float64, (t, 2))

    def __len__(self) -> int:
        return len(self.line)


def read_truth(path: Path) -> Truth:
    """Read a csv with the columns `video,person,start_s,end_s,x1,y1,x2,y2,dx,dy`, all but the first two optional.

    Raises:
        LabelsError: it cannot be read or a line makes no sense; the message names it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            numbered = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except OSError as exc:
        raise LabelsError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
    except (ValueError, csv.Error) as exc:
        raise LabelsError(f"{path}: not a csv file in UTF-8 ({exc})") from exc
    numbered = [(number, row) for number, row in numbered if any(row)]
    if not numbered:
        raise LabelsError(f"{path}: it is empty; it must begin with a line of column names: {','.join(COLUMNS)}")
    header = numbered[0][1]
    _check_header(path, header)
    if len(numbered) == 1:
        raise LabelsError(f"{path}: there are no appearances in it, only column names")
    return _truth(path, [_Line(path, number, header, row) for number, row in numbered[1:]])


class _Line:
    """A line of the file and its cells by name."""

    def __init__(self, path: Path, number: int, header: Sequence[str], row: Sequence[str]) -> None:
        self.number, self._at = number, f"{path}: line {number}"
        if len(row) != len(header):
            raise LabelsError(f"{self._at} has {len(row)} cells, and the line of column names has {len(header)}")
        self._cells = dict(zip(header, row, strict=True))

    def text(self, column: str) -> str:
        """A cell that must be filled."""
        if not self._cells[column]:
            raise LabelsError(f"{self._at}: {column} is empty")
        return self._cells[column]

    def numbers(self, columns: Sequence[str]) -> tuple[float, ...] | None:
        """Cells that are all filled, or None where none is."""
        filled = [column for column in columns if self._cells.get(column)]
        if filled and len(filled) < len(columns):
            raise LabelsError(f"{self._at}: {', '.join(columns)} must be given together, or none of them")
        return tuple(self._number(column) for column in columns) if filled else None

    def rising(self, values: Sequence[float], low: str, high: str, least: float = 0.0) -> None:
        """Is the second value more than the first one by at least this?"""
        if values[1] - values[0] < least:
            raise LabelsError(f"{self._at}: {high} {values[1]:g} must lie behind {low} {values[0]:g}")

    def refuse(self, why: str) -> LabelsError:
        """The error of this line."""
        return LabelsError(f"{self._at}: {why}")

    def _number(self, column: str) -> float:
        text = self._cells[column]
        try:
            value = float(text)
        except ValueError:
            value = nan
        if not isfinite(value):
            raise LabelsError(f"{self._at}: {column} must be a number, and is {text[:_SHOWN]!r}")
        return value


def _check_header(path: Path, header: Sequence[str]) -> None:
    for place, column in enumerate(header):
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it may have: {', '.join(COLUMNS)}"
            raise LabelsError(f"{path}: there is no column {column[:_SHOWN]!r} in a truth file; {hint}")
        if column in header[:place]:
            raise LabelsError(f"{path}: it has two columns named {column!r}")
    for column in NEEDED:
        if column not in header:
            raise LabelsError(f"{path}: the column {column!r} is missing; it has: {', '.join(header)}")


def _truth(path: Path, lines: Sequence[_Line]) -> Truth:
    videos, people, times, boxes, ways = [], [], [], [], []
    for line in lines:
        videos.append(line.text("video"))
        people.append(line.text("person"))
        time, box, way = line.numbers(TIMES), line.numbers(BOX), line.numbers(WAY)
        if time:
            line.rising(time, *TIMES)
        if box:
            line.rising(box[0::2], "x1", "x2", least=1e-6)
            line.rising(box[1::2], "y1", "y2", least=1e-6)
        if way and not (time and box):
            raise line.refuse("dx and dy say how a box moves over a time, and need both")
        times.append(time or ALWAYS)
        boxes.append(box or (nan,) * 4)
        ways.append(way or (0.0, 0.0))
    start_s, end_s = np.array(times).T.copy()
    numbers = np.array([line.number for line in lines], np.int64)
    return Truth(str(path), numbers, videos, people, start_s, end_s, np.array(boxes), np.array(ways))

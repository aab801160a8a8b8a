"""What is drawn at each moment of a video: boxes with names, and the timeline; and whom a wish covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.trails import Trail
from reports.annotating.canvas import Canvas, Look, Patch
from reports.annotating.colours import Yuv, colour_of, text_on
from reports.annotating.fonts import Letterer
from reports.annotating.present import Present
from reports.annotating.timeline import Timeline
from reports.annotating.ways import Way

_SLACK_S = 0.01
_LINES_A_PICTURE = 32
_SMALLEST_LINE_PX = 16
_SMALLEST_LABEL_PX = 200

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Wish:
    """Whose faces are covered ("", "all", "others", "unnamed"), and to whom boxes are limited; by default to nobody."""

    blur: str = ""
    only: frozenset[str] = frozenset()

    def covers(self, trail: Trail) -> bool:
        """Is the face covered? Whoever is left to be seen must surely be that person."""
        if self.blur in ("", "all"):
            return bool(self.blur)
        return not self.spares(trail) or trail.certainty == "doubtful"

    def spares(self, trail: Trail) -> bool:
        """Is it taken for somebody who is left to be seen?"""
        return trail.identity in self.only if self.blur == "others" else bool(trail.name)

    def draws(self, trail: Trail) -> bool:
        """Does the face get a box?"""
        return not self.covers(trail) and (not self.only or trail.identity in self.only)


@dataclass(frozen=True, eq=False)
class _Boxed:
    way: Way
    trail: Trail
    colour: Yuv


class Scene:
    """Draws boxes, names and the timeline into the pictures of one video, in their order.

    Args:
        drawn: who gets a box.
        look: of the film.
        duration_s: of the video.
        max_gap_s: how far apart sightings of one track may be.
        font: a font file for names that is tried first.
    """

    def __init__(
        self, drawn: Sequence[Trail], look: Look, duration_s: float, max_gap_s: float, font: Path | None = None
    ) -> None:
        self._look = look
        self._thick = max(round(look.height / 540), 1) * 2
        self._letterer = Letterer(max(look.height // _LINES_A_PICTURE, _SMALLEST_LINE_PX), font)
        self._labels: dict[tuple[str, str], Patch | None] = {}
        boxed = [_Boxed(Way(t.track, max_gap_s), t, look.matrix.yuv(colour_of(t.identity))) for t in drawn]
        self._boxes = Present((one.way.start_s - _SLACK_S, one.way.end_s + _SLACK_S, one) for one in boxed)
        named = {trail.identity: trail.name for trail in drawn if trail.identity}
        rows = {
            identity: (
                colour_of(identity),
                [span for one in boxed if one.trail.identity == identity for span in one.way.shown()],
            )
            for identity in sorted(named, key=lambda identity: (len(identity), identity))
        }
        self.timeline = Timeline(rows, duration_s, look)
        self.replaced = sorted(identity for identity, name in named.items() if not self._letterer.can_draw(name))

    def draw(self, canvas: Canvas) -> None:
        """Draw all that belongs into a picture."""
        taken: list[Box] = []
        here = [(one, one.way.at(canvas.time_s)) for one in self._boxes.at(canvas.time_s)]
        boxes = [(one, canvas.pixels(box)) for one, box in here if box is not None]
        for one, place in boxes:
            canvas.outline(place, self._thick, one.colour)
        for one, place in boxes:
            label = self._label_of(one.trail)
            if label:
                self._lay(canvas, label, place, taken)
        self.timeline.draw(canvas)

    def _label_of(self, trail: Trail) -> Patch | None:
        """The name and how sure it is; None where it is nobody's, and where the picture is too small."""
        likeness = "" if trail.similarity is None else f"{trail.similarity:.2f}"
        tail = " ".join(filter(None, (likeness, "doubtful" if trail.certainty == "doubtful" else "")))
        key = trail.identity, tail
        if key not in self._labels:
            self._labels[key] = self._written(trail, tail) if trail.identity else None
        return self._labels[key]

    def _written(self, trail: Trail, tail: str) -> Patch | None:
        colour = colour_of(trail.identity)
        name = self._letterer.label(trail.name, trail.identity)
        width = min(max(self._look.width // 2, _SMALLEST_LABEL_PX), self._look.width)
        picture = self._letterer.draw(name, tail, width, text_on(colour), colour)
        fits = picture.shape[0] <= self._look.height and picture.shape[1] <= self._look.width
        return Patch.of(picture, self._look.matrix) if fits else None

    def _lay(self, canvas: Canvas, label: Patch, box: Box, taken: list[Box]) -> None:
        """Lay a label above the box, or where else it fits best, and never beyond the picture."""
        width, height = label.size
        left, lowest = min(box[0], canvas.width - width), canvas.height - height - self.timeline.height
        tops = (box[1] - height, box[3], box[1], box[3] - height)
        places = [(left, max(min(top, lowest), 0)) for top in tops]
        free = [(x, y) for x, y in places if not any(_meet((x, y, x + width, y + height), other) for other in taken)]
        x, y = (free or places)[0]
        taken.append((x, y, x + width, y + height))
        canvas.lay(label, x, y)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

"""explain(video): frame by frame, what was decided and what was found. The index walks the same steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cvid.analyse import Parts, look
from cvid.frames import FrameSelector
from cvid.places import Place
from cvid.settings import Settings
from cvid.tracking import Tracker
from cvid.video import FrameReader, probe


@dataclass(frozen=True)
class Explained:
    """One frame, what was decided on it and found in it."""

    index: int
    time_s: float
    flow: float  # since the last analysed frame, in picture widths
    luma: float  # of the brightest percent, 0..255
    kept: bool
    reason: str  # see `cvid.frames`
    faces: int
    tracks: tuple[int, ...]  # numbers of the tracks that have a face in this frame, 1 for the first of the video


def explain(path: Place, parts: Parts, settings: Settings) -> Iterator[Explained]:
    """Look at a video as `analyse` does, without embedding anybody.

    Raises:
        VideoError: the file cannot be decoded.
    """
    selector, tracker = FrameSelector(settings.selection), Tracker(settings.tracking, settings.faces)
    for frame, d in selector.select(FrameReader(path, probe(path), which=settings.selection.decode)):
        if d.cut:
            tracker.end_shot()
        found = 0
        visible: tuple[int, ...] = ()
        if d.keep:
            faces, chips, quality = look(frame, parts.detector)
            tracker.update(frame.time_s, frame.index, faces, chips, quality)
            found, visible = len(faces), tuple(tracker.visible())
        elif d.hold:
            tracker.hold(frame.time_s, frame.index)
            visible = tuple(tracker.visible())
        yield Explained(frame.index, frame.time_s, d.flow, d.luma, d.keep, d.reason, found, visible)

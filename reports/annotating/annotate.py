"""Annotate a video: everything that is known of the faces in it is drawn into a copy, or the faces are covered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from archive.trails import Indexed, Trail
from cvid.detectors import Detector
from cvid.types import Track
from cvid.video import FrameReader, Picture, probe
from reports.annotating.ahead import Ahead
from reports.annotating.canvas import Canvas, Look
from reports.annotating.covers import Covers
from reports.annotating.film import Film
from reports.annotating.output import written_beside
from reports.annotating.scene import Scene, Wish
from reports.annotating.shots import NONE, Cuts, Sight, delayed, watched

_HOLD_S = 1.0
"""A cover is held for so long before and after its track: at balanced speed there is a look at least so often."""
_REPORT_EVERY_S = 0.2


@dataclass(frozen=True, eq=False)
class Cast:
    """Who is seen in a video, as the catalogue has it: its tracks, and those of people who were forgotten."""

    indexed: Indexed
    trails: list[Trail]
    erased: list[Track]


@dataclass(frozen=True)
class Step:
    """How far annotating is."""

    frames: int
    time_s: float
    duration_s: float


@dataclass(frozen=True)
class Outcome:
    """What was written."""

    frames: int
    duration_s: float  # of the pictures
    seconds: float  # that it took
    drawn: list[Trail]
    covered: int  # appearances, those of forgotten people included
    found: int  # faces that a second look found beside them, each at one moment
    sound: list[str]  # "copied" or "encoded", a stream
    damage: str  # empty where the source was read to its end
    replaced: list[str]  # people whose names no font here can draw
    left_out: int  # people for whom the timeline has no room


def annotate(
    source: Path,
    cast: Cast,
    wish: Wish,
    output: Path,
    hook: Callable[[Step], None] | None = None,
    font: Path | None = None,
    detector: Detector | None = None,
) -> Outcome:
    """Write an annotated copy of a video, wholly or not at all.

    Args:
        source: the video; only ever read.
        output: the file to write; `check_output` says whether it may be.
        hook: told a few times a second how far it is.
        font: a font file for names that is tried first.
        detector: looks for faces that are neither covered nor spared, where the wish is to cover any.

    Raises:
        VideoError: not a single picture can be decoded.
        AnnotatingError: the output cannot be written.
    """
    with written_beside(output) as part:
        work = _Work(source, cast, wish, output, font, detector)
        return work.run(part, hook or (lambda step: None))


class _Work:
    """One video on its way from the source to the file."""

    def __init__(
        self, source: Path, cast: Cast, wish: Wish, output: Path, font: Path | None, detector: Detector | None
    ) -> None:
        self._source, self._cast, self._wish, self._output, self._font = source, cast, wish, output, font
        self._detector = detector
        self._drawn = [trail for trail in cast.trails if wish.draws(trail)]
        self._covered = [trail.track for trail in cast.trails if wish.covers(trail)] + (
            cast.erased if wish.blur else []
        )
        self._hold_s = max(_HOLD_S, cast.indexed.floor_s)

    def run(self, part: Path, hook: Callable[[Step], None]) -> Outcome:
        started = reported = time.perf_counter()
        duration_s = self._cast.indexed.duration_s
        reader = FrameReader(self._source, probe(self._source))
        cuts = Cuts()
        covers = self._covers(cuts)
        with Ahead(self._sights(reader)) as sights:
            pictures = delayed(sights, self._hold_s if self._wish.blur else 0.0, cuts, covers.take)
            first = next(pictures)  # there is one, or the reader has said why not
            look = Look.of(first)
            scene = Scene(self._drawn, look, duration_s, self._cast.indexed.max_gap_s, self._font)
            frames = 0
            with self._film(part, first, look) as film:
                for picture in chain([first], pictures):
                    canvas = Canvas(picture, look)
                    covers.draw(canvas)
                    scene.draw(canvas)
                    film.write(canvas, _lasts_s(picture))
                    frames += 1
                    if time.perf_counter() - reported > _REPORT_EVERY_S:
                        reported = time.perf_counter()
                        hook(Step(frames, picture.time_s, duration_s))
        hook(Step(frames, picture.time_s, duration_s))
        return Outcome(
            frames=frames,
            duration_s=picture.time_s + _lasts_s(picture),
            seconds=time.perf_counter() - started,
            drawn=self._drawn,
            covered=len(self._covered),
            found=covers.found,
            sound=film.sound.kept,
            damage=reader.damage or ("the sound is damaged" if film.sound.damaged else ""),
            replaced=scene.replaced,
            left_out=scene.timeline.left_out,
        )

    def _sights(self, reader: FrameReader) -> Iterator[Sight]:
        pictures = reader.pictures(threads=0)
        if self._wish.blur:
            return watched(pictures, self._detector)
        return (Sight(picture, False, NONE) for picture in pictures)

    def _covers(self, cuts: Cuts) -> Covers:
        spared = [trail.track for trail in self._cast.trails if not self._wish.covers(trail)]
        return Covers(self._covered, spared, self._hold_s, cuts)

    def _film(self, part: Path, first: Picture, look: Look) -> Film:
        turned = first.pose.quarter_turns % 2 == 1
        return Film(part, self._output, self._source, look, turned, with_metadata=not self._wish.blur)


def _lasts_s(picture: Picture) -> float:
    """For how long a picture is shown; 0 where the file does not tell."""
    frame = picture.decoded
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0

"""analyse(video) → VideoAnalysis: the path from a file to its tracks. Knows nothing of where they will be stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cvid.chips import cut_chip
from cvid.detectors import Detector
from cvid.embedders import Embedder
from cvid.frames import FrameSelector
from cvid.pieces import LooseTrack, Piece
from cvid.places import Place
from cvid.quality import judge
from cvid.seams import join
from cvid.settings import Settings
from cvid.spans import WHOLE, Span
from cvid.templates import described, embed
from cvid.tracking import OpenTrack, Tracker
from cvid.types import FaceChip, Faces, Floats, Frame, TrackAnalysis, VideoAnalysis, VideoInfo
from cvid.video import FrameReader, probe

_REPORT_EVERY_S = 0.2


@dataclass(frozen=True)
class Parts:
    """The networks that look at the frames."""

    detector: Detector
    embedder: Embedder


@dataclass(frozen=True)
class Progress:
    """How far the analysis of one video is."""

    time_s: float
    duration_s: float
    decoded: int
    analysed: int
    faces: int
    reasons: dict[str, int]


def analyse(
    path: Place, sha256: str, parts: Parts, settings: Settings, hook: Callable[[Progress], None] | None = None
) -> VideoAnalysis:
    """See who is in one video or photograph, all of it in one go.

    Args:
        path: the file; only ever read.
        sha256: its key, stored with the result.
        parts: the networks.
        hook: called a few times a second.

    Raises:
        VideoError: the file cannot be decoded.
    """
    return join([analyse_span(path, probe(path, sha256), parts, settings, WHOLE, hook)], settings)


def analyse_span(
    path: Place,
    info: VideoInfo,
    parts: Parts,
    settings: Settings,
    span: Span,
    hook: Callable[[Progress], None] | None = None,
) -> Piece:
    """See who is in one span of a video, for `cvid.seams.join`.

    Args:
        info: what `probe` said of the file; its sha256 is stored with the result.
        hook: called a few times a second; its times count from the beginning of the span.

    Raises:
        VideoError: the file cannot be opened; or, of the whole, not decoded.
        IndivisibleError: it cannot be looked through in spans.
    """
    look_through = _LookThrough(path, info, parts, settings, span)
    look_through.run(hook)
    return look_through.piece()


class _LookThrough:
    """One span of one video, from its frames to its tracks."""

    def __init__(self, path: Place, info: VideoInfo, parts: Parts, settings: Settings, span: Span) -> None:
        self._info, self._parts, self._settings, self._whole = info, parts, settings, span.whole
        self._reader = FrameReader(path, info, span, settings.selection.decode)
        self._selector = FrameSelector(settings.selection)
        self._tracker = Tracker(settings.tracking, settings.faces)
        self._space = parts.embedder.embed([])
        self._tracks: list[TrackAnalysis] = []
        self._loose: list[LooseTrack] = []
        self._found = self._analysed = 0
        self._shots = 0
        self._seconds = 0.0

    def run(self, hook: Callable[[Progress], None] | None) -> None:
        """Look through it."""
        started = reported = time.perf_counter()
        for frame, decision in self._selector.select(self._reader):
            if decision.cut:
                self._take(self._tracker.end_shot())
                self._shots += 1
            if decision.keep:
                self._look(frame)
            elif decision.hold:
                self._tracker.hold(frame.time_s, frame.index)
            if hook and time.perf_counter() - reported > _REPORT_EVERY_S:
                reported = time.perf_counter()
                hook(self._progress(frame.time_s))
        self._take(self._tracker.end_shot(), closes=True)
        if hook:
            hook(self._progress(self._reader.course.time_s))
        self._seconds = time.perf_counter() - started

    def piece(self) -> Piece:
        """What was seen."""
        return Piece(
            info=self._info,
            begins_s=self._reader.begins_s,
            ends_s=self._reader.ends_s,
            frames=self._reader.count,
            space=self._space,
            tracks=self._tracks,
            loose=self._loose,
            first=self._selector.first,
            last=self._selector.last,
            counts=self._selector.counts(),
            faces=self._found,
            seconds=self._seconds,
            course=self._reader.course,
        )

    def _look(self, frame: Frame) -> None:
        faces, chips, quality = look(frame, self._parts.detector, self._tracker.last_seen())
        self._found, self._analysed = self._found + len(faces), self._analysed + 1
        self._take(self._tracker.update(frame.time_s, frame.index, faces, chips, quality))

    def _take(self, ended: Sequence[OpenTrack], closes: bool = False) -> None:
        """Describe tracks that have ended; those that may go on in a neighbouring span stay loose."""
        embed(ended, self._parts.embedder, self._settings.faces)
        soon_s = (self._reader.begins_s or 0.0) + self._settings.tracking.max_gap_s
        for track in ended:
            opens = self._shots == 1 and track.sightings[0].time_s <= soon_s
            if (opens or closes) and not self._whole:
                self._loose.append(LooseTrack(track, opens, closes))
            else:
                self._tracks += described(track, self._space, self._settings.faces)

    def _progress(self, time_s: float) -> Progress:
        counts = self._selector.counts()
        span_s = time_s - (self._reader.begins_s or 0.0)
        return Progress(span_s, self._info.duration_s, counts.decoded, self._analysed, self._found, counts.reasons)


def look(frame: Frame, detector: Detector, expected: Floats | None = None) -> tuple[Faces, list[FaceChip], Floats]:
    """The faces of a frame, their chips and their quality, float32 (n,); `expected` as `Detector.detect` takes it."""
    faces = detector.detect(frame.bgr, expected)
    chips = [cut_chip(frame.bgr, box, points) for box, points in zip(faces.xyxy, faces.landmarks, strict=True)]
    return faces, chips, np.array([judge(chip).total for chip in chips], np.float32)

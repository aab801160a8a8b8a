"""analyse(video) → VideoAnalysis: the path from a file to its tracks. Knows nothing of where they will be stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvid.chips import cut_chip
from cvid.detectors import Detector
from cvid.embedders import Embedder
from cvid.frames import FrameSelector
from cvid.quality import judge
from cvid.settings import Settings
from cvid.templates import describe
from cvid.tracking import Tracker
from cvid.types import FaceChip, Faces, Floats, Frame, TrackAnalysis, VideoAnalysis
from cvid.video import frames, probe

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
    path: Path, sha256: str, parts: Parts, settings: Settings, hook: Callable[[Progress], None] | None = None
) -> VideoAnalysis:
    """See who is in one video or photograph.

    Args:
        path: the file; only ever read.
        sha256: its key, stored with the result.
        parts: the networks.
        hook: called a few times a second.

    Raises:
        VideoError: the file cannot be decoded.
    """
    started = reported = time.perf_counter()
    info = probe(path, sha256)
    selector, tracker = FrameSelector(settings.selection), Tracker(settings.tracking, settings.faces)
    tracks: list[TrackAnalysis] = []
    damage: list[str] = []
    found, analysed, time_s = 0, 0, 0.0
    for frame, decision in selector.select(frames(path, info, damage.append)):
        time_s = frame.time_s
        if decision.cut:
            tracks += describe(tracker.end_shot(), parts.embedder, settings.faces)
        if decision.keep:
            faces, chips, quality = look(frame, parts.detector, tracker.last_seen())
            found, analysed = found + len(faces), analysed + 1
            ended = tracker.update(frame.time_s, frame.index, faces, chips, quality)
            tracks += describe(ended, parts.embedder, settings.faces)
        if hook and time.perf_counter() - reported > _REPORT_EVERY_S:
            reported = time.perf_counter()
            counts = selector.counts()
            hook(Progress(time_s, info.duration_s, counts.decoded, analysed, found, counts.reasons))
    tracks += describe(tracker.end_shot(), parts.embedder, settings.faces)
    tracks.sort(key=lambda t: (t.track.time_s[0], *t.track.xyxy[0]))
    counts = selector.counts()
    if hook:
        hook(Progress(time_s, info.duration_s, counts.decoded, analysed, found, counts.reasons))
    seconds = time.perf_counter() - started
    return VideoAnalysis(info, tracks, counts, found, seconds, time_s, "; ".join(damage))


def look(frame: Frame, detector: Detector, expected: Floats | None = None) -> tuple[Faces, list[FaceChip], Floats]:
    """The faces of a frame, their chips and their quality, float32 (n,); `expected` as `Detector.detect` takes it."""
    faces = detector.detect(frame.bgr, expected)
    chips = [cut_chip(frame.bgr, box, points) for box, points in zip(faces.xyxy, faces.landmarks, strict=True)]
    return faces, chips, np.array([judge(chip).total for chip in chips], np.float32)

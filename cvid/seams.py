"""Join what was seen in the spans of a video, as if it had been looked through in one go.

A track that was followed until the end of one span is matched with those that began soon after the start of the next
one, by place and look as inside a span, unless a cut lies between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from cvid.damage import Course, whole_course
from cvid.errors import VideoError
from cvid.frames import Edge, is_cut
from cvid.pieces import LooseTrack, Piece
from cvid.settings import Settings
from cvid.spans import IndivisibleError
from cvid.templates import described
from cvid.tracking import OpenTrack, associate, thin_out
from cvid.types import Embeddings, FrameCounts, TrackAnalysis, VideoAnalysis, VideoInfo


def join(pieces: Iterable[Piece], settings: Settings) -> VideoAnalysis:
    """Make one analysis of the pieces of a video, all of them, in order; they are used up by it.

    Raises:
        IndivisibleError: they do not meet, so that something would be missing or there twice.
        VideoError: not a single frame could be decoded.
    """
    joining = Joining(settings)
    for piece in pieces:
        joining.add(piece)
    return joining.analysis()


class Joining:
    """The pieces of a video joined one after the other; of each only what was seen in it is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._infos: list[VideoInfo] = []
        self._courses: list[Course] = []
        self._counts: list[FrameCounts] = []
        self._tracks: list[TrackAnalysis] = []
        self._going: list[OpenTrack] = []
        self._space: Embeddings | None = None
        self._edge: Edge | None = None  # of the last piece that is not empty
        self._ends_s: float | None = None
        self._begun = False
        self._start = self._faces = 0
        self._seconds = 0.0

    def add(self, piece: Piece) -> None:
        """Join the next piece, which is used up.

        Raises:
            IndivisibleError: it does not begin where the one before it ended.
        """
        self._infos.append(piece.info)
        self._courses.append(piece.course)
        self._faces += piece.faces
        self._seconds += piece.seconds
        if piece.begins_s is not None:
            if self._begun and (self._ends_s is None or self._ends_s != piece.begins_s):
                raise IndivisibleError
            self._begun, self._ends_s = True, piece.ends_s
        if piece.first is None:
            return
        if self._edge is None or is_cut(piece.first, self._edge, self._settings.selection)[0]:
            self._finish(self._going, piece.space)
            self._going = []
        loose = [_shifted(one, self._start) for one in piece.loose]
        ended, self._going = _taken_on(self._going, loose, self._settings)
        self._finish(ended, piece.space)
        self._tracks += [_renumbered(track, self._start) for track in piece.tracks]
        self._counts.append(piece.counts)
        self._space, self._edge = piece.space, piece.last
        self._start += piece.frames

    def analysis(self) -> VideoAnalysis:
        """What was seen in all of them.

        Raises:
            VideoError: not a single frame could be decoded.
        """
        course = whole_course(self._courses)
        if not course.begun or self._space is None:
            raise VideoError(self._infos[0].path, "no frame of it can be decoded")
        self._finish(self._going, self._space)
        self._tracks.sort(key=lambda t: (t.track.time_s[0], *t.track.xyxy[0]))
        return VideoAnalysis(
            self._infos[0],
            self._tracks,
            FrameCounts.summed(self._counts),
            self._faces,
            self._seconds,
            course.time_s,
            course.damage(),
        )

    def _finish(self, tracks: Sequence[OpenTrack], space: Embeddings) -> None:
        for track in tracks:
            self._tracks += described(track, space, self._settings.faces)


def _taken_on(
    going: Sequence[OpenTrack], loose: Sequence[LooseTrack], settings: Settings
) -> tuple[list[OpenTrack], list[OpenTrack]]:
    """Continue tracks with the loose ones of the next span: those that have ended, and those that still go on."""
    waiting = list(going)
    joined = [each for each in loose if not each.opens]
    opening = sorted((each for each in loose if each.opens), key=lambda each: each.track.sightings[0].time_s)
    for time_s, group in groupby(opening, key=lambda each: each.track.sightings[0].time_s):
        begun = list(group)
        able = [t for t in waiting if time_s - t.sightings[-1].time_s <= settings.tracking.max_gap_s]
        for track in able:
            track.expected = track.filter.predict(time_s - track.time_s)
            track.time_s = time_s
        boxes = np.array([each.track.sightings[0].xyxy for each in begun], np.float32)
        looks = np.array([each.track.first_look for each in begun], np.float32)
        found = {d: able[t] for t, d in associate(able, boxes, looks, settings.tracking)}
        for place, each in enumerate(begun):
            if place in found:
                waiting = [t for t in waiting if t is not found[place]]
                each = replace(each, track=_one(found[place], each.track, settings))
            joined.append(each)
    return waiting + [e.track for e in joined if not e.closes], [e.track for e in joined if e.closes]


def _one(before: OpenTrack, after: OpenTrack, settings: Settings) -> OpenTrack:
    """Two tracks that are one, with the best faces of both."""
    best = before.best + after.best
    thin_out(best, settings.faces)
    return replace(after, number=before.number, sightings=before.sightings + after.sightings, best=best)


def _shifted(loose: LooseTrack, start: int) -> LooseTrack:
    """The track with frame numbers of the video."""
    for sighting in loose.track.sightings:
        sighting.frame_index += start
    return loose


def _renumbered(analysis: TrackAnalysis, start: int) -> TrackAnalysis:
    track = analysis.track
    return replace(analysis, track=replace(track, frame_index=track.frame_index + start)) if start else analysis

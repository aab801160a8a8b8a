"""Join what was seen in the spans of a video, as if it had been looked through in one go.

A track that was followed until the end of one span is matched with those that began soon after the start of the next
one, by place and look as inside a span, unless a cut lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from cvid.damage import whole_course
from cvid.errors import VideoError
from cvid.frames import is_cut
from cvid.pieces import LooseTrack, Piece
from cvid.settings import Settings
from cvid.spans import IndivisibleError
from cvid.templates import described
from cvid.tracking import OpenTrack, associate, thin_out
from cvid.types import FrameCounts, TrackAnalysis, VideoAnalysis


def join(pieces: Sequence[Piece], settings: Settings) -> VideoAnalysis:
    """Make one analysis of the pieces of a video, all of them, in order; they are used up by it.

    Raises:
        IndivisibleError: they do not meet, so that something would be missing or there twice.
        VideoError: not a single frame could be decoded.
    """
    course = whole_course([piece.course for piece in pieces])
    if not course.begun:
        raise VideoError(pieces[0].info.path, "no frame of it can be decoded")
    _refuse_gaps([piece for piece in pieces if piece.begins_s is not None])
    seen = [piece for piece in pieces if piece.first is not None]
    tracks: list[TrackAnalysis] = []
    going: list[OpenTrack] = []
    start = 0
    for place, piece in enumerate(seen):
        before = seen[place - 1] if place else None
        if before is None or _cut_between(before, piece, settings):
            tracks += _finished(going, piece, settings)
            going = []
        ended, going = _taken_on(going, [_shifted(loose, start) for loose in piece.loose], settings)
        tracks += _finished(ended, piece, settings)
        tracks += [_renumbered(track, start) for track in piece.tracks]
        start += piece.frames
    tracks += _finished(going, seen[-1], settings)
    tracks.sort(key=lambda t: (t.track.time_s[0], *t.track.xyxy[0]))
    return VideoAnalysis(
        seen[0].info,
        tracks,
        FrameCounts.summed(piece.counts for piece in seen),
        sum(piece.faces for piece in pieces),
        sum(piece.seconds for piece in pieces),
        course.time_s,
        course.damage(),
    )


def _refuse_gaps(pieces: Sequence[Piece]) -> None:
    for before, after in pairwise(pieces):
        if before.ends_s is None or before.ends_s != after.begins_s:
            raise IndivisibleError


def _cut_between(before: Piece, after: Piece, settings: Settings) -> bool:
    assert before.last is not None and after.first is not None
    return is_cut(after.first, before.last, settings.selection)[0]


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


def _finished(tracks: Sequence[OpenTrack], piece: Piece, settings: Settings) -> list[TrackAnalysis]:
    return [analysis for track in tracks for analysis in described(track, piece.space, settings.faces)]


def _shifted(loose: LooseTrack, start: int) -> LooseTrack:
    """The track with frame numbers of the video."""
    for sighting in loose.track.sightings:
        sighting.frame_index += start
    return loose


def _renumbered(analysis: TrackAnalysis, start: int) -> TrackAnalysis:
    track = analysis.track
    return replace(analysis, track=replace(track, frame_index=track.frame_index + start)) if start else analysis

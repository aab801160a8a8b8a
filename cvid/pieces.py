"""What was seen in one span of a video, before it is joined to what was seen in the others."""

from __future__ import annotations

from dataclasses import dataclass

from cvid.damage import Course
from cvid.frames import Edge
from cvid.tracking import OpenTrack
from cvid.types import Bytes, Embeddings, FrameCounts, TrackAnalysis, VideoInfo


@dataclass(frozen=True)
class LooseTrack:
    """A track that may go on beyond its span: its faces have their vectors, and it is no analysis yet."""

    track: OpenTrack
    opens: bool  # it began soon after the span did, in its first shot
    closes: bool  # it was still followed when the span ended


@dataclass(frozen=True, eq=False)
class Piece:
    """What was seen in one span. Frame numbers count from its first frame; times are those of the video."""

    info: VideoInfo
    begins_s: float | None  # the key frame with which it begins; None of an empty one
    ends_s: float | None  # the key frame with which the next one begins; None at the end of the video
    frames: int  # in the span, also those not decoded
    space: Embeddings  # no vector, (0, d), of the embedder's
    tracks: list[TrackAnalysis]
    loose: list[LooseTrack]
    first: Bytes | None  # its first small picture; None of an empty one
    last: Edge | None
    counts: FrameCounts
    faces: int
    seconds: float
    course: Course

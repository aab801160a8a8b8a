"""Probe footage and read its frames: rotation and timestamps are handled here and nowhere else.

Videos are read by PyAV from a file opened read-only, never by name: a file's name can then not be taken for an
address or an option, and a playlist cannot make the decoder open other files. Photographs are read by OpenCV, those
in video codecs (AVIF, HEIC) by PyAV.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cvid.damage import Course
from cvid.decoding import (
    FrameNumbers,
    decoded,
    duration_s,
    kind_of,
    opened,
    packets_of,
    seconds,
    stated_end_s,
)
from cvid.errors import VideoError
from cvid.media import head_of, is_coded_photograph, is_photograph
from cvid.opencv import cv2
from cvid.places import Place
from cvid.spans import WHOLE, IndivisibleError, Span
from cvid.types import Bytes, Frame, VideoInfo
from cvid.upright import UPRIGHT, Pose, bgr_of, luma_of

Which = Literal["all", "reference", "key"]
"""Frames that are decoded: all, those that others are predicted from, or those that stand alone."""
_SKIPS: dict[Which, Literal["DEFAULT", "NONREF", "NONKEY"]] = {"all": "DEFAULT", "reference": "NONREF", "key": "NONKEY"}
_STAMPED = ("asf", "flv", "ivf", "matroska", "mov", "mpegts", "mxf", "ogg")
"""Containers with a timestamp on every packet: only there a frame's time is known without those before it."""
_LEAST_RATE = 20
"""Of slower videos (frames a second) all frames are decoded: one in four of so many is still a look every 0.2 s."""
_BACK_S = 2.0
"""A seek goes so much before the wanted key frame: containers order their frames by when they are decoded."""


def probe(path: Place, sha256: str = "") -> VideoInfo:
    """Read what a file says of itself, and decode its first frame.

    Raises:
        VideoError: it cannot be opened or decoded, or holds no picture; with the reason.
    """
    head = head_of(path)
    if not head:
        raise VideoError(path, "the file is empty")
    if is_photograph(head):
        bgr = _read_picture(path, head)
        height, width = bgr.shape[:2]
        return VideoInfo(
            str(path), sha256, "picture", width, height, 0.0, Fraction(0), path.suffix.lower().lstrip("."), 0
        )
    with opened(path) as (container, stream):
        course = Course()
        first = next(decoded(path, packets_of(path, container, stream, course), stream, course), None)
        if first is None:
            raise VideoError(path, "no frame of it can be decoded")
        turns = Pose.of(first).quarter_turns
        width, height = (first.width, first.height) if turns % 2 == 0 else (first.height, first.width)
        return VideoInfo(
            path=str(path),
            sha256=sha256,
            kind="video",
            width=width,
            height=height,
            duration_s=duration_s(container, stream),
            rate=Fraction(stream.average_rate or stream.guessed_rate or 0),
            codec=stream.codec_context.name,
            rotation_deg=turns * 90,
        )


def read_picture(path: Place) -> Bytes:
    """A photograph, upright, uint8 (h, w, 3) BGR.

    Raises:
        VideoError: it cannot be opened or decoded, or is no photograph; with the reason.
    """
    head = head_of(path)
    if not head:
        raise VideoError(path, "the file is empty")
    if not is_photograph(head):
        raise VideoError(path, "no picture can be found in it; it is damaged or another kind of file")
    return _read_picture(path, head)


def frames(path: Place, info: VideoInfo, tell_damage: Callable[[str], None] | None = None) -> Iterator[Frame]:
    """All frames of a file, as `FrameReader` reads them.

    Args:
        info: what `probe` said of the file.
        tell_damage: told after the last frame what is damaged, as a fragment of a sentence, if anything is.

    Raises:
        VideoError: the file cannot be opened, or not a single frame can be decoded.
    """
    reader = FrameReader(path, info)
    yield from reader
    if reader.damage and tell_damage:
        tell_damage(reader.damage)


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame of a video as the decoder left it, for what needs its pixels unconverted; `pose` makes it upright."""

    decoded: VideoFrame
    time_s: float
    pose: Pose


class FrameReader:
    """The frames of a file, or of a span of it, in the order of presentation, upright, with increasing times.

    Times are presentation timestamps counted from the start of the container. A frame without one, or with one that
    does not increase, follows its predecessor by one frame interval. Damaged packets are passed over.

    Args:
        path: the file; only ever read.
        info: what `probe` said of it.
        span: the part that is read.
        which: frames that are decoded; all of them in containers where times would get lost.

    After the last frame `begins_s` and `ends_s` are the times of the key frames that limit the span (None where it has
    no such limit, or is empty), `count` is the number of frames in it, decoded or not, and `course` how it went.
    """

    def __init__(self, path: Place, info: VideoInfo, span: Span = WHOLE, which: Which = "all") -> None:
        self._path, self._info, self._span, self._which = path, info, span, which
        self._numbers = FrameNumbers()
        self._begin: int | None = None
        self._end: int | None = None
        self._last: int | None = None  # stamp of the last packet whose frame need not come out, and how long it lasts
        self._last_lasts: int | None = None
        self.begins_s: float | None = None
        self.ends_s: float | None = None
        self.course = Course()

    @property
    def count(self) -> int:
        """Frames in the span, decoded or not."""
        return self._numbers.total

    @property
    def damage(self) -> str:
        """What is damaged, as a fragment of a sentence; empty where nothing is."""
        return self.course.damage()

    def __iter__(self) -> Iterator[Frame]:
        """Read the span, once.

        Raises:
            VideoError: the file cannot be opened; or, of the whole, not a single frame can be decoded.
            IndivisibleError: the file cannot be read in spans.
        """
        if self._info.kind == "picture":
            bgr = _read_picture(self._path, head_of(self._path))
            self.course.begun = True
            yield Frame(
                self._numbers.number(None),
                0.0,
                np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8),
                lambda: bgr,
            )
            return
        for picture in self.pictures():
            luma = picture.pose.upright(luma_of(picture.decoded))
            to_bgr = partial(bgr_of, picture.decoded, picture.pose)
            yield Frame(self._numbers.number(picture.decoded.pts), picture.time_s, luma, to_bgr)

    def pictures(self, threads: int = 1) -> Iterator[Picture]:
        """Read the span of a video, once, without making its frames upright.

        Args:
            threads: how many decode; 0 stands for as many as there are cores.

        Raises:
            VideoError, IndivisibleError: as of `__iter__`.
        """
        with opened(self._path) as (container, stream):
            if threads != 1:
                stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
            yield from self._pictures(container, stream)
        if self._span.whole and not self.course.begun:
            raise VideoError(self._path, "no frame of it can be decoded")

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[Picture]:
        course, step_s = self.course, float(1 / self._info.rate) if self._info.rate else 0.04
        origin_s: float | None = container.start_time / av.time_base if container.start_time is not None else None
        course.stated_end_s, course.origin_s = stated_end_s(container, stream), origin_s or 0.0
        pose, rotation_deg, first = UPRIGHT, 0, True
        for picture in decoded(self._path, self._packets(container, stream), stream, course):
            stamp = picture.pts
            if stamp is not None and self._outside(stamp):
                if self._end is not None and stamp >= self._end:
                    break
                continue
            stamp_s = seconds(stamp, stream.time_base)
            if stamp_s is not None:
                origin_s = stamp_s if origin_s is None else origin_s
                course.origin_s = origin_s
                course.end_s = max(course.end_s, stamp_s + (seconds(picture.duration, stream.time_base) or 0.0))
            last_s, time_s = course.time_s, stamp_s - origin_s if stamp_s is not None and origin_s is not None else -1.0
            course.time_s = max(time_s, 0.0) if first else time_s if time_s > last_s else last_s + step_s
            if first or picture.rotation != rotation_deg:
                rotation_deg, pose = picture.rotation, Pose.of(picture)
            yield Picture(picture, course.time_s, pose)
            first = False
        shown_s = seconds(self._last, stream.time_base)
        if course.begun and origin_s is not None and shown_s is not None:  # frames that were not decoded
            course.time_s = max(course.time_s, shown_s - origin_s)
            course.end_s = max(course.end_s, shown_s + (seconds(self._last_lasts, stream.time_base) or 0.0))

    def _outside(self, stamp: int) -> bool:
        return (self._begin is not None and stamp < self._begin) or (self._end is not None and stamp >= self._end)

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        """The packets that the span needs, its limits found on the way; they reach beyond its end, as its frames do."""
        stamped = kind_of(container) in _STAMPED
        slow = self._which == "reference" and self._info.rate < _LEAST_RATE
        which: Which = self._which if stamped and not slow else "all"
        stream.codec_context.skip_frame = _SKIPS[which]
        if which == "key":  # which nothing is predicted from, so that no error grows
            stream.codec_context.options = {"skip_loop_filter": "all"}
        if self._span.whole:
            packets = packets_of(self._path, container, stream, self.course)
        else:
            packets = self._divided(container, stream, stamped)
        for packet in packets:
            pts, key = packet.pts, packet.is_keyframe
            if self._end is not None and key and which == "key" and pts is not None and pts >= self._end:
                return  # a key frame needs nothing from behind it
            if not packet.is_discard and (pts is None or not self._outside(pts)):
                self._numbers.entered(pts)
                later = pts is not None and (self._last is None or pts > self._last)
                if which != "all" and later and not packet.is_corrupt:
                    self._last, self._last_lasts = pts, packet.duration
            if which != "key" or key or not packet.size:  # an empty one flushes the decoder
                yield packet

    def _divided(self, container: InputContainer, stream: VideoStream, stamped: bool) -> Iterator[Packet[VideoStream]]:
        """The packets of a span that is not the whole, from the key frame with which it begins on."""
        if not stamped or container.start_time is None or not stream.time_base:
            raise IndivisibleError
        origin, base = Fraction(container.start_time, av.time_base), stream.time_base
        start, end = (_stamp(limit_s, origin, base) for limit_s in (self._span.start_s, self._span.end_s))
        for packet in self._from(container, stream, start):
            if packet.pts is None and packet.size:
                raise IndivisibleError
            if packet.pts is not None and packet.is_keyframe:
                if self.begins_s is None and packet.pts >= start:
                    if packet.pts >= end:
                        return  # the next key frame belongs to a later span
                    self._begin, self.begins_s = packet.pts, float(packet.pts * base - origin)
                elif self._end is None and packet.pts >= end:
                    self._end, self.ends_s = packet.pts, float(packet.pts * base - origin)
            if self.begins_s is not None:
                yield packet

    def _from(self, container: InputContainer, stream: VideoStream, start: float) -> Iterator[Packet[VideoStream]]:
        """The packets from some place before `start` on, or from the first one where no such place can be found."""
        assert stream.time_base
        if start == -math.inf:
            yield from packets_of(self._path, container, stream, self.course)
            return
        for target in (start - round(_BACK_S / stream.time_base), None):
            try:
                container.seek(0 if target is None else int(target), stream=stream)
            except (av.FFmpegError, OSError):
                raise IndivisibleError from None
            packets = packets_of(self._path, container, stream, self.course)
            first = next(packets, None)
            if first is None or target is None or (first.pts is not None and first.pts <= start):
                break
        if first is not None:
            yield first
            yield from packets


def _stamp(time_s: float, origin: Fraction, base: Fraction) -> float:
    """A time of the video as a timestamp of its stream; what has no beginning or end stays so."""
    if not 0 < time_s < math.inf:
        return math.inf if time_s else -math.inf
    return math.ceil((origin + Fraction(time_s)) / base)


def _read_picture(path: Place, head: bytes) -> Bytes:
    """A photograph, upright, uint8 (h, w, 3) BGR."""
    if is_coded_photograph(head):
        with opened(path) as (container, stream):
            course = Course()
            for frame in decoded(path, packets_of(path, container, stream, course), stream, course):
                return bgr_of(frame, Pose.of(frame))
        raise VideoError(path, "the picture cannot be decoded; it is damaged or cut short")
    try:
        with path.open("rb") as file:
            data = np.frombuffer(file.read(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except OSError as exc:
        raise VideoError(path, exc.strerror or "it cannot be read") from exc
    except cv2.error as exc:
        raise VideoError(path, f"the picture cannot be decoded ({exc.err})") from exc
    if picture is None:
        raise VideoError(path, "the picture cannot be decoded; it is damaged or cut short")
    return np.asarray(picture, np.uint8)

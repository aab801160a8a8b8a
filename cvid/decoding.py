"""A container opened for reading, its packets, and the frames that FFmpeg's decoder makes of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cvid.damage import Course
from cvid.errors import VideoError
from cvid.media import CONTAINERS
from cvid.places import Place

log = logging.getLogger(__name__)

_DAMAGED_PACKETS_MAX = 500
"""A stream in which so many packets in a row cannot be decoded is given up."""
_ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC
_DEPENDENT = 0x80000  # AV_DISPOSITION_DEPENDENT: a tile of a larger picture
_STATE_THEIR_LENGTH = ("asf", "avi", "flv", "matroska", "mov", "mxf")
"""Containers that say how long they are; of the others FFmpeg guesses it from their last timestamp or bit rate."""


@contextmanager
def opened(path: Place) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first real video stream; cover art does not count.

    Raises:
        VideoError: it cannot be opened or read, here or inside the block.
    """
    try:
        with (
            path.open("rb", buffering=0) as file,
            av.open(
                file,
                "r",
                buffer_size=1 << 18,
                container_options={"format_whitelist": CONTAINERS},
                metadata_errors="replace",
            ) as container,
        ):
            assert isinstance(container, InputContainer)
            stream = _stream_of(path, container)
            stream.thread_type = "NONE"  # one thread a process: videos are spread over processes
            yield container, stream
    except (av.FFmpegError, OSError) as exc:
        raise VideoError(path, _reason(exc)) from exc


def _stream_of(path: Place, container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED_PICTURE]
    if not streams:
        what = "sound only" if container.streams.audio else "nothing to decode"
        raise VideoError(path, f"there is no video in it, {what}")
    whole = [s for s in streams if not int(s.disposition) & _DEPENDENT]
    if not whole:
        raise VideoError(path, "the picture is stored in tiles, which cvid cannot put together; convert it to JPEG")
    return whole[0]


def packets_of(
    path: Place, container: InputContainer, stream: VideoStream, course: Course
) -> Iterator[Packet[VideoStream]]:
    """The packets of a stream in the order of decoding, as far as the file can be read."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError) as exc:
            log.warning("%r: reading stops early: %s", str(path), _reason(exc))
            course.stopped = True
            return


def decoded(
    path: Place, packets: Iterable[Packet[VideoStream]], stream: VideoStream, course: Course
) -> Iterator[VideoFrame]:
    """The frames of a stream as they come out of the decoder; damaged packets are passed over, and noted."""
    damaged = 0
    for packet in chain(packets, [None]):  # at the end the decoder is asked for what it holds back
        if packet is not None and packet.is_corrupt:  # the container misses a part of it
            course.hurt()
        try:
            batch = stream.decode(packet)
        except av.EOFError:
            return
        except (av.FFmpegError, OSError) as exc:
            course.hurt()
            damaged += 1
            if damaged > _DAMAGED_PACKETS_MAX:
                log.warning("%r: given up after %d damaged packets: %s", str(path), damaged, _reason(exc))
                course.stopped = True
                return
            continue
        for frame in batch:
            assert isinstance(frame, VideoFrame)
            damaged = 0
            if frame.is_corrupt:
                course.hurt()
                course.begun = True
            else:
                course.sound()
            yield frame


class FrameNumbers:
    """Numbers frames in the order of presentation by the stamps of their packets: frames that are not decoded count."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._passed = 0
        self._last = -1

    def entered(self, pts: int | None) -> None:
        """A packet of this stamp goes to the decoder."""
        if pts is not None:
            heappush(self._waiting, pts)

    def number(self, pts: int | None) -> int:
        """The number of the frame that came out, 0 for the first; without stamps it follows the one before."""
        while pts is not None and self._waiting and self._waiting[0] <= pts:
            heappop(self._waiting)
            self._passed += 1
        self._last = max(self._passed - 1, self._last + 1)
        return self._last

    @property
    def total(self) -> int:
        """How many frames there were."""
        return max(self._passed + len(self._waiting), self._last + 1)


def seconds(stamp: int | None, time_base: Fraction | None) -> float | None:
    """A timestamp in seconds."""
    return None if stamp is None or time_base is None else stamp * time_base.numerator / time_base.denominator


def duration_s(container: InputContainer, stream: VideoStream) -> float:
    """How long the video is by the container's word or FFmpeg's guess; 0 where neither says anything."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def stated_end_s(container: InputContainer, stream: VideoStream) -> float:
    """When the video ends by its container's own word and clock; 0 where it says nothing or FFmpeg only guesses."""
    kind = kind_of(container)
    if kind not in _STATE_THEIR_LENGTH:
        return 0.0
    if stream.duration and stream.time_base and kind != "matroska":  # there FFmpeg may put the sound's
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    hours, colon, rest = stream.metadata.get("DURATION", "").partition(":")  # Matroska: 00:00:10.000000000
    try:
        if colon:
            minutes, _, remaining = rest.partition(":")
            return int(hours) * 3600 + int(minutes) * 60 + float(remaining)
    except ValueError:
        return 0.0
    alone = len(container.streams) == 1  # else the sound may be what lasts so long
    return container.duration / av.time_base if alone and container.duration else 0.0


def kind_of(container: InputContainer) -> str:
    """FFmpeg's first name for the container: "mov", "matroska", "mpegts", …"""
    return container.format.name.split(",")[0]


def _reason(exc: OSError | av.FFmpegError) -> str:
    if isinstance(exc, av.InvalidDataError | av.ArgumentError):  # the latter for refused containers
        return "no video can be found in it; it is damaged, cut short or another kind of file"
    return exc.strerror or "it cannot be read"

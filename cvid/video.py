"""Open, probe and decode footage: rotation and timestamps are handled here and nowhere else.

Videos are read by PyAV from a file opened read-only, never by name: a file's name can then not be taken for an
address or an option, and a playlist cannot make the decoder open other files. Photographs are read by OpenCV, those
in video codecs (AVIF, HEIC) by PyAV.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cvid.errors import VideoError
from cvid.opencv import cv2
from cvid.types import Bytes, Frame, VideoInfo
from cvid.upright import UPRIGHT, Pose, bgr_of, luma_of

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m2ts .m2v .m4v .mkv .mod .mov .mp4"
    " .mpeg .mpg .mts .mxf .ogv .qt .rm .rmvb .ts .vob .webm .wmv .y4m".split()
)
PICTURE_SUFFIXES = frozenset(".avif .bmp .heic .heif .jfif .jpe .jpeg .jpg .jp2 .png .tif .tiff .webp".split())

CONTAINERS = ",".join(
    "asf av1 avi dv flv gif h264 hevc ivf live_flv m4v matroska mjpeg mov mpeg mpegts mpegvideo mxf nut obu ogg rm vc1"
    " webm wtv yuv4mpegpipe".split()
)
"""Containers that may hold footage. All else that FFmpeg knows (playlists, subtitles, text as pictures) is refused."""

_MAGIC = (
    (0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"GIF8"),
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "), (8, b"WEBP"), (0, b"FLV\x01"),
    (0, b"OggS"), (0, b"\0\0\x01\xba"), (0, b"\0\0\x01\xb3"), (0, b"0&\xb2u\x8ef\xcf\x11"), (0, b".RMF"),
    (0, b"\x06\x0e+4\x02\x05\x01\x01"), (0, b"YUV4MPEG2"), (0, b"DKIF"), (4, b"jP  \r\n\x87\n"),
)  # fmt: skip
_PICTURE_MAGIC = (
    (0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (0, b"II*\0"), (0, b"MM\0*"), (8, b"WEBP"), (0, b"BM"),
    (4, b"jP  \r\n\x87\n"),
)  # fmt: skip
_STILL_MAGIC = tuple((4, b"ftyp" + brand) for brand in (b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1"))
"""Photographs in the containers and codecs of videos."""
_DAMAGED_PACKETS_MAX = 500
"""A stream in which so many packets in a row cannot be decoded is given up."""


def looks_like_media(path: Path) -> bool:
    """Does the name or the header claim that this is a video or a picture?

    What claims it and cannot be decoded has failed; anything else is merely not footage.
    """
    if path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
        return True
    head = _head(path)
    return _matches(head, _MAGIC) or (len(head) > 376 and head[0] == head[188] == head[376] == 0x47)


def probe(path: Path, sha256: str = "") -> VideoInfo:
    """Read what a file says of itself, and decode its first frame.

    Raises:
        VideoError: it cannot be opened or decoded, or holds no picture; with the reason.
    """
    head = _head(path)
    if not head:
        raise VideoError(path, "the file is empty")
    if _matches(head, _PICTURE_MAGIC + _STILL_MAGIC):
        bgr = _read_picture(path, head)
        height, width = bgr.shape[:2]
        return VideoInfo(
            str(path), sha256, "picture", width, height, 0.0, Fraction(0), path.suffix.lower().lstrip("."), 0
        )
    with _opened(path) as (container, stream):
        first = next(_decoded(path, container, stream, _Course()), None)
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
            duration_s=_duration_s(container, stream),
            rate=Fraction(stream.average_rate or stream.guessed_rate or 0),
            codec=stream.codec_context.name,
            rotation_deg=turns * 90,
        )


def read_picture(path: Path) -> Bytes:
    """A photograph, upright, uint8 (h, w, 3) BGR.

    Raises:
        VideoError: it cannot be opened or decoded, or is no photograph; with the reason.
    """
    head = _head(path)
    if not head:
        raise VideoError(path, "the file is empty")
    if not _matches(head, _PICTURE_MAGIC + _STILL_MAGIC):
        raise VideoError(path, "no picture can be found in it; it is damaged or another kind of file")
    return _read_picture(path, head)


def frames(path: Path, info: VideoInfo, tell_damage: Callable[[str], None] | None = None) -> Iterator[Frame]:
    """All frames of a file in the order of presentation, upright, with increasing times.

    Times are presentation timestamps counted from the start of the container. A frame without one, or with one that
    does not increase, follows its predecessor by one frame interval. Damaged packets are passed over.

    Args:
        info: what `probe` said of the file.
        tell_damage: told after the last frame what is damaged, as a fragment of a sentence, if anything is.

    Raises:
        VideoError: the file cannot be opened, or not a single frame can be decoded.
    """
    if info.kind == "picture":
        bgr = _read_picture(path, _head(path))
        yield Frame(0, 0.0, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8), lambda: bgr)
        return
    step_s = float(1 / info.rate) if info.rate else 0.04
    with _opened(path) as (container, stream):
        course, pose, rotation_deg = _Course(), UPRIGHT, 0
        origin_s: float | None = container.start_time / av.time_base if container.start_time is not None else None
        for index, decoded in enumerate(_decoded(path, container, stream, course)):
            stamp_s = _seconds(decoded.pts, decoded.time_base)
            if stamp_s is not None:
                origin_s = stamp_s if origin_s is None else origin_s
                course.end_s = max(course.end_s, stamp_s + (_seconds(decoded.duration, decoded.time_base) or 0.0))
            last_s, time_s = course.time_s, stamp_s - origin_s if stamp_s is not None and origin_s is not None else -1.0
            course.time_s = max(time_s, 0.0) if not index else time_s if time_s > last_s else last_s + step_s
            if not index or decoded.rotation != rotation_deg:
                rotation_deg, pose = decoded.rotation, Pose.of(decoded)
            yield Frame(index, course.time_s, pose.upright(luma_of(decoded)), partial(bgr_of, decoded, pose))
        if not course.begun:
            raise VideoError(path, "no frame of it can be decoded")
        damage = course.damage(_stated_end_s(container, stream), origin_s or 0.0)
        if damage and tell_damage:
            tell_damage(damage)


@dataclass
class _Course:
    """How the decoding of one file goes: where it is, and what was damaged on the way."""

    begun: bool = False
    time_s: float = 0.0  # of the last frame, from the start of the container
    end_s: float = 0.0  # until when the last frame is shown, by the container's own clock
    places: int = 0  # damaged ones, after the first frame: many a recording begins in the middle of a picture
    first_s: float = 0.0  # where the first of them lies
    stopped: bool = False
    _sound: bool = True

    def sound(self) -> None:
        """A good frame came."""
        self.begun = self._sound = True

    def hurt(self) -> None:
        """Something could not be decoded; all that follows up to the next good frame is the same place."""
        if self.begun and self._sound:
            self.places += 1
            self.first_s = self.first_s if self.places > 1 else self.time_s
        self._sound = False

    def damage(self, stated_end_s: float, origin_s: float) -> str:
        """What is damaged; empty where nothing is."""
        lacking_s, stated_s = stated_end_s - self.end_s, stated_end_s - origin_s
        if lacking_s > max(_LACKING_MIN_S, _LACKING_MIN * stated_s):
            return f"damaged after {self.time_s:.1f} s of {stated_s:.1f} s"
        if self.stopped:
            return f"damaged after {self.time_s:.1f} s"
        if self.places:
            where = f"{self.places} places, the first " if self.places > 1 else ""
            return f"damaged {'in ' if where else ''}{where}at {self.first_s:.1f} s"
        return ""


_LACKING_MIN_S, _LACKING_MIN = 1.0, 0.1
"""How much a video must be shorter than its container says to count as damaged: both, in seconds and as a share."""


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first real video stream; cover art does not count."""
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


def _stream_of(path: Path, container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED_PICTURE]
    if not streams:
        what = "sound only" if container.streams.audio else "nothing to decode"
        raise VideoError(path, f"there is no video in it, {what}")
    whole = [s for s in streams if not int(s.disposition) & _DEPENDENT]
    if not whole:
        raise VideoError(path, "the picture is stored in tiles, which cvid cannot put together; convert it to JPEG")
    return whole[0]


_ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC
_DEPENDENT = 0x80000  # AV_DISPOSITION_DEPENDENT: a tile of a larger picture


def _decoded(path: Path, container: InputContainer, stream: VideoStream, course: _Course) -> Iterator[VideoFrame]:
    """The frames of a stream as they come out of the decoder; damaged packets are passed over, and noted."""
    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError) as exc:
            log.warning("%r: reading stops early: %s", str(path), _reason(exc))
            course.stopped = True
            return
        if packet.is_corrupt:  # the container misses a part of it
            course.hurt()
        try:
            batch = packet.decode()
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


def _seconds(stamp: int | None, time_base: Fraction | None) -> float | None:
    return None if stamp is None or time_base is None else float(stamp * time_base)


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _stated_end_s(container: InputContainer, stream: VideoStream) -> float:
    """When the video ends by its container's own word and clock; 0 where it says nothing or FFmpeg only guesses."""
    kind = container.format.name.split(",")[0]
    if kind not in _STATE_THEIR_LENGTH:
        return 0.0
    if stream.duration and stream.time_base and kind != "matroska":  # there FFmpeg may put the sound's
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    hours, colon, rest = stream.metadata.get("DURATION", "").partition(":")  # Matroska: 00:00:10.000000000
    try:
        if colon:
            minutes, _, seconds = rest.partition(":")
            return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0
    alone = len(container.streams) == 1  # else the sound may be what lasts so long
    return container.duration / av.time_base if alone and container.duration else 0.0


_STATE_THEIR_LENGTH = ("asf", "avi", "flv", "matroska", "mov", "mxf")
"""Containers that say how long they are; of the others FFmpeg guesses it from their last timestamp or bit rate."""


def _read_picture(path: Path, head: bytes) -> Bytes:
    """A photograph, upright, uint8 (h, w, 3) BGR."""
    if _matches(head, _STILL_MAGIC):
        with _opened(path) as (container, stream):
            for frame in _decoded(path, container, stream, _Course()):
                return bgr_of(frame, Pose.of(frame))
        raise VideoError(path, "the picture cannot be decoded; it is damaged or cut short")
    try:
        data = np.fromfile(path, np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except OSError as exc:
        raise VideoError(path, exc.strerror or "it cannot be read") from exc
    except cv2.error as exc:
        raise VideoError(path, f"the picture cannot be decoded ({exc.err})") from exc
    if picture is None:
        raise VideoError(path, "the picture cannot be decoded; it is damaged or cut short")
    return np.asarray(picture, np.uint8)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as exc:
        raise VideoError(path, exc.strerror or "it cannot be read") from exc


def _matches(head: bytes, magic: tuple[tuple[int, bytes], ...]) -> bool:
    return any(head[at : at + len(mark)] == mark for at, mark in magic)


def _reason(exc: OSError | av.FFmpegError) -> str:
    if isinstance(exc, av.InvalidDataError | av.ArgumentError):  # the latter for refused containers
        return "no video can be found in it; it is damaged, cut short or another kind of file"
    return exc.strerror or "it cannot be read"

"""The MP4 that an annotated video becomes: H.264 that browsers play, with the times of the source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from cvid.decoding import opened
from cvid.errors import CvidError, MissingDependency
from reports.annotating.canvas import Canvas, Look
from reports.annotating.sound import Sound

_CODEC = "libx264"
CODING = {"preset": "veryfast", "crf": "20", "g": "60"}
"""Faster presets make larger files, slower ones cost more than all else together; key frames so often that a player
finds any moment at once."""
_NOT_COPIED = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
_FINEST = 1_000_000
_UNIT = Fraction(1, 90_000)
_BUFFER_BYTES = 1 << 20
_LIMITED = 1  # FFmpeg's number for this range of colours


class AnnotatingError(CvidError):
    """A video cannot be annotated, or the result cannot be written."""


class Film:
    """Writes pictures, and the sound of their source, into a file; a context manager.

    Leaving it without an error finishes the file; with one, what was written is of no use.

    Args:
        part: the file, empty; named: what it will be called, for messages.
        source: the video whose sound and times are taken over.
        look: of the pictures.
        turned: whether they lie on their side in the source.
        with_metadata: whether title, date, place and the like come along.

    Raises:
        AnnotatingError: from any method, where the file cannot be written.
        VideoError: the source cannot be opened.
    """

    def __init__(self, part: Path, named: Path, source: Path, look: Look, turned: bool, with_metadata: bool) -> None:
        self._part, self._named = part, named
        with ExitStack() as stack:
            read, stream = stack.enter_context(opened(source))
            with self._told():
                self._file = stack.enter_context(_WholeFile(os.open(part, os.O_WRONLY), "wb"))
                self._container = self._opened()
            self._base = stream.time_base if stream.time_base and stream.time_base.denominator <= _FINEST else _UNIT
            self._step_s = float(1 / stream.average_rate) if stream.average_rate else 0.04
            self._last: int | None = None
            self._video: Any = self._add_video(look, stream, turned)
            if with_metadata:
                self._container.metadata.update({k: v for k, v in read.metadata.items() if k not in _NOT_COPIED})
            self.sound = Sound(read, self._container, with_metadata)
            self._stack = stack.pop_all()

    def _opened(self) -> OutputContainer:
        container = av.open(
            self._file,
            "w",
            format="mp4",
            container_options={"movflags": "+faststart"},
            buffer_size=_BUFFER_BYTES,
            io_open=lambda url, flags, options: self._part.open("rb"),  # read again to move the index to the front
        )
        assert isinstance(container, OutputContainer)
        return container

    def _add_video(self, look: Look, source: VideoStream, turned: bool) -> Any:
        try:
            video: Any = self._container.add_stream(_CODEC, rate=source.average_rate or 25, options=dict(CODING))
        except av.codec.codec.UnknownCodecError as exc:
            raise MissingDependency(
                "PyAV cannot write H.264 here; its own builds can: pip install --force-reinstall --no-deps av"
            ) from exc
        video.width, video.height, video.pix_fmt = look.width, look.height, "yuv420p"
        coding = video.codec_context
        coding.time_base, coding.thread_type, coding.thread_count = self._base, "AUTO", 0
        coding.color_range, coding.colorspace = _LIMITED, look.colorspace
        coding.color_primaries, coding.color_trc = look.primaries, look.transfer
        aspect = source.sample_aspect_ratio
        if aspect and aspect != 1:
            coding.sample_aspect_ratio = 1 / aspect if turned else aspect
        return video

    def write(self, canvas: Canvas, lasts_s: float) -> None:
        """Write the next picture, at its time; `lasts_s` is how long it is shown, 0 where that is not known."""
        pts = round(canvas.time_s / float(self._base))
        pts = pts if self._last is None or pts > self._last else self._last + 1
        self._last = pts
        canvas.stamp(pts, self._base, max(round((lasts_s or self._step_s) / float(self._base)), 1))
        with self._told():
            self.sound.up_to(canvas.time_s)
            self._container.mux(self._video.encode(canvas.frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None:
                with self._told():
                    self.sound.finish()
                    self._container.mux(self._video.encode(None))
                    self._container.close()
                    os.fsync(self._file.fileno())
            else:
                self._file.close()  # then nothing more is written
                self._container.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what goes wrong with the file into a sentence; it is then closed, so that nothing is tried again."""
        try:
            yield
        except (av.FFmpegError, OSError) as exc:
            with suppress(AttributeError, OSError):
                self._file.close()
            raise AnnotatingError(f"{self._named}: cannot be written ({exc.strerror or exc})") from exc


class _WholeFile(FileIO):
    """A file that writes all it is given, or fails."""

    def write(self, data: Any, /) -> int:
        """Write bytes, at once: what is read again through another handle must be there."""
        left = memoryview(data)
        while left:
            left = left[super().write(left) :]
        return len(data)

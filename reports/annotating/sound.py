"""The sound of a video on its way into an MP4: copied where browsers play it there, else encoded to AAC."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

log = logging.getLogger(__name__)

_COPIED = ("aac", "mp3", "mp3float", "opus", "libopus", "flac")
"""Decoders whose streams MP4 holds and browsers play there. It holds AC-3 and ALAC too, which they do not."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_BIT_RATE_A_CHANNEL = 96_000
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""By the number of channels; of any other number two are made."""
_DAMAGED_MOST = 500
_DISCARD_ALL = 48  # AVDISCARD_ALL: the pictures need not be read a second time


class Sound:
    """All audio streams of a video, taken over as the pictures go on.

    Args:
        source: a container of its own, that nothing else reads from.
        target: its audio streams are added here; pictures come first.
        with_metadata: whether languages and titles of the streams come along.
    """

    def __init__(self, source: InputContainer, target: OutputContainer, with_metadata: bool) -> None:
        self._source, self._target = source, target
        known = [stream for stream in source.streams.audio if stream.codec_context is not None]
        self._tracks = {stream.index: _Track(stream, target, source.start_time or 0, with_metadata) for stream in known}
        self._unknown = len(source.streams.audio) - len(known)
        self._packets = self._demuxed()
        self._next: Packet[Any] | None = None
        self._ended = not self._tracks
        self.damaged = False

    @property
    def kept(self) -> list[str]:
        """How each stream was taken over: "copied" or "encoded"; "left out" where nothing here can decode it."""
        return [track.how for track in self._tracks.values()] + ["left out"] * self._unknown

    def up_to(self, time_s: float) -> None:
        """Take over what is heard until a moment of the video."""
        while not self._ended:
            if self._next is None:
                self._next = next(self._packets, None)
                if self._next is None:
                    self._ended = True
                    break
            track = self._tracks[self._next.stream.index]
            if track.time_of(self._next) > time_s:
                return
            packet, self._next = self._next, None
            self._target.mux(track.taken(packet))

    def finish(self) -> None:
        """Take over the rest."""
        self.up_to(float("inf"))
        for track in self._tracks.values():
            self._target.mux(track.rest())
        self.damaged |= any(track.damaged for track in self._tracks.values())

    def _demuxed(self) -> Iterator[Packet[Any]]:
        if not self._tracks:
            return
        every: Any
        for every in self._source.streams:
            if every.index not in self._tracks and hasattr(every, "discard"):  # PyAV 15 has none
                every.discard = _DISCARD_ALL
        packets = self._source.demux([s for s in self._source.streams.audio if s.index in self._tracks])
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError) as exc:
                log.warning("the sound stops early: %s", exc)
                self.damaged = True
                return
            if packet.size and packet.stream.index in self._tracks:
                yield packet


class _Track:
    """One audio stream."""

    def __init__(self, stream: AudioStream, target: OutputContainer, origin: int, with_metadata: bool) -> None:
        self._stream = stream
        self._base = stream.time_base or Fraction(1, 1000)
        self._origin = round(Fraction(origin, av.time_base) / self._base)
        self._last: int | None = None
        self._failed = 0
        self.damaged = False
        copied = stream.codec_context.name in _COPIED
        self.how = "copied" if copied else "encoded"
        self._own: Any = target.add_stream_from_template(stream) if copied else _encoder(stream, target)
        self._encoder = None if copied else _Encoder(self._own, self._origin)
        if with_metadata:
            self._own.metadata.update(stream.metadata)

    def time_of(self, packet: Packet[Any]) -> float:
        """When it is heard; what has no timestamp goes with its predecessor."""
        stamp = packet.dts if packet.dts is not None else self._last
        return float((stamp - self._origin) * self._base) if stamp is not None else 0.0

    def taken(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """What goes into the target for a packet of the source."""
        if self._encoder:
            self._last = packet.dts if packet.dts is not None else self._last
            return [made for frame in self._decoded(packet) for made in self._encoder.taken(frame)]
        if packet.dts is None or (self._last is not None and packet.dts <= self._last) or packet.is_corrupt:
            self.damaged = True
            return []
        self._last = packet.dts
        packet.dts -= self._origin
        packet.pts = packet.dts if packet.pts is None else packet.pts - self._origin
        packet.stream = self._own
        return [packet]

    def rest(self) -> list[Packet[Any]]:
        """What the decoder and the encoder still hold."""
        if not self._encoder:
            return []
        made = [packet for frame in self._decoded(None) for packet in self._encoder.taken(frame)]
        return made + self._encoder.taken(None)

    def _decoded(self, packet: Packet[Any] | None) -> list[AudioFrame]:
        try:
            frames = self._stream.decode(packet) if self._failed < _DAMAGED_MOST else []
        except av.EOFError:
            return []
        except (av.FFmpegError, OSError):
            self._failed, self.damaged = self._failed + 1, True
            return []
        return [frame for frame in frames if isinstance(frame, AudioFrame)]


class _Encoder:
    """Encodes the frames of one stream, in order of time, also where their kind changes on the way."""

    def __init__(self, stream: Any, origin: int) -> None:
        self._stream, self._origin = stream, origin
        self._first: AudioFrame | None = None
        self._next: int | None = None  # the stamp that a frame without one has
        self._last: int | None = None  # that was muxed

    def taken(self, frame: AudioFrame | None) -> list[Packet[Any]]:
        """The packets that come out for a frame; None asks for all that are still held."""
        if frame is None:
            return self._in_order(self._stream.encode(None)) if self._first else []
        base = frame.time_base or Fraction(1, frame.sample_rate)
        frame.pts = frame.pts - self._origin if frame.pts is not None else self._next
        self._next = (frame.pts or 0) + round(Fraction(frame.samples, frame.sample_rate) / base)
        self._first = self._first or frame
        return [packet for like in self._like_first(frame) for packet in self._in_order(self._stream.encode(like))]

    def _like_first(self, frame: AudioFrame) -> list[AudioFrame]:
        assert self._first
        kind = (self._first.format.name, self._first.layout.name, self._first.sample_rate)
        if (frame.format.name, frame.layout.name, frame.sample_rate) == kind:
            return [frame]
        return av.AudioResampler(*kind).resample(frame)

    def _in_order(self, packets: list[Packet[Any]]) -> list[Packet[Any]]:
        """Packets whose time increases, as MP4 wants it."""
        kept = []
        for packet in packets:
            if packet.dts is not None and (self._last is None or packet.dts > self._last):
                self._last = packet.dts
                kept.append(packet)
        return kept


def _encoder(stream: AudioStream, target: OutputContainer) -> Any:
    """An AAC stream like the source's."""
    rate = stream.rate if stream.rate in _RATES else 48000
    own: Any = target.add_stream("aac", rate=rate)
    layout = _LAYOUTS.get(stream.codec_context.channels, "stereo")
    own.codec_context.layout = layout
    own.codec_context.bit_rate = min(_BIT_RATE_A_CHANNEL, 2 * rate) * own.codec_context.channels
    return own

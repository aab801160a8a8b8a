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
_CHANNELS_MOST = 6
_DAMAGED_MOST = 500


class Sound:
    """All audio streams of a video, taken over as the pictures go on.

    Args:
        source: a container of its own, that nothing else reads from.
        target: its audio streams are added here; pictures come first.
        with_metadata: whether languages and titles of the streams come along.
    """

    def __init__(self, source: InputContainer, target: OutputContainer, with_metadata: bool) -> None:
        self._source, self._target = source, target
        self._tracks = {
            stream.index: _Track(stream, target, source.start_time or 0, with_metadata)
            for stream in source.streams.audio
            if stream.codec_context is not None
        }
        self._packets = self._demuxed()
        self._next: Packet[Any] | None = None
        self._ended = not self._tracks
        self.damaged = False

    @property
    def kept(self) -> list[str]:
        """How each stream was taken over: "copied" or "encoded"."""
        return [track.how for track in self._tracks.values()]

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
        packets = self._source.demux(list(self._source.streams.audio))
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
        if with_metadata:
            self._own.metadata.update(stream.metadata)

    def time_of(self, packet: Packet[Any]) -> float:
        """When it is heard; what has no timestamp goes with its predecessor."""
        stamp = packet.dts if packet.dts is not None else self._last
        return float((stamp - self._origin) * self._base) if stamp is not None else 0.0

    def taken(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """What goes into the target for a packet of the source."""
        if self.how == "encoded":
            return self._encoded(packet)
        if packet.dts is None or (self._last is not None and packet.dts <= self._last) or packet.is_corrupt:
            self.damaged = True
            return []
        self._last = packet.dts
        packet.dts -= self._origin
        packet.pts = packet.dts if packet.pts is None else packet.pts - self._origin
        packet.stream = self._own
        return [packet]

    def rest(self) -> list[Packet[Any]]:
        """What the encoder still holds."""
        if self.how == "copied":
            return []
        return [*self._encoded(None), *self._own.encode(None)]

    def _encoded(self, packet: Packet[Any] | None) -> list[Packet[Any]]:
        self._last = packet.dts if packet is not None and packet.dts is not None else self._last
        made: list[Packet[Any]] = []
        try:
            frames = self._stream.decode(packet) if self._failed < _DAMAGED_MOST else []
        except av.EOFError:
            return made
        except (av.FFmpegError, OSError):
            self._failed, self.damaged = self._failed + 1, True
            return made
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            if frame.pts is not None:
                frame.pts -= self._origin
            made += self._own.encode(frame)
        return made


def _encoder(stream: AudioStream, target: OutputContainer) -> Any:
    """An AAC stream like the source's."""
    rate = stream.rate if stream.rate in _RATES else 48000
    own: Any = target.add_stream("aac", rate=rate)
    channels = stream.codec_context.channels
    own.codec_context.layout = stream.layout.name if channels <= _CHANNELS_MOST else "stereo"
    own.codec_context.bit_rate = _BIT_RATE_A_CHANNEL * min(channels, _CHANNELS_MOST)
    return own

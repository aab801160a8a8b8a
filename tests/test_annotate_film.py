"""The annotated copy as a film: upright, with the times, the colours and the sound of its source."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from annotated import film_of, follow, made, moving, near, trail
from builders import LEFT, MIDDLE, RED, Shot, paint, write_video
from calling import run
from filming import assert_shows, quarters, read, write
from indexing import index
from test_video import MATRICES, ONE

from reports.annotating.colours import GREY


@pytest.mark.parametrize("name", MATRICES)
def test_the_copy_is_upright(name: str, tmp_path: Path) -> None:
    (a, b, c, d), _, as_shown = MATRICES[name]
    source = tmp_path / "phone.mp4"
    write(source, [quarters()] * 3)
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    source.write_bytes(data)
    box = follow([0.0, 0.2], lambda s: (10, 52), side=30)
    output, _ = made(source, trail(box, "", similarity=None))
    written = output.read_bytes()
    assert struct.unpack_from(">9i", written, written.index(b"tkhd") + 44) == (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    upright = np.asarray(as_shown(quarters()))
    for frame in read(output):
        assert_shows(frame, upright)
        assert near(frame.bgr, (10, 65), tuple(reversed(GREY)), 50) and near(
            frame.bgr, (39, 65), tuple(reversed(GREY)), 50
        )


@pytest.mark.parametrize("size", [(161, 121), (35, 17), (3, 1), (1, 1)])
def test_odd_sizes_become_even(size: tuple[int, int], tmp_path: Path) -> None:
    source = tmp_path / "odd.mkv"
    write(source, [quarters(*size)] * 2, "ffv1", "yuv420p")
    output, _ = made(source, trail(follow([0.0, 0.1], lambda s: (0, 0), side=max(*size) // 2)))
    shown = read(output)
    assert len(shown) == 2 and shown[0].luma.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2)


FORMATS = [
    ("libx264", "yuv422p", "mp4"), ("libx264", "yuvj420p", "mp4"), ("libx264", "yuv420p10le", "mp4"),
    ("mjpeg", "yuvj422p", "avi"), ("libvpx", "yuv420p", "webm"), ("ffv1", "yuv444p16le", "mkv"),
    ("ffv1", "gbrp10le", "mkv"), ("rawvideo", "rgb24", "mov"), ("rawvideo", "yuyv422", "mov"), ("gif", "rgb8", "gif"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), FORMATS)
def test_colours_are_those_of_the_source(codec: str, pix_fmt: str, suffix: str, tmp_path: Path) -> None:
    """Full range, RGB and 10 bits become what every player shows right."""
    source = tmp_path / f"clip.{suffix}"
    write(source, [quarters()] * 3, codec, pix_fmt)
    output, _ = made(source)
    for frame in read(output):
        assert_shows(frame, quarters(), tolerance=60 if suffix == "gif" else 20)


def test_the_copy_is_what_browsers_play(tmp_path: Path) -> None:
    output, outcome = made(film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE)))
    with av.open(str(output)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert int(stream.codec_context.color_range) != 2, "not of full range"
    data = output.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat"), "it plays before it is loaded"
    assert outcome.frames == 20 and outcome.duration_s == pytest.approx(2.0)


def times_of(path: Path) -> list[float]:
    return [frame.time_s for frame in read(path)]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_are_kept(suffix: str, tmp_path: Path) -> None:
    """A recording of a screen: pictures come when something happens."""
    source = tmp_path / f"screen.{suffix}"
    stamps = [0, 40, 45, 500, 3000, 3033, 9999]
    write(source, [quarters()] * 7, pts=stamps, time_base=Fraction(1, 1000), rate=1000)
    output, _ = made(source)
    assert times_of(output) == pytest.approx(times_of(source), abs=1e-6)


def test_times_of_ntsc_and_of_a_clock_that_began_before(tmp_path: Path) -> None:
    ntsc, late = tmp_path / "ntsc.mp4", tmp_path / "late.ts"
    write(ntsc, [quarters(32, 16)] * 200, rate=Fraction(30000, 1001), options={"preset": "ultrafast"})
    write(late, [quarters()] * 5, pts=range(200, 205))
    for source in (ntsc, late):
        output, _ = made(source)
        assert times_of(output) == pytest.approx(times_of(source), abs=2e-6)


def with_sound(path: Path, codec: str, rate: int = 8000, layout: str = "mono", streams: int = 1) -> Path:
    """Two seconds of picture, and of a tone from half a second before it on."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=10, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sounds: list[Any] = [out.add_stream(codec, rate=rate, layout=layout) for _ in range(streams)]
        wave = (0.3 * np.sin(np.arange(rate * 5 // 2) * 2 * np.pi * 440 / rate) * 32767).astype(np.int16)
        for number, sound in enumerate(sounds):
            for start in range(0, len(wave), 1024):
                chunk = wave[start : start + 1024][None] // (number + 1)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk), format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                out.mux(sound.encode(frame))
            out.mux(sound.encode())
        for number in range(20):
            picture = av.VideoFrame.from_ndarray(paint({RED: MIDDLE}), format="bgr24")
            picture.pts, picture.time_base = 5 + number, Fraction(1, 10)
            out.mux(video.encode(picture))
        out.mux(video.encode())
    return path


def packets_of(path: Path) -> list[list[tuple[float, bytes]]]:
    """(time, content) of the packets of each audio stream."""
    with av.open(str(path)) as container:
        found: list[list[tuple[float, bytes]]] = [[] for _ in container.streams.audio]
        first = container.streams.audio[0].index if found else 0
        for packet in container.demux(audio=list(range(len(found)))):
            if packet.size and packet.pts is not None:
                found[packet.stream.index - first].append((float(packet.pts * packet.time_base), bytes(packet)))
        return found


def samples_of(path: Path) -> tuple[float, float]:
    """When the sound begins, and for how long it is heard."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        start = min(float(frame.pts * frame.time_base) for frame in frames)
        return start - (container.start_time or 0) / 1e6, sum(frame.samples / frame.sample_rate for frame in frames)


COPIED = [("mp4", "aac", 8000), ("mkv", "flac", 44100), ("mkv", "libopus", 48000), ("mkv", "libmp3lame", 44100)]
ENCODED = [("mkv", "pcm_s16le", 44100), ("mkv", "ac3", 48000), ("avi", "pcm_s16le", 8000), ("mkv", "mp2", 48000),
           ("mkv", "pcm_s16le", 7000)]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec", "rate"), COPIED)
def test_sound_is_copied_where_browsers_play_it(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    layout = "stereo" if codec == "libmp3lame" else "mono"
    source = with_sound(tmp_path / f"talk.{suffix}", codec, rate, layout, streams=2 if suffix == "mp4" else 1)
    output, outcome = made(source)
    before, after = packets_of(source), packets_of(output)
    assert outcome.sound == ["copied"] * len(before) and len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert [content for _, content in new] == [content for _, content in old]
        assert np.ptp([t - s for (t, _), (s, _) in zip(new, old, strict=True)]) < 2e-3
    assert times_of(output) == pytest.approx(times_of(source), abs=2e-3), "picture and sound stay together"


@pytest.mark.parametrize(("suffix", "codec", "rate"), ENCODED)
def test_other_sound_is_encoded(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    layout = "stereo" if codec in ("ac3", "mp2") else "mono"
    source = with_sound(tmp_path / f"talk.{suffix}", codec, rate, layout)
    output, outcome = made(source)
    assert outcome.sound == ["encoded"]
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    (begins, lasts), (begins_too, lasts_too) = samples_of(source), samples_of(output)
    assert begins_too == pytest.approx(begins, abs=0.15) and lasts_too == pytest.approx(lasts, abs=0.2)


def test_a_damaged_video_is_annotated_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "footage" / "a.mkv", [Shot(6.0, {RED: LEFT}, drift=0.5)])
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    index(tmp_path / "archive", whole.parent)
    done = run("annotate", whole, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 3 and "damaged after" in done.stdout
    assert 10 < len(read(tmp_path / "o.mp4")) == len(read(whole)) < 60


def test_a_video_without_people_is_copied(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "empty.mp4", [Shot(1.0, {})])
    index(tmp_path / "archive", source.parent)
    done = run("annotate", source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 0 and "0 people in 0 appearances" in done.stdout
    for old, new in zip(read(source), read(tmp_path / "o.mp4"), strict=True):
        assert np.abs(old.bgr.astype(int) - new.bgr).max() < 8


def test_titles_and_dates_come_along(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE, seconds=0.5))
    tagged = tmp_path / "tagged.mp4"
    with av.open(str(source)) as old, av.open(str(tagged), "w") as new:
        new.metadata.update({"title": "At the harbour", "creation_time": "2014-05-06T07:08:09.000000Z"})
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    output, _ = made(tagged)
    with av.open(str(output)) as container:
        assert container.metadata["title"] == "At the harbour"
        assert container.metadata["creation_time"].startswith("2014-05-06")

"""Decoding: upright pictures, true times and the decoder's own brightness."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from builders import painted_settings
from fakes import open_fakes
from filming import assert_shows, damage_of, quarters, read, reason_of, write

from cvid.analyse import analyse
from cvid.opencv import cv2
from cvid.video import probe

ONE = 65536
MATRICES = {
    "as it is": ((ONE, 0, 0, ONE), 0, lambda p: p),
    "a quarter clockwise": ((0, ONE, -ONE, 0), 270, lambda p: np.rot90(p, -1)),
    "half": ((-ONE, 0, 0, -ONE), 180, lambda p: np.rot90(p, 2)),
    "a quarter counter-clockwise": ((0, -ONE, ONE, 0), 90, lambda p: np.rot90(p, 1)),
    "left and right changed": ((-ONE, 0, 0, ONE), 0, lambda p: p[:, ::-1]),
    "top and bottom changed": ((ONE, 0, 0, -ONE), 180, lambda p: p[::-1]),
    "mirrored at the diagonal": ((0, ONE, ONE, 0), 90, lambda p: p.transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_the_display_matrix_is_obeyed(name: str, tmp_path: Path) -> None:
    """(a, b, c, d) of ISO/IEC 14496-12: a stored point (x, y) is shown at (a·x + c·y, b·x + d·y)."""
    (a, b, c, d), degrees, as_shown = MATRICES[name]
    path = tmp_path / "phone.mp4"
    write(path, [quarters()] * 3)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    assert struct.unpack_from(">9i", data, at) == (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    info, upright = probe(path), np.asarray(as_shown(quarters()))
    assert (info.height, info.width) == upright.shape[:2] and info.rotation_deg == degrees
    shown = read(path)
    assert len(shown) == 3
    for frame in shown:
        assert_shows(frame, upright)


FORMATS = [
    *(("libx264", f, "mp4") for f in ("yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuv420p10le", "nv12")),
    ("libx264", "yuv422p", "mkv"), ("mjpeg", "yuvj422p", "avi"), ("mpeg2video", "yuv420p", "mpg"),
    ("libvpx", "yuv420p", "webm"), ("prores", "yuv422p10le", "mov"), ("ffv1", "yuv444p16le", "mkv"),
    ("ffv1", "bgr0", "mkv"), ("ffv1", "gbrp10le", "mkv"), ("png", "rgb24", "mov"), ("rawvideo", "rgb24", "mov"),
    ("rawvideo", "bgr24", "avi"), ("rawvideo", "yuyv422", "mov"), ("rawvideo", "nv12", "mkv"), ("gif", "rgb8", "gif"),
    ("libx264", "yuv420p", "ts"), ("libx264", "yuv420p", "flv"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), FORMATS)
def test_formats(codec: str, pix_fmt: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{suffix}"
    write(path, [quarters()] * 4, codec, pix_fmt)
    info, shown = probe(path, "abc"), read(path)
    assert (info.kind, info.width, info.height, info.sha256) == ("video", 160, 120, "abc")
    assert len(shown) == 4 and [f.index for f in shown] == [0, 1, 2, 3]
    for frame in shown:
        assert_shows(frame, quarters(), tolerance=60 if suffix == "gif" else 12)
    assert damage_of(path) == (4, "")


@pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "gray14le", "gray16le", "ya8"])
def test_footage_without_colour(pix_fmt: str, tmp_path: Path) -> None:
    path = tmp_path / "thermal.mkv"
    write(path, [quarters()], "ffv1", pix_fmt)
    (frame,) = read(path)
    grey = cv2.cvtColor(quarters(), cv2.COLOR_BGR2GRAY)
    assert np.abs(frame.luma.astype(int) - grey).max() <= 2
    assert np.abs(frame.bgr.astype(int) - grey[:, :, None]).max() <= 2


@pytest.mark.parametrize("size", [(161, 121), (35, 17), (3, 1), (1, 1)])
@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [("ffv1", "yuv420p", "mkv"), ("libx264", "yuv444p", "mp4"), ("rawvideo", "bgr24", "avi"), ("gif", "rgb8", "gif")],
)
def test_odd_and_tiny_sizes(size: tuple[int, int], codec: str, pix_fmt: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd.{suffix}"
    write(path, [quarters(*size)] * 2, codec, pix_fmt)
    info, shown = probe(path), read(path)
    assert (info.width, info.height) == size and len(shown) == 2
    assert all(f.luma.shape == size[::-1] and f.bgr.shape == (*size[::-1], 3) for f in shown)
    assert analyse(path, "abc", open_fakes(), painted_settings()).counts.decoded == 2


def test_luma_is_the_decoders_own_plane(tmp_path: Path) -> None:
    """No colour conversion: not even for 10 bits, where the upper 8 are taken, and for widths with padding."""
    random = np.random.default_rng(1)
    planes = random.integers(0, 255, (3, 37, 61), dtype=np.uint8)
    for pix_fmt, shift in (("yuv444p", 0), ("yuv444p10le", 2), ("yuv444p16le", 8)):
        path = tmp_path / f"{pix_fmt}.mkv"
        with av.open(str(path), "w") as out:
            stream: Any = out.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 61, 37, pix_fmt
            frame = av.VideoFrame(61, 37, pix_fmt)
            for plane, values in zip(frame.planes, planes, strict=True):
                words = values.astype(np.uint16 if shift else np.uint8) << shift
                padded = np.zeros((37, plane.line_size // words.itemsize), words.dtype)
                padded[:, :61] = words
                plane.update(padded.tobytes())
            out.mux(stream.encode(frame))
            out.mux(stream.encode())
        (shown,) = read(path)
        assert np.array_equal(shown.luma, planes[0]), pix_fmt


def test_times_are_presentation_timestamps(tmp_path: Path) -> None:
    """A recording of a screen: pictures come when something happens."""
    stamps_ms = [0, 40, 45, 500, 3000, 3033, 9999]
    for suffix in ("mp4", "mkv"):
        path = tmp_path / f"screen.{suffix}"
        write(path, [quarters()] * 7, pts=stamps_ms, time_base=Fraction(1, 1000), rate=1000)
        assert [f.time_s for f in read(path)] == pytest.approx([ms / 1000 for ms in stamps_ms], abs=2e-3)


def test_times_of_ntsc_do_not_drift(tmp_path: Path) -> None:
    path = tmp_path / "ntsc.mp4"
    write(path, [quarters(16, 16)] * 1000, rate=Fraction(30000, 1001), options={"preset": "ultrafast"})
    assert probe(path).rate == Fraction(30000, 1001)
    times = [f.time_s for f in read(path)]
    assert times == pytest.approx([i * 1001 / 30000 for i in range(1000)], abs=1e-4)
    assert times[-1] - 999 / 30 > 0.03, "index ÷ 30 would be wrong by more than a frame"


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_times_count_from_the_start_of_the_container(suffix: str, tmp_path: Path) -> None:
    """A picture that begins 2 s after the sound is at 2 s; a recording whose clock stood at 20 s begins at 0."""
    alone, late = tmp_path / f"alone.{suffix}", tmp_path / f"late.{suffix}"
    write(alone, [quarters()] * 5, pts=range(200, 205))
    assert [f.time_s for f in read(alone)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=2e-3)
    with av.open(str(late), "w") as out:
        video: Any = out.add_stream("libx264", rate=10, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound: Any = out.add_stream("aac", rate=8000)
        for number in range(30):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate, silence.pts = 8000, 1024 * number
            out.mux(sound.encode(silence))
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(quarters(), format="bgr24")
            frame.pts, frame.time_base = 20 + number, Fraction(1, 10)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        out.mux(sound.encode())
    assert [f.time_s for f in read(late)] == pytest.approx([2, 2.1, 2.2, 2.3, 2.4], abs=0.15)
    assert damage_of(late) == (5, ""), "the sound is longer than the picture, which is no damage"


def test_times_always_increase(tmp_path: Path) -> None:
    """Two recordings put together byte by byte: the second one's clock starts anew."""
    parts = []
    for start in (50, 0):
        part = tmp_path / f"{start}.ts"
        write(part, [quarters()] * 20, pts=range(start, start + 20), options={"bf": "0"})
        parts.append(part.read_bytes())
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    times = [f.time_s for f in read(tmp_path / "both.ts")]
    assert len(times) >= 38 and (np.diff(times) > 0).all() and times[0] == 0


def test_a_stream_without_a_clock(tmp_path: Path) -> None:
    path = tmp_path / "camera.h264"
    write(path, [quarters()] * 6, options={"bf": "0"})
    info, shown = probe(path), read(path)
    assert info.duration_s == 0 and len(shown) == 6
    assert [f.time_s for f in shown] == pytest.approx([i / float(info.rate) for i in range(6)])
    assert damage_of(path) == (6, "")


def test_a_video_written_live_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    class Pipe:
        """Only a `write`: a muxer cannot go back to note the length."""

        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

    pipe: Any = Pipe()
    with av.open(pipe, "w", format="matroska") as out:
        stream: Any = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(15):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(quarters(), format="bgr24")))
        out.mux(stream.encode())
    path = tmp_path / "live.mkv"
    path.write_bytes(pipe.data)
    assert probe(path).duration_s == 0 and damage_of(path) == (15, "")
    assert analyse(path, "abc", open_fakes(), painted_settings()).duration_s == pytest.approx(1.4, abs=2e-3)


def test_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "one.mp4"
    write(path, [quarters()])
    (frame,) = read(path)
    assert (frame.index, frame.time_s) == (0, 0.0) and damage_of(path) == (1, "")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp", ".bmp", ".avif", ".jp2"])
def test_photographs(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo{suffix}"
    done, data = cv2.imencode(suffix, quarters())
    assert done
    path.write_bytes(bytes(data))
    info, (frame,) = probe(path, "abc"), read(path)
    assert (info.kind, info.width, info.height, info.sha256) == ("picture", 160, 120, "abc")
    assert (info.duration_s, info.rate, frame.index, frame.time_s) == (0, 0, 0, 0)
    assert_shows(frame, quarters(), tolerance=20)


@pytest.mark.parametrize("kind", ["8 bits with alpha", "16 bits", "grey", "1 px"])
def test_photographs_of_other_kinds(kind: str, tmp_path: Path) -> None:
    picture = {
        "8 bits with alpha": np.dstack([quarters(), np.full((120, 160), 9, np.uint8)]),
        "16 bits": quarters().astype(np.uint16) * 257,
        "grey": quarters()[:, :, 0],
        "1 px": quarters()[:1, :1],
    }[kind]
    path = tmp_path / "photo.png"
    path.write_bytes(bytes(cv2.imencode(".png", picture)[1]))
    (frame,) = read(path)
    wanted = (
        np.dstack([quarters()[:, :, 0]] * 3) if kind == "grey" else quarters()[: picture.shape[0], : picture.shape[1]]
    )
    assert np.abs(frame.bgr.astype(int) - wanted).max() <= 1


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an Exif block of one entry."""
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0) + bytes(4)
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


STORED_TO_UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, 1),
}


@pytest.mark.parametrize("orientation", STORED_TO_UPRIGHT)
def test_exif_orientation_is_obeyed(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(with_orientation(bytes(cv2.imencode(".jpg", quarters())[1]), orientation))
    upright = np.asarray(STORED_TO_UPRIGHT[orientation](quarters()))
    info, (frame,) = probe(path), read(path)
    assert (info.height, info.width) == upright.shape[:2]
    assert_shows(frame, upright, tolerance=20)


def test_a_picture_larger_than_memory_fails(tmp_path: Path) -> None:
    data = bytearray(cv2.imencode(".bmp", quarters())[1].tobytes())
    struct.pack_into("<ii", data, 18, 200_000, 200_000)
    (tmp_path / "bomb.bmp").write_bytes(data)
    assert "cannot be decoded" in reason_of(tmp_path / "bomb.bmp")

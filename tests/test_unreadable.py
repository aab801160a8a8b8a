"""What cannot be read, wholly or in part: said in plain words, and never followed anywhere else."""

from __future__ import annotations

import io
import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from builders import may_read_everything, painted_settings, sound_only
from fakes import open_fakes
from filming import damage_of, noise, quarters, read, reason_of, write

from cvid.analyse import analyse
from cvid.errors import VideoError
from cvid.media import looks_like_media
from cvid.opencv import cv2
from cvid.video import frames, probe

CUT = [("mp4", "libx264", {"movflags": "faststart"}), ("mkv", "libx264", {}), ("webm", "libvpx", {}),
       ("flv", "libx264", {})]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec", "muxing"), CUT)
def test_of_a_video_cut_short_the_first_part_is_read(
    suffix: str, codec: str, muxing: dict[str, str], tmp_path: Path
) -> None:
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    write(whole, noise(100), codec, muxing=muxing, options={"g": "10"})
    assert damage_of(whole) == (100, "")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    count, damage = damage_of(cut)
    assert 30 < count < 70
    first, _, last = damage.removeprefix("damaged after ").partition(" s of ")
    assert 3 < float(first) < 7 and last == "10.0 s"
    seen = analyse(cut, "abc", open_fakes(), painted_settings())
    assert seen.damage == damage and 0.3 * count < seen.counts.decoded <= count
    assert abs(seen.duration_s - float(first)) < 0.06
    assert analyse(whole, "abc", open_fakes(), painted_settings()).damage == ""


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_damaged_places_are_passed_over_and_told(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"hurt.{suffix}"
    write(path, noise(100), options={"g": "10", "bf": "0"}, muxing={"movflags": "faststart"} if suffix == "mp4" else {})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(0).integers(0, 255, 4000, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    count, damage = damage_of(path)
    assert 60 < count <= 100 and read(path)[-1].time_s > 9
    at_s = float(damage.rpartition(" at ")[2].removesuffix(" s"))
    assert damage.startswith("damaged ") and 3 < at_s < 7


def test_a_still_held_to_the_end_is_no_damage(tmp_path: Path) -> None:
    """A slide show: the last picture has a time of its own, long before the end."""
    path = tmp_path / "slides.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(quarters(), format="bgr24")
            frame.pts, frame.time_base = number * 100, Fraction(1, 10)
            for packet in stream.encode(frame):
                packet.duration = 100
                out.mux(packet)
        for packet in stream.encode():
            packet.duration = 100
            out.mux(packet)
    assert probe(path).duration_s == pytest.approx(30) and read(path)[-1].time_s == pytest.approx(20)
    assert damage_of(path) == (3, "")


def test_frames_dropped_by_the_camera_are_no_damage(tmp_path: Path) -> None:
    """An AVI marks a dropped picture by an empty chunk."""
    path = tmp_path / "dropped.avi"
    write(path, [quarters()] * 10, "mjpeg", "yuvj420p")
    data = path.read_bytes()
    start = at = data.index(b"movi") + 4
    chunks = []
    while data[at : at + 4] == b"00dc":
        (size,) = struct.unpack_from("<I", data, at + 4)
        chunks.append(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    assert len(chunks) == 10
    chunks[3] = chunks[4] = b""
    body, index = b"", b""
    for chunk in chunks:
        index += b"00dc" + struct.pack("<III", 16, len(body) + 4, len(chunk))
        body += b"00dc" + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    path.write_bytes(
        data[: start - 8] + struct.pack("<I", len(body) + 4) + b"movi" + body
        + b"idx1" + struct.pack("<I", len(index)) + index
    )  # fmt: skip
    assert [round(f.time_s, 3) for f in read(path)] == [0.0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert damage_of(path) == (8, "")


def with_cover(path: Path) -> Path:
    """Music with a picture of its sleeve."""
    with av.open(str(path), "w", format="mp4") as out:
        sound: Any = out.add_stream("aac", rate=44100)
        cover: Any = out.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 160, 120, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(quarters(), format="bgr24")))
        out.mux(cover.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44100
        out.mux(sound.encode(silence))
        out.mux(sound.encode())
    return path


def test_what_holds_no_picture_says_so(tmp_path: Path) -> None:
    assert "sound only" in reason_of(sound_only(tmp_path / "a.mp4"))
    assert "sound only" in reason_of(sound_only(tmp_path / "a.m4a"))
    assert "sound only" in reason_of(with_cover(tmp_path / "song.mp4"))


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "future.mp4"
    write(path, [quarters()])
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzq9"))
    assert reason_of(path) == "no frame of it can be decoded"


JUNK = {
    "zero.mp4": (b"", "the file is empty"),
    "text.mp4": (b"not a video, only words\n" * 50, "another kind of file"),
    "zeros.mkv": (bytes(100_000), "another kind of file"),
    "random.mov": (np.random.default_rng(0).integers(0, 255, 50_000, dtype=np.uint8).tobytes(), "another kind"),
    "head.jpg": (b"\xff\xd8\xff\xe0" + bytes(20), "the picture cannot be decoded"),
    "BMW.txt": (b"BMW, Audi", "the picture cannot be decoded"),
}


@pytest.mark.parametrize("name", JUNK)
def test_what_is_no_footage_says_so(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data, words = JUNK[name]
    (tmp_path / name).write_bytes(data)
    assert words in reason_of(tmp_path / name)
    assert capfd.readouterr() == ("", ""), "the decoders keep quiet"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp", ".bmp", ".avif"])
def test_half_a_photograph_fails(suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"half{suffix}"
    data = bytes(cv2.imencode(suffix, noise(1)[0])[1])
    path.write_bytes(data[: len(data) // 2])
    assert reason_of(path)
    assert capfd.readouterr() == ("", "")


def test_half_an_mp4_without_its_table_fails(tmp_path: Path) -> None:
    path = tmp_path / "half.mp4"
    write(path, noise(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged, cut short" in reason_of(path)


def test_things_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert "directory" in reason_of(tmp_path / "folder.mp4").lower()
    assert "no such file" in reason_of(tmp_path / "gone.mp4").lower()
    with pytest.raises(VideoError):
        looks_like_media(tmp_path / "gone")
    path = tmp_path / "vanishes.mp4"
    write(path, [quarters()])
    info = probe(path)
    path.unlink()
    with pytest.raises(VideoError, match=r"[Nn]o such file"):
        list(frames(path, info))


@pytest.mark.skipif(may_read_everything(), reason="this user may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.mp4"
    write(path, [quarters()])
    path.chmod(0)
    assert "permission" in reason_of(path).lower()


LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{0}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{0}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT10S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
    'bandwidth="1"><BaseURL>{0}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "rtsptext": "rtsptextrtsp://127.0.0.1/x\r\n",
    "asx": "<asx version='3.0'><entry><ref href='{0}'/></entry></asx>",
}


@pytest.mark.parametrize("disguise", [".mp4", ".mkv", ".ts", ".jpg", ""])
@pytest.mark.parametrize("kind", LISTS)
def test_a_playlist_opens_no_other_file(kind: str, disguise: str, tmp_path: Path) -> None:
    """A pipe stands where the playlist points: opening it for reading would block for ever, and be seen."""
    bait = tmp_path / "bait.ts"
    os.mkfifo(bait)
    path = tmp_path / f"list{disguise or '.' + kind}"
    path.write_text(LISTS[kind].format(bait))
    assert "another kind of file" in reason_of(path)
    with pytest.raises(OSError, match="No such device"):  # nobody reads
        os.open(bait, os.O_WRONLY | os.O_NONBLOCK)


NAMES = ["two words.mp4", "[brackets] (x){y}.mp4", "😀 ñ.mp4", "-i.mp4", "a:b.mp4", "http:x.mp4", "file:x.mp4",
         "concat:a|b.mp4", "%03d.mp4", "a\nb.mp4", "\udcff\udcfe.mp4", "pipe:0", "no suffix", "wrong.jpg"]  # fmt: skip


def test_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as relative paths, where nothing but the name stands."""
    data = io.BytesIO()
    write(data, [quarters()] * 2, container="mp4")
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(name).write_bytes(data.getvalue())
        assert len(read(Path(name))) == 2, name
        assert looks_like_media(Path(name)), name


def test_what_looks_like_media(tmp_path: Path) -> None:
    for name, data, claims in (
        ("words.mp4", b"words", True),
        ("words.JPEG", b"words", True),
        ("words.txt", b"words", False),
        ("clip", b"\0\0\0\x18ftypisom", True),
        ("clip2", b"\x1aE\xdf\xa3", True),
        ("cam", (b"\x47" + bytes(187)) * 3, True),
        ("empty", b"", False),
    ):
        (tmp_path / name).write_bytes(data)
        assert looks_like_media(tmp_path / name) is claims, name

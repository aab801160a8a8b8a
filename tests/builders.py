"""Painted footage, and valid types made from short lists."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from cvid.opencv import cv2
from cvid.settings import Settings
from cvid.types import Bytes, Embeddings, Floats, FrameCounts, Track, TrackAnalysis, VideoAnalysis, VideoInfo

WIDTH, HEIGHT, RATE = 160, 120, 10
SIDE = 44

RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)
CYAN, MAGENTA, YELLOW = (255, 255, 0), (255, 0, 255), (0, 255, 255)
PALETTE = (RED, GREEN, BLUE, CYAN, MAGENTA, YELLOW)
LEFT, RIGHT, MIDDLE = (10, 30), (100, 50), (55, 38)

Colour = tuple[int, int, int]
Place = tuple[int, int]


@dataclass(frozen=True)
class Shot:
    """A shot of `seconds` with faces: colour → where its corner is at the start, from where they drift to the right."""

    seconds: float
    faces: Mapping[Colour, Place]
    ground: int = 100
    drift: float = 0.25  # px a frame


def painted_settings(**changes: Any) -> Settings:
    """Settings for painted faces, whose colours are either the same or far apart; `section={…}` changes more."""
    sections: dict[str, Any] = {"clustering": {"bar": 0.7, "found_quality": 0.05}, "jobs": 1}
    for name, value in changes.items():
        sections[name] = sections.get(name, {}) | value if isinstance(value, dict) else value
    return Settings.model_validate(sections)


def paint(faces: Mapping[Colour, Place], ground: int = 100, width: int = WIDTH, height: int = HEIGHT) -> Bytes:
    """A grey picture with faces: squares with eyes, nose and mouth, so that they are sharp."""
    picture = np.full((height, width, 3), ground, np.uint8)
    for colour, (x, y) in faces.items():
        cv2.rectangle(picture, (x, y), (x + SIDE - 1, y + SIDE - 1), colour, -1)
        for fx, fy in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.5, 0.8), (0.65, 0.8)):
            cv2.circle(picture, (round(x + fx * SIDE), round(y + fy * SIDE)), 3, (20, 20, 20), -1)
    return np.asarray(picture, np.uint8)


def write_video(
    path: Path,
    shots: Sequence[Shot],
    rate: int = RATE,
    width: int = WIDTH,
    height: int = HEIGHT,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Film shots as H.264, 10 frames a second; as Matroska where the name says so, else as MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "matroska" if path.suffix == ".mkv" else "mp4"
    with path.open("wb") as file, av.open(file, "w", format=kind) as container:
        coding = {"preset": "ultrafast", "crf": "12", **(options or {})}
        stream = container.add_stream("libx264", rate=rate, options=coding)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for shot in shots:
            for step in range(round(shot.seconds * rate)):
                faces = {colour: (int(x + step * shot.drift), y) for colour, (x, y) in shot.faces.items()}
                frame = av.VideoFrame.from_ndarray(paint(faces, shot.ground, width, height), format="bgr24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def film(path: Path, *colours: Colour, seconds: float = 2.5, ground: int = 100) -> Path:
    """A video of one shot with one or two people."""
    places = (MIDDLE,) if len(colours) == 1 else (LEFT, RIGHT)
    return write_video(path, [Shot(seconds, dict(zip(colours, places, strict=False)), ground)])


def photograph(path: Path, *colours: Colour) -> Path:
    """A still with one or two people."""
    places = (MIDDLE,) if len(colours) == 1 else (LEFT, RIGHT)
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", paint(dict(zip(colours, places, strict=False))))
    assert done
    path.write_bytes(bytes(data))
    return path


def white_video(path: Path) -> Path:
    """A video of nothing but white, at which `fakes.open_deadly` dies."""
    return write_video(path, [Shot(1.0, {}, ground=255)])


def sound_only(path: Path) -> Path:
    """A file with a media name that holds sound alone."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def may_read_everything() -> bool:
    """Does this process read what nobody may read, as the superuser does?"""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0)
        return os.access(file.name, os.R_OK)


def sha_of(text: str) -> str:
    """A sha256 to play with."""
    return hashlib.sha256(text.encode()).hexdigest()


def unit(*numbers: float) -> Floats:
    """A unit vector, (d,)."""
    vector = np.array(numbers, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def track(start_s: float, end_s: float, x: float = 0.0, quality: float = 0.9) -> Track:
    """A face at (x, 10), 40 px wide, seen five times; once where it starts as it ends."""
    t = 5 if end_s > start_s else 1
    times = np.linspace(start_s, end_s, t)
    return Track(
        times,
        np.round(times * 25).astype(np.int64),
        np.tile(np.array([x, 10, x + 40, 50], np.float32), (t, 1)),
        np.full(t, 0.9, np.float32),
        np.full(t, quality, np.float32),
    )


def track_analysis(of: Track, vector: Floats | None, model: str = "colours:" + "0" * 12) -> TrackAnalysis:
    """A track with one exemplar, or with none, and a picture."""
    vectors = np.zeros((0, 3), np.float32) if vector is None else vector[None]
    embeddings = Embeddings(vectors, model)
    return TrackAnalysis(of, embeddings, embeddings, [(float(of.time_s[0]), b"\xff\xd8 no picture \xff\xd9")])


def analysis(sha256: str, tracks: Sequence[TrackAnalysis], kind: str = "video") -> VideoAnalysis:
    """What was seen in one video."""
    info = VideoInfo("", sha256, kind, WIDTH, HEIGHT, 10.0, Fraction(25), "h264", 0)
    return VideoAnalysis(info, tracks, FrameCounts(10, {"cut": 1, "still": 9}), len(tracks), 0.1, 10.0, "")

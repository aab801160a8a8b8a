"""Films pictures of known colours in any codec and container, and reads them back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cvid.errors import VideoError
from cvid.opencv import cv2
from cvid.types import Bytes, Frame
from cvid.video import frames, probe

CORNERS = ((255, 255, 255), (40, 40, 40), (0, 0, 200), (200, 0, 0))
"""BGR of the top left, top right, bottom left and bottom right quarter."""


def quarters(width: int = 160, height: int = 120) -> Bytes:
    """A picture that tells how it is turned."""
    picture = np.empty((height, width, 3), np.uint8)
    for number, colour in enumerate(CORNERS):
        y, x = divmod(number, 2)
        picture[y * height // 2 : (y + 1) * height // 2 + 1, x * width // 2 : (x + 1) * width // 2 + 1] = colour
    return picture


def write(
    target: Path | io.BytesIO,
    pictures: Sequence[Bytes],
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    *,
    container: str | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 10),
    rate: Fraction | int = 10,
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
) -> None:
    """Film pictures, at `pts` (units of `time_base`) or at a steady rate."""
    where: Any = target if isinstance(target, io.BytesIO) else str(target)
    with av.open(where, "w", format=container, options=muxing or {}) as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if pts is not None:
            stream.codec_context.time_base = time_base
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            if pts is not None:
                frame.pts, frame.time_base = pts[number], time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def noise(count: int, seed: int = 0) -> list[Bytes]:
    """Pictures that do not compress, so that a file has bytes to lose."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (count, 12, 16, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(picture, (64, 48), interpolation=cv2.INTER_NEAREST), np.uint8) for picture in small]


def read(path: Path) -> list[Frame]:
    return list(frames(path, probe(path)))


def damage_of(path: Path) -> tuple[int, str]:
    """How many frames can be read, and what is said to be damaged."""
    told: list[str] = []
    count = sum(1 for _ in frames(path, probe(path), told.append))
    assert len(told) <= 1
    return count, "".join(told)


def reason_of(path: Path) -> str:
    with pytest.raises(VideoError) as caught:
        probe(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def corners_of(picture: Bytes) -> list[tuple[int, ...]]:
    height, width = picture.shape[:2]
    return [
        tuple(int(c) for c in np.atleast_1d(picture[y, x]))
        for y in (height // 4, height * 3 // 4)
        for x in (width // 4, width * 3 // 4)
    ]


def assert_shows(frame: Frame, upright: Bytes, tolerance: int = 12) -> None:
    """The frame is this picture, and its luma agrees with its colours."""
    assert frame.bgr.shape == upright.shape and frame.luma.shape == upright.shape[:2]
    assert np.abs(np.array(corners_of(frame.bgr)) - np.array(corners_of(upright))).max() <= tolerance
    grey = np.asarray(cv2.cvtColor(upright, cv2.COLOR_BGR2GRAY), np.uint8)
    difference = np.abs(np.array(corners_of(frame.luma)) - np.array(corners_of(grey)))
    assert difference.max() <= 24, "limited range leaves 16..235"
    assert np.argsort(np.ravel(corners_of(frame.luma))).tolist() == np.argsort(np.ravel(corners_of(grey))).tolist()

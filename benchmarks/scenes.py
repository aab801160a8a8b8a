#!/usr/bin/env python3
"""Film scenes of known kind and size, to see where the time goes: talking heads, crowds, still scenes.

    CVID_BENCH_DATA=… python benchmarks/scenes.py OUT [--sizes 360p,1080p,4k] [--seconds 40]

Writes OUT/KIND-SIZE.mp4, H.264 as cameras and editors leave it (B-frames, a key frame every ten seconds). The faces are
photographs of the stills; the scene behind them has texture, and sensors' grain lies over all, so that the decoder has
work to do. A still scene is one in which nobody moves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from data import data_folder

SIZES = {"360p": (640, 360), "1080p": (1920, 1080), "4k": (3840, 2160)}
KINDS = ("heads", "crowd", "still")
RATE = 25
_GRAINS = 4
_SHOT_S = 20
"""A scene is cut so often; a still one is not."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seconds", type=int, default=40)
    a = parser.parse_args()
    stills = data_folder() / "stills" / "lfw"
    a.out.mkdir(parents=True, exist_ok=True)
    for kind in a.kinds.split(","):
        for size in a.sizes.split(","):
            target = a.out / f"{kind}-{size}.mp4"
            if not target.exists():
                write(target, scene(kind, SIZES[size], a.seconds, stills), SIZES[size])
                print(f"{target.name}: {target.stat().st_size / a.seconds / 125e3:.2f} Mbit/s", flush=True)


def write(target: Path, pictures: Iterator[np.ndarray], size: tuple[int, int]) -> None:
    with av.open(str(target), "w") as box:
        stream = box.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "fast", "g": str(10 * RATE)})
        stream.width, stream.height = size
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, RATE)
        for picture in pictures:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        box.mux(stream.encode())


def scene(kind: str, size: tuple[int, int], seconds: int, stills: Path) -> Iterator[np.ndarray]:
    """The frames of one scene, uint8 (h, w, 3)."""
    width, height = size
    rng = np.random.default_rng(5)
    photographs = sorted(stills.glob("*/*.jpg"))
    people = {"heads": 1, "crowd": 12, "still": 1}[kind]
    share = {"heads": 0.6, "crowd": 0.3, "still": 0.4}[kind]  # of the height
    grain = [rng.normal(0, 2.0, (height, width, 1)).astype(np.int16) for _ in range(_GRAINS)]
    for index in range(seconds * RATE):
        if index % (_SHOT_S * RATE) == 0 and (kind != "still" or not index):
            behind = texture(rng, size)
            chosen = [cv2.imread(str(photographs[i])) for i in rng.integers(0, len(photographs), people)]
            side = int(share * height)
            faces = [cv2.resize(photo, (side, side), interpolation=cv2.INTER_CUBIC) for photo in chosen]
            columns = min(people, 6)
            homes = [
                ((i % columns + 0.5) * width / columns, (i // columns + 0.5) * height / -(-people // columns))
                for i in range(people)
            ]
            phase = rng.uniform(0, 6.28, (people, 2))
        picture = behind.copy()
        for face, home, (p, q) in zip(faces, homes, phase, strict=True):
            sway = 0.0 if kind == "still" else 0.05 * face.shape[0]
            t = index / RATE
            paste(picture, face, home[0] + sway * np.sin(1.3 * t + p), home[1] + sway * 0.5 * np.sin(2.1 * t + q))
        yield np.clip(picture + grain[index % _GRAINS], 0, 255).astype(np.uint8)


def texture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A picture with coarse and fine structure and no face in it, int16 (h, w, 3)."""
    picture = np.zeros((size[1], size[0], 3), np.float32)
    for cells, weight in ((6, 0.6), (40, 0.25), (160, 0.15)):
        coarse = rng.uniform(20, 220, (cells * size[1] // size[0] + 1, cells, 3)).astype(np.float32)
        picture += weight * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.int16)


def paste(picture: np.ndarray, face: np.ndarray, cx: float, cy: float) -> None:
    """Lay an oval of the face over the picture, centred at (cx, cy)."""
    side = face.shape[0]
    mask = oval(side)
    x, y = round(cx - side / 2), round(cy - side / 2)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + side, picture.shape[1]), min(y + side, picture.shape[0])
    own = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    part = picture[y0:y1, x0:x1]
    part[:] = part + (mask[own] * (face[own] - part)).astype(np.int16)


_OVALS: dict[int, np.ndarray] = {}


def oval(side: int) -> np.ndarray:
    """A soft oval, float32 (side, side, 1)."""
    if side not in _OVALS:
        mask = np.zeros((side, side), np.float32)
        cv2.ellipse(mask, (side // 2, side // 2), (int(side * 0.4), int(side * 0.48)), 0, 0, 360, 1, -1)
        _OVALS[side] = cv2.GaussianBlur(mask, (0, 0), max(1, side * 0.02))[..., None]
    return _OVALS[side]


if __name__ == "__main__":
    main()

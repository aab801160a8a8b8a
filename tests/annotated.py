"""Annotates painted videos whose faces are written down, and looks at what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from builders import RATE, SIDE, Colour, Place, paint
from filming import write

from archive.trails import Indexed, Trail
from cvid.detectors import Detector
from cvid.types import Bytes, Track
from reports.annotating.annotate import Cast, Outcome, annotate
from reports.annotating.colours import colour_of
from reports.annotating.scene import Wish

GAP_S = 1.5
PLAIN = Wish()


def follow(times: Sequence[float], at: Callable[[float], Place], side: int = SIDE) -> Track:
    """A face that was seen at these moments; `at` says where its corner is."""
    corners = [at(time_s) for time_s in times]
    ones = np.full(len(times), 0.9, np.float32)
    return Track(
        np.array(times, np.float64),
        np.round(np.array(times) * RATE).astype(np.int64),
        np.array([(x, y, x + side, y + side) for x, y in corners], np.float32),
        ones,
        ones,
    )


def trail(
    track: Track, identity: str = "P0001", name: str = "", similarity: float | None = 0.87, certainty: str = ""
) -> Trail:
    return Trail(f"{identity}-{track.time_s[0]:.2f}", identity, name, similarity, certainty, track)


def cast(*trails: Trail, duration_s: float = 2.0) -> Cast:
    return Cast(Indexed("video", duration_s, "balanced", GAP_S, 1.0), list(trails), [])


def film_of(
    path: Path,
    pictures: Sequence[Bytes],
    rate: int = RATE,
) -> Path:
    """A video of these pictures that is hardly worse than they are."""
    write(path, pictures, rate=rate, options={"crf": "4", "preset": "ultrafast"})
    return path


def moving(
    colour: Colour, at: Callable[[float], Place], seconds: float = 2.0, ground: int = 100, rate: int = RATE
) -> list[Bytes]:
    """Pictures of a face on its way."""
    return [paint({colour: at(n / rate)}, ground) for n in range(round(seconds * rate))]


def made(source: Path, *trails: Trail, wish: Wish = PLAIN, detector: Detector | None = None) -> tuple[Path, Outcome]:
    """The annotated copy of a video, and what is told of it."""
    output = source.with_name(f"{source.stem}.annotated.mp4")
    return output, annotate(source, cast(*trails), wish, output, detector=detector)


def near(picture: Bytes, place: tuple[float, float], colour: Sequence[int], tolerance: int = 40) -> bool:
    """Has the px at (x, y) this colour, BGR, about?"""
    x, y = (round(value) for value in place)
    if not (0 <= x < picture.shape[1] and 0 <= y < picture.shape[0]):
        return False
    return bool(np.abs(picture[y, x].astype(int) - np.array(colour)).max() <= tolerance)


def bgr(identity: str) -> tuple[int, ...]:
    """The colour of somebody's box."""
    return tuple(reversed(colour_of(identity)))


def part(picture: Bytes, corner: Place, side: int = SIDE) -> Bytes:
    """The face at a corner."""
    x, y = corner
    return picture[max(y, 0) : y + side, max(x, 0) : x + side]


def likeness(one: Bytes, other: Bytes) -> float:
    """The correlation of two pictures of one size, once their coarse shades are taken away."""
    from cvid.opencv import cv2

    flat = []
    for picture in (one, other):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
        flat.append((grey - cv2.blur(grey, (grey.shape[1] // 3 | 1, grey.shape[0] // 3 | 1))).ravel())
    x, y = (values - values.mean() for values in flat)
    return float(x @ y) / max(float(np.linalg.norm(x)) * float(np.linalg.norm(y)), 1e-6)

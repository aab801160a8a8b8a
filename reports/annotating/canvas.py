"""A picture that is drawn on: upright, of even size, in the planes that H.264 keeps; only parts are touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from cvid.opencv import cv2
from cvid.types import Bytes, Floats
from cvid.upright import Pose
from cvid.video import Picture
from reports.annotating.colours import Matrix, Yuv

_FULL, _LIMITED = 2, 1  # FFmpeg's numbers for ranges of colours
_BT709, _RGB = 1, 0  # and for matrices
_TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True)
class Look:
    """What all pictures of a film have in common: the size, and FFmpeg's numbers for its colours."""

    width: int  # px, even
    height: int
    colorspace: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, first: Picture) -> Look:
        """The look that a film has whose first picture this is."""
        frame = first.decoded
        width, height = _upright_size(frame, first.pose)
        rgb = frame.format.is_rgb or frame.colorspace == _RGB
        return cls(
            width + width % 2,
            height + height % 2,
            _BT709 if rgb else int(frame.colorspace),
            int(getattr(frame, "color_primaries", 2)),
            int(getattr(frame, "color_trc", 2)),
        )

    @property
    def matrix(self) -> Matrix:
        """How its colours become those of the screen."""
        return Matrix.of(self.colorspace, self.height)


@dataclass(frozen=True, eq=False)
class Patch:
    """A small opaque picture, ready to be laid down: y uint8 (h, w), u and v uint8 (h / 2, w / 2)."""

    y: Bytes
    u: Bytes
    v: Bytes

    @classmethod
    def of(cls, rgb: Bytes, matrix: Matrix) -> Patch:
        """From a picture of even size, uint8 (h, w, 3), RGB."""
        colours = rgb.astype(np.float32) / 255
        r, g, b = colours[..., 0], colours[..., 1], colours[..., 2]
        y = matrix.red * r + (1 - matrix.red - matrix.blue) * g + matrix.blue * b
        u, v = (
            128 + 112 * _halved(np.asarray((one - y) / (1 - k), np.float32))
            for one, k in ((b, matrix.blue), (r, matrix.red))
        )
        return cls(*(np.asarray(np.rint(plane), np.uint8) for plane in (16 + 219 * y, u, v)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.y.shape[1], self.y.shape[0]


class Canvas:
    """A copy of a frame of a video, upright; `frame` is what the encoder gets. Nothing but the picture comes along.

    Args:
        picture: the frame; never written to, for others may be predicted from it.
        look: that of the film; a frame of another size is stretched to it.
    """

    def __init__(self, picture: Picture, look: Look) -> None:
        self.width, self.height = look.width, look.height
        self.time_s = picture.time_s
        wide, high = _upright_size(picture.decoded, picture.pose)
        even = (wide + wide % 2, high + high % 2)
        self._scale = look.width / even[0], look.height / even[1]
        self.frame = VideoFrame(look.width, look.height, "yuv420p")
        self.y, self.u, self.v = self._planes = [_view(self.frame, plane) for plane in range(3)]
        source = _limited(picture.decoded)
        for plane, own in enumerate(self._planes):
            _fill(own, _turned(_view(source, plane), picture.pose), stretched=even != (look.width, look.height))

    def stamp(self, pts: int, time_base: Fraction, duration: int) -> None:
        """When, and for how long, the picture is shown."""
        self.frame.pts, self.frame.time_base = pts, time_base
        self.frame.duration = duration

    def pixels(self, box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """A box of the upright frame as whole even px of the canvas that hold all of it; cut to the picture."""
        wide, high = self._scale
        x1, y1, x2, y2 = box[0] * wide, box[1] * high, box[2] * wide, box[3] * high
        left, top = max(int(x1 // 2) * 2, 0), max(int(y1 // 2) * 2, 0)
        return left, top, min(-int(-x2 // 2) * 2, self.width), min(-int(-y2 // 2) * 2, self.height)

    def fill(self, left: int, top: int, right: int, bottom: int, colour: Yuv) -> None:
        """Fill a rectangle of even px, as far as it lies in the picture."""
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        if left < right and top < bottom:
            self.y[top:bottom, left:right] = colour[0]
            self.u[top // 2 : bottom // 2, left // 2 : right // 2] = colour[1]
            self.v[top // 2 : bottom // 2, left // 2 : right // 2] = colour[2]

    def outline(self, box: tuple[int, int, int, int], thick: int, colour: Yuv) -> None:
        """Draw the edges of a box of even px, inside it."""
        left, top, right, bottom = box
        for part in (
            (left, top, right, top + thick),
            (left, bottom - thick, right, bottom),
            (left, top, left + thick, bottom),
            (right - thick, top, right, bottom),
        ):
            self.fill(*part, colour)

    def lay(self, patch: Patch, left: int, top: int) -> None:
        """Lay a patch down with its corner at even px; it must fit."""
        width, height = patch.size
        self.y[top : top + height, left : left + width] = patch.y
        rows, columns = slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2)
        self.u[rows, columns], self.v[rows, columns] = patch.u, patch.v

    def regions(self, box: tuple[int, int, int, int]) -> Sequence[Bytes]:
        """The parts of the three planes that a box of even px covers, to be written to."""
        left, top, right, bottom = box
        half = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        return self.y[top:bottom, left:right], self.u[half], self.v[half]


def _upright_size(frame: VideoFrame, pose: Pose) -> tuple[int, int]:
    return (frame.height, frame.width) if pose.quarter_turns % 2 else (frame.width, frame.height)


def _limited(frame: VideoFrame) -> VideoFrame:
    """The frame as YUV 4:2:0 of 8 bits and limited range, which every player shows right; itself if it is so."""
    name = frame.format.name
    told = int(frame.color_range)
    full = told == _FULL or (told != _LIMITED and name.startswith(("yuvj", "gray")))
    if name == "yuv420p" and not full:
        return frame
    rgb = frame.format.is_rgb or frame.colorspace == _RGB
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=_BT709 if rgb else None,
        src_color_range=_FULL if full or rgb else _LIMITED,
        dst_color_range=_LIMITED,
    )


def _view(frame: VideoFrame, plane: int) -> Bytes:
    """A plane as an array that shares its memory, uint8 (h, w)."""
    held = frame.planes[plane]
    data = np.frombuffer(memoryview(held), np.uint8)
    return np.asarray(data.reshape(-1, held.line_size)[: held.height, : held.width])


def _turned(plane: Bytes, pose: Pose) -> Bytes:
    """As `Pose.upright`, faster."""
    turned = np.asarray(cv2.flip(plane, 1), np.uint8) if pose.mirrored else plane
    return np.asarray(cv2.rotate(turned, _TURNS[pose.quarter_turns]), np.uint8) if pose.quarter_turns else turned


def _fill(target: Bytes, source: Bytes, stretched: bool) -> None:
    """Copy a plane; where it lacks a last row or column, that is repeated."""
    if stretched:
        size = (target.shape[1], target.shape[0])
        target[:] = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        return
    height, width = source.shape
    target[:height, :width] = source
    if width < target.shape[1]:
        target[:height, width:] = source[:, -1:]
    if height < target.shape[0]:
        target[height:] = target[height - 1]


def _halved(plane: Floats) -> Floats:
    """The means of two by two, float32 (h / 2, w / 2)."""
    height, width = plane.shape
    return np.asarray(plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))

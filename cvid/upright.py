"""From a decoder's frame to upright pictures: turned and mirrored as the file asks for."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from cvid.types import Bytes


@dataclass(frozen=True)
class Pose:
    """What makes a stored picture upright: first mirror it left to right, then turn it counter-clockwise."""

    quarter_turns: int
    mirrored: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> Pose:
        """The pose that a frame's display matrix asks for, to the nearest quarter turn.

        Not for every frame: PyAV's side data keep their frame in memory until the garbage collector comes.
        """
        held: Any = frame.side_data
        matrix = next((held[i] for i in range(len(held)) if held[i].type == Type.DISPLAYMATRIX), None)
        if matrix is None:
            return UPRIGHT
        a, b, _, c, d = (int(x) for x in np.frombuffer(bytes(matrix), np.int32)[:5])
        mirrored = a * d - b * c < 0
        clockwise_deg = degrees(atan2(-b, -a) if mirrored else atan2(b, a))
        return cls(round(-clockwise_deg / 90) % 4, mirrored)

    def upright(self, picture: Bytes) -> Bytes:
        """The picture, uint8 (h, w, …), as a viewer sees it."""
        if not self.mirrored and not self.quarter_turns:
            return picture
        return np.ascontiguousarray(np.rot90(picture[:, ::-1] if self.mirrored else picture, self.quarter_turns))


UPRIGHT = Pose(0, False)

_LUMA_FIRST = ("gray", "gray10le", "gray12le", "gray16le")
"""Formats whose first plane is brightness alone though FFmpeg does not call them planar."""


def luma_of(frame: VideoFrame) -> Bytes:
    """The brightness plane as the decoder left it, uint8 (h, w), not yet upright.

    Formats that have no such plane (RGB, palettes, packed) are converted.
    """
    layout = frame.format
    depth = layout.components[0].bits
    luma_first = layout.is_planar or layout.name in _LUMA_FIRST
    if layout.is_rgb or layout.has_palette or not luma_first or depth > 16 or (depth > 8 and layout.is_big_endian):
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    source = frame.planes[0]
    data, step = memoryview(source), source.line_size
    if depth <= 8:
        return np.frombuffer(data, np.uint8).reshape(-1, step)[: source.height, : source.width]
    words = np.frombuffer(data, np.uint16).reshape(-1, step // 2)[: source.height, : source.width]
    high_bits_used = layout.name[0] == "p" and layout.name[1].isdigit()  # p010, p210, …
    return np.asarray(words >> (8 if high_bits_used else depth - 8)).astype(np.uint8)


def bgr_of(frame: VideoFrame, pose: Pose) -> Bytes:
    """The colour picture, uint8 (h, w, 3), upright."""
    return pose.upright(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))

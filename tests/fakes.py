"""Networks for painted faces: a detector that finds coloured squares, an embedder that returns their colour.

All of it is at module level, so that worker processes can be handed `open_fakes`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvid.analyse import Parts
from cvid.errors import ModelError
from cvid.opencv import cv2
from cvid.types import Bytes, Embeddings, FaceChip, Faces, Floats

LANDMARKS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)
_SMALLEST_PX = 8


class SquareDetector:
    """Finds saturated squares; a square touching another counts as one."""

    def __init__(self, weights: str = "0" * 12) -> None:
        self.name, self.weights, self.providers = "squares", weights, ("CPUExecutionProvider",)

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """Left to right."""
        spread = bgr.max(axis=2).astype(int) - bgr.min(axis=2)
        solid = cv2.morphologyEx((spread > 90).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
        found = sorted(tuple(stats[i][:4]) for i in range(1, count) if min(stats[i][2:4]) >= _SMALLEST_PX)
        boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in found], np.float32).reshape(-1, 4)
        sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
        return Faces(
            boxes,
            np.full(len(boxes), 0.9, np.float32),
            (boxes[:, None, :2] + LANDMARKS * sides).astype(np.float32),
            np.ones(len(boxes), np.uint8),
        )


class ColourEmbedder:
    """The mean colour of a face, seen from grey, as a unit vector: corners of the colour cube lie far apart."""

    name, dimensions, providers = "colours", 3, ("CPUExecutionProvider",)

    def __init__(self, weights: str = "0" * 12) -> None:
        self.model = f"colours:{weights}"

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """One vector a chip."""
        vectors = [_colour(chip) for chip in chips]
        return Embeddings(np.array(vectors, np.float32).reshape(-1, 3), self.model)


def open_fakes() -> Parts:
    """The networks of painted faces."""
    return Parts(SquareDetector(), ColourEmbedder())


def open_others() -> Parts:
    """The same with other weights: another model set."""
    return Parts(SquareDetector("1" * 12), ColourEmbedder("1" * 12))


def open_nothing() -> Parts:
    """Models that are not there."""
    raise ModelError("the weights of 'squares' are not here")


class DeadlyDetector(SquareDetector):
    """Kills its process at the sight of white, as long as the file `CVID_TEST_DEATHS` has not grown to a length."""

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """Dies, or finds squares."""
        if bgr.mean() > 240:
            mark = Path(os.environ["CVID_TEST_DEATHS"])
            deaths = len(mark.read_bytes()) if mark.exists() else 0
            if deaths < int(os.environ["CVID_TEST_DEATHS_MAX"]):
                mark.write_bytes(b"x" * (deaths + 1))
                os._exit(9)
        return super().detect(bgr)


def open_deadly() -> Parts:
    """A detector that ends its process."""
    return Parts(DeadlyDetector(), ColourEmbedder())


class FaultyDetector(SquareDetector):
    """An error of the program at the sight of a white picture."""

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """Raises, or finds squares."""
        if bgr.mean() > 240:
            raise ZeroDivisionError("white")
        return super().detect(bgr)


def open_faulty() -> Parts:
    """A detector with a fault."""
    return Parts(FaultyDetector(), ColourEmbedder())


def _colour(chip: FaceChip) -> Floats:
    x1, y1, x2, y2 = chip.xyxy.round().astype(int)
    face = chip.bgr[max(y1, 0) : y2, max(x1, 0) : x2].reshape(-1, 3).astype(np.float32)
    spread = face.max(axis=1) - face.min(axis=1)
    mean = face[spread > 90].mean(axis=0) if (spread > 90).any() else face.mean(axis=0)
    centred = mean - 127.5
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)

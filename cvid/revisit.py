"""Go back to faces whose place in a video is known, and cut them out again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cvid.chips import cut_chip
from cvid.detectors import Detector
from cvid.detectors.boxes import overlap
from cvid.places import Place
from cvid.quality import judge
from cvid.types import FaceChip, Floats
from cvid.video import frames, probe

_SAME = 0.3
"""Overlap from which on a found face is the one that was there before."""


def revisit(
    path: Place, wanted: Mapping[int, Sequence[tuple[str, Floats]]], detector: Detector
) -> Iterator[tuple[str, FaceChip, float]]:
    """The faces that are found again, as (key, chip, quality), in the order of the video.

    Args:
        path: the file; only ever read.
        wanted: frame index → the faces seen in it, as (key, box float32 (4,), px).

    Raises:
        VideoError: the file cannot be decoded.
    """
    last = max(wanted, default=-1)
    for frame in frames(path, probe(path)):
        if frame.index in wanted:
            faces = detector.detect(frame.bgr)
            for key, box in wanted[frame.index]:
                shared = overlap(box[None], faces.xyxy)[0]
                if len(shared) and shared.max() >= _SAME:
                    best = int(shared.argmax())
                    chip = cut_chip(frame.bgr, faces.xyxy[best], faces.landmarks[best])
                    yield key, chip, judge(chip).total
        if frame.index >= last:
            return


def best_faces(quality: Floats, most: int) -> Sequence[int]:
    """The places of a track's best faces, best first; of equals the earlier one."""
    return [int(place) for place in np.argsort(-quality, kind="stable")[:most]]

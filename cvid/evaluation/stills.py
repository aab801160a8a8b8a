"""Looks at labelled pictures: one face each, as a vector of every embedder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvid.analyse import look
from cvid.detectors import Detector
from cvid.embedders import Embedder
from cvid.errors import VideoError
from cvid.evaluation.pictures import Labelled
from cvid.types import Bytes, FaceChip, Floats, Frame
from cvid.video import read_picture

_AT_ONCE = 32
"""Pictures whose faces are held in memory together."""

Hook = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Seen:
    """What one detector and several embedders saw in n pictures that could be read, k of which showed a face."""

    people: NDArray[np.int64]  # (n,), a number for each person
    names: Sequence[str]  # of the people, by number
    pictures: Sequence[str]  # (n,), paths below the folder
    face: NDArray[np.bool_]  # (n,)
    quality: Floats  # (k,)
    vectors: Mapping[str, Floats]  # embedder → (k, d)
    models: Mapping[str, str]  # embedder → name + weights hash
    detect_ms: float  # a picture
    embed_ms: Mapping[str, float]  # a face
    failed: Sequence[tuple[str, str]]  # (path below the folder, reason)

    def __len__(self) -> int:
        return len(self.people)


def see(labelled: Labelled, detector: Detector, embedders: Mapping[str, Embedder], hook: Hook | None = None) -> Seen:
    """Find the most central face of each picture and embed it.

    Args:
        labelled: the pictures; only ever read.
        embedders: by name; each embeds every face once.
        hook: told (pictures done, pictures in all) after each few.
    """
    rows: list[int] = []
    faces: list[bool] = []
    quality: list[float] = []
    failed: list[tuple[str, str]] = []
    parts: dict[str, list[Floats]] = {name: [np.zeros((0, e.dimensions), np.float32)] for name, e in embedders.items()}
    spent = dict.fromkeys(["", *embedders], 0.0)
    for start in range(0, len(labelled), _AT_ONCE):
        chips: list[FaceChip] = []
        for row in range(start, min(start + _AT_ONCE, len(labelled))):
            try:
                picture = read_picture(labelled.paths[row])
            except VideoError as exc:
                failed.append((labelled.name(row), exc.reason))
                continue
            began = time.perf_counter()
            chip, clear = central_face(picture, detector)
            spent[""] += time.perf_counter() - began
            rows.append(row)
            faces.append(chip is not None)
            if chip is not None:
                chips.append(chip)
                quality.append(clear)
        for name, embedder in embedders.items():
            began = time.perf_counter()
            parts[name].append(embedder.embed(chips).vectors)
            spent[name] += time.perf_counter() - began
        if hook:
            hook(min(start + _AT_ONCE, len(labelled)), len(labelled))
    names = list(dict.fromkeys(labelled.people[row] for row in rows))
    number = {name: place for place, name in enumerate(names)}
    return Seen(
        people=np.array([number[labelled.people[row]] for row in rows], np.int64),
        names=names,
        pictures=[labelled.name(row) for row in rows],
        face=np.array(faces, np.bool_),
        quality=np.array(quality, np.float32),
        vectors={name: np.concatenate(each) for name, each in parts.items()},
        models={name: embedder.model for name, embedder in embedders.items()},
        detect_ms=spent[""] / max(len(rows), 1) * 1e3,
        embed_ms={name: spent[name] / max(len(quality), 1) * 1e3 for name in embedders},
        failed=failed,
    )


def central_face(bgr: Bytes, detector: Detector) -> tuple[FaceChip | None, float]:
    """The face nearest to the middle of a picture, and its quality; None and 0 where there is no face."""
    frame = Frame(0, 0.0, np.ascontiguousarray(bgr[:, :, 1]), lambda: bgr)
    faces, chips, quality = look(frame, detector)
    if not len(faces):
        return None, 0.0
    middle = np.array(bgr.shape[1::-1]) / 2
    row = int(np.argmin(np.linalg.norm((faces.xyxy[:, :2] + faces.xyxy[:, 2:]) / 2 - middle, axis=1)))
    return chips[row], float(quality[row])

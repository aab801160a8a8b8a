"""Labelled pictures with known answers: painted ones on disk, and vectors seen without any picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from builders import BLUE, CYAN, GREEN, MAGENTA, RED, YELLOW, Colour, photograph
from fakes import ColourEmbedder, SquareDetector

from cvid.embedders import Embedder
from cvid.evaluation.combinations import Combination
from cvid.evaluation.stills import Seen
from cvid.types import Embeddings, FaceChip, Floats

PAINTED: Mapping[str, Colour] = {
    "Red": RED, "Green": GREEN, "Blue": BLUE, "Cyan": CYAN, "Magenta": MAGENTA, "Yellow": YELLOW
}  # fmt: skip


def painted_folder(folder: Path, each: int = 3, people: Mapping[str, Colour] = PAINTED) -> Path:
    """A folder with `each` pictures of every painted person."""
    for name, colour in people.items():
        for number in range(1, each + 1):
            photograph(folder / name / f"{name}_{number:04d}.png", colour)
    return folder


def painted(name: str = "painted", embedders: Sequence[str] = ("colours",)) -> Combination:
    """A combination of the networks of painted faces; "grey" sees no difference between people."""

    def embedder(wanted: str) -> Embedder:
        return GreyEmbedder() if wanted == "grey" else ColourEmbedder()

    return Combination(name, "squares", embedders, "calibrated", SquareDetector, embedder)


class GreyEmbedder(ColourEmbedder):
    """Everybody looks like everybody."""

    name, dimensions = "grey", 2

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """The same vector a chip."""
        return Embeddings(np.tile(np.array([1, 0], np.float32), (len(chips), 1)), "grey:" + "0" * 12)


def seen(people: Sequence[int], vectors: Mapping[str, Floats], face: Sequence[bool] | None = None) -> Seen:
    """What would have been seen of these people, had there been pictures."""
    here = np.ones(len(people), np.bool_) if face is None else np.array(face, np.bool_)
    return Seen(
        people=np.array(people, np.int64),
        names=[f"person {number}" for number in range(max(people) + 1)],
        pictures=[f"{person}/{row}.jpg" for row, person in enumerate(people)],
        face=here,
        quality=np.ones(int(here.sum()), np.float32),
        vectors=vectors,
        models={name: f"{name}:{'0' * 12}" for name in vectors},
        detect_ms=4.0,
        embed_ms=dict.fromkeys(vectors, 2.0),
        failed=[],
    )


def noisy(people: Sequence[int], noise: float, seed: int, dimensions: int = 24) -> Floats:
    """Vectors of people: a direction each, and so much noise."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(people) + 1, dimensions))
    vectors = centres[list(people)] + noise * random.normal(size=(len(people), dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

"""What users of other packages run: one file a package, which is imported only by an interpreter that has it.

A file holds WHAT it runs, the PIP line that installs it, what it IMPORTS, the METRIC and radius EPS that DBSCAN gets,
where that radius comes FROM, and `opened(data)`, which gives a function from a picture to its faces. `data` is the
benchmarks' folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, Protocol

Faces = Callable[[Any], Iterable[tuple[Sequence[float], Any]]]
"""A picture, uint8 (h, w, 3) BGR → for each face its box x1, y1, x2, y2 in px and its vector, float32 (d,)."""

PEERS = {
    "insightface": "recipes.of_insightface",
    "face_recognition": "recipes.of_face_recognition",
    "deepface": "recipes.of_deepface",
    "facenet-pytorch": "recipes.of_facenet_pytorch",
}


class Unusable(Exception):
    """The package is here and cannot be used; the message says why."""


class Recipe(Protocol):
    """What the file of a package holds."""

    WHAT: str
    PIP: str
    IMPORTS: Sequence[str]
    METRIC: str
    EPS: float
    FROM: str

    @staticmethod
    def opened(data: Any) -> Faces:
        """The way from a picture to its faces; raises Unusable."""


def recipe_of(peer: str) -> Recipe:
    """The recipe of a name in PEERS; imports nothing of the package itself."""
    module: Any = import_module(PEERS[peer])
    recipe: Recipe = module
    return recipe

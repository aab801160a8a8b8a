"""MobileFaceNet (Chen et al., 2018), trained with ArcFace by foamliu, on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvid.align import arcface_crop
from cvid.embedders.views import summed, viewed
from cvid.errors import ModelError
from cvid.exposure import lift
from cvid.sessions import Session, open_session, run_float, running_on
from cvid.types import Bytes, Embeddings, FaceChip, Floats

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_BATCH = 8  # no faster and no slower than one by one on the CPU, and the same bits; one question instead of 8 to a GPU


class MobileFaceNetEmbedder:
    """128-d vectors of 112×112 crops, RGB, normalised by the ImageNet mean and deviation.

    The vector of a face is the mean of the face's and its mirror image's.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        session: a ready session instead of the file's.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    dimensions = 128

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "mobilefacenet",
        session: Session | None = None,
        device: str = "auto",
    ) -> None:
        if session is None:
            if path is None:
                raise ModelError(f"the embedder '{name}' needs a weights file")
            session = open_session(path, free_axes=(0,), device=device)
        self.name, self.model, self.providers = name, f"{name}:{weights}", running_on([session])
        self._session = session
        entry = session.get_inputs()[0]
        self._input, self._at_once = entry.name, 1 if isinstance(entry.shape[0], int) else _BATCH

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        """One vector a chip; see `Embedder.embed`."""
        crops = [lift(arcface_crop(chip.bgr, chip.landmarks)) for chip in chips]
        pictures, shows = viewed(crops, views)
        found = _unit(np.array(self._described(pictures), np.float32).reshape(-1, self.dimensions))
        return Embeddings(_unit(summed(found, shows, len(crops))), self.model)

    def _described(self, crops: list[Bytes]) -> list[Floats]:
        """A vector of any length for each crop; as many at once as the graph takes, at most `_BATCH`."""
        vectors: list[Floats] = []
        for start in range(0, len(crops), self._at_once):
            rgb = np.stack([_normalised(crop) for crop in crops[start : start + self._at_once]])
            vectors += list(run_float(self._session, {self._input: rgb})[0])
        return vectors


def _normalised(crop: Bytes) -> Floats:
    rgb = (crop[:, :, ::-1].astype(np.float32) / 255 - _MEAN) / _DEVIATION
    return np.asarray(rgb.transpose(2, 0, 1), np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)

"""From a track's faces to what recognition keeps of it: exemplars, a template and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvid.chips import jpeg
from cvid.embedders import Embedder
from cvid.settings import FaceSettings
from cvid.tracking import OpenTrack, Sighting
from cvid.types import Embeddings, FaceChip, Floats, TrackAnalysis

_LEAST_WEIGHT = 1e-3
"""A track of nothing but worthless faces still has a mean."""
_NO_DIRECTION = 1e-6


def describe(tracks: Sequence[OpenTrack], embedder: Embedder, settings: FaceSettings) -> list[TrackAnalysis]:
    """Embed the best faces of ended tracks, all in one call."""
    chosen = [_in_order(track.best) for track in tracks]
    vectors = embedder.embed([_chip(s) for best in chosen for s in best if s.quality >= settings.min_quality])
    described, start = [], 0
    for track, best in zip(tracks, chosen, strict=True):
        good = [s for s in best if s.quality >= settings.min_quality]
        own = Embeddings(vectors.vectors[start : start + len(good)], vectors.model)
        start += len(good)
        weights = np.array([s.quality + _LEAST_WEIGHT for s in good], np.float32)
        described.append(
            TrackAnalysis(track.as_track(), own, mean_vector(own, weights), _pictures(track, best, settings))
        )
    return described


def mean_vector(embeddings: Embeddings, weights: Floats) -> Embeddings:
    """The weighted mean, brought back to unit length: (1, d), or (0, d) of nothing.

    Of faces that cancel each other out, which only a failing model gives, the heaviest stands for all.
    """
    if not len(embeddings):
        return embeddings
    mean = (embeddings.vectors * weights[:, None]).sum(axis=0)
    length = float(np.linalg.norm(mean))
    if length < _NO_DIRECTION:
        return Embeddings(embeddings.vectors[[int(weights.argmax())]], embeddings.model)
    return Embeddings((mean / length).astype(np.float32)[None], embeddings.model)


def _pictures(track: OpenTrack, best: Sequence[Sighting], settings: FaceSettings) -> list[tuple[float, bytes]]:
    if settings.keep == "all":
        return [(s.time_s, s.picture) for s in _in_order(track.sightings)]
    return [(s.time_s, jpeg(_chip(s))) for s in (best if settings.keep == "exemplars" else best[:1])]


def _in_order(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Best face first; of equals the earlier one."""
    return sorted(sightings, key=lambda s: (-s.quality, s.time_s))


def _chip(sighting: Sighting) -> FaceChip:
    assert sighting.chip is not None
    return sighting.chip

"""From a track's faces to what recognition keeps of it: exemplars, a template and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cvid.chips import as_crop, jpeg
from cvid.clustering.bars import cosine_at
from cvid.drift import belonging, break_between, change_of_person
from cvid.embedders import Embedder
from cvid.embedders.views import in_turn
from cvid.settings import FaceSettings
from cvid.tracking import OpenTrack, Sighting
from cvid.types import Embeddings, FaceChip, Floats, TrackAnalysis

_LEAST_WEIGHT = 1e-3
"""A track of nothing but worthless faces still has a mean."""
_NO_DIRECTION = 1e-6


def describe(tracks: Sequence[OpenTrack], embedder: Embedder, settings: FaceSettings) -> list[TrackAnalysis]:
    """Embed the best faces of ended tracks, all in one call; a track that drifted onto another person becomes two."""
    space = embed(tracks, embedder, settings)
    return [analysis for track in tracks for analysis in described(track, space, settings)]


def embed(tracks: Sequence[OpenTrack], embedder: Embedder, settings: FaceSettings) -> Embeddings:
    """Give the best faces of tracks their vectors, all in one call; returns no vector, (0, d), of the embedder's."""
    each = [[s for s in _in_order(track.best) if s.quality >= settings.min_quality] for track in tracks]
    good = [s for own in each for s in own]
    found = embedder.embed([_chip(s) for s in good], [view for own in each for view in in_turn(len(own))])
    for sighting, vector in zip(good, found.vectors, strict=True):
        sighting.vector = vector
    return Embeddings(found.vectors[:0], found.model)


def described(track: OpenTrack, space: Embeddings, settings: FaceSettings) -> list[TrackAnalysis]:
    """What recognition keeps of a track whose best faces have their vectors: one analysis, or several if it drifted.

    Args:
        space: no vector, (0, d), of the embedder's.
    """
    limits = likeness(space.model)
    parts = _persons(replace(track, best=_in_order(track.best)), space, limits)
    return [_described(part, space, settings, limits) for part in parts]


def _described(
    track: OpenTrack, space: Embeddings, settings: FaceSettings, limits: tuple[float, float]
) -> TrackAnalysis:
    """One person's track."""
    good = _embedded(track)
    keep = belonging(_vectors(good, space).vectors, *limits)
    kept = [good[i] for i in keep]
    own = _vectors(kept, space)
    odd = {id(s) for s in good} - {id(s) for s in kept}
    best = [s for s in track.best if id(s) not in odd]
    crops = [as_crop(_chip(s), s.quality) for s in kept] if settings.crops else []
    weights = np.array([s.quality for s in kept], np.float32)
    return TrackAnalysis(track.as_track(), own, mean_vector(own, weights), _pictures(track, best, settings), crops)


def _persons(track: OpenTrack, space: Embeddings, limits: tuple[float, float]) -> Iterator[OpenTrack]:
    """The track, or its parts where it went over to another person."""
    good = sorted(_embedded(track), key=lambda s: s.time_s)
    at = np.array([s.time_s for s in good], np.float64)
    change = change_of_person(_vectors(good, space).vectors, at, *limits)
    whole = track.as_track()
    first = break_between(whole.xyxy, whole.time_s, *change) if change else 0
    if not first:
        yield track
        return
    for sightings in (track.sightings[:first], track.sightings[first:]):
        inside = {id(s) for s in sightings}
        part = replace(track, sightings=sightings, best=[s for s in track.best if id(s) in inside])
        yield from _persons(part, space, limits)


def _embedded(track: OpenTrack) -> list[Sighting]:
    return [s for s in track.best if s.vector is not None]


def _vectors(sightings: Sequence[Sighting], space: Embeddings) -> Embeddings:
    """The vectors of faces, (n, d)."""
    return Embeddings(
        np.array([s.vector for s in sightings], np.float32).reshape(-1, space.vectors.shape[1]), space.model
    )


def likeness(model: str) -> tuple[float, float]:
    """`stranger` and `friend` of `cvid.drift`: the cosines that one pair of strangers in 100, and in 1,000, reaches."""
    return cosine_at(model, -2), cosine_at(model, -3)


def mean_vector(embeddings: Embeddings, weights: Floats) -> Embeddings:
    """The mean weighted by quality, brought back to unit length: (1, d), or (0, d) of nothing.

    Of faces that cancel each other out, which only a failing model gives, the heaviest stands for all.
    """
    if not len(embeddings):
        return embeddings
    mean = (embeddings.vectors * (weights + _LEAST_WEIGHT)[:, None]).sum(axis=0)
    length = float(np.linalg.norm(mean))
    if length < _NO_DIRECTION:
        return Embeddings(embeddings.vectors[[int(weights.argmax())]], embeddings.model)
    return Embeddings((mean / length).astype(np.float32)[None], embeddings.model)


def _pictures(track: OpenTrack, best: Sequence[Sighting], settings: FaceSettings) -> list[tuple[float, bytes]]:
    if settings.keep == "all":
        return [(s.time_s, s.picture) for s in _in_order(track.sightings) if s.picture]
    return [(s.time_s, jpeg(_chip(s))) for s in (best if settings.keep == "exemplars" else best[:1])]


def _in_order(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Best face first; of equals the earlier one."""
    return sorted(sightings, key=lambda s: (-s.quality, s.time_s))


def _chip(sighting: Sighting) -> FaceChip:
    assert sighting.chip is not None
    return sighting.chip

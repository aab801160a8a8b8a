"""From a track's faces to what recognition keeps of it: exemplars, a template and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cvid.chips import as_crop, jpeg
from cvid.clustering.bars import cosine_at
from cvid.drift import belonging, break_between, change_of_person
from cvid.embedders import Embedder
from cvid.settings import FaceSettings
from cvid.tracking import OpenTrack, Sighting
from cvid.types import Embeddings, FaceChip, Floats, TrackAnalysis

_LEAST_WEIGHT = 1e-3
"""A track of nothing but worthless faces still has a mean."""
_NO_DIRECTION = 1e-6


def describe(tracks: Sequence[OpenTrack], embedder: Embedder, settings: FaceSettings) -> list[TrackAnalysis]:
    """Embed the best faces of ended tracks, all in one call; a track that drifted onto another person becomes two."""
    chosen = [_in_order(track.best) for track in tracks]
    vectors = embedder.embed([_chip(s) for best in chosen for s in best if s.quality >= settings.min_quality])
    limits = likeness(vectors.model)
    described, start = [], 0
    for track, best in zip(tracks, chosen, strict=True):
        good = [s for s in best if s.quality >= settings.min_quality]
        own = Embeddings(vectors.vectors[start : start + len(good)], vectors.model)
        start += len(good)
        parts = _persons(replace(track, best=best), good, own, limits)
        described += [_described(*part, settings, limits) for part in parts]
    return described


def _described(
    track: OpenTrack, good: Sequence[Sighting], own: Embeddings, settings: FaceSettings, limits: tuple[float, float]
) -> TrackAnalysis:
    """One person's track, with the vectors of its good faces."""
    keep = belonging(own.vectors, *limits)
    odd = [s for i, s in enumerate(good) if i not in set(keep.tolist())]
    own = Embeddings(own.vectors[keep], own.model)
    weights = np.array([good[i].quality for i in keep], np.float32)
    best = [s for s in track.best if s not in odd]
    crops = [as_crop(_chip(good[i]), good[i].quality) for i in keep] if settings.crops else []
    return TrackAnalysis(track.as_track(), own, mean_vector(own, weights), _pictures(track, best, settings), crops)


def _persons(
    track: OpenTrack, good: Sequence[Sighting], own: Embeddings, limits: tuple[float, float]
) -> Iterator[tuple[OpenTrack, Sequence[Sighting], Embeddings]]:
    """The track, or its parts where it went over to another person."""
    order = np.argsort([s.time_s for s in good], kind="stable")
    at = np.array([good[i].time_s for i in order], np.float64)
    change = change_of_person(own.vectors[order], at, *limits)
    whole = track.as_track()
    first = break_between(whole.xyxy, whole.time_s, *change) if change else 0
    if not first:
        yield track, good, own
        return
    for sightings in (track.sightings[:first], track.sightings[first:]):
        end_s = sightings[-1].time_s
        inside = [i for i, s in enumerate(good) if sightings[0].time_s <= s.time_s <= end_s]
        best = [s for s in track.best if sightings[0].time_s <= s.time_s <= end_s]
        part = replace(track, sightings=sightings, best=best)
        yield from _persons(part, [good[i] for i in inside], Embeddings(own.vectors[inside], own.model), limits)


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
        return [(s.time_s, s.picture) for s in _in_order(track.sightings)]
    return [(s.time_s, jpeg(_chip(s))) for s in (best if settings.keep == "exemplars" else best[:1])]


def _in_order(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Best face first; of equals the earlier one."""
    return sorted(sightings, key=lambda s: (-s.quality, s.time_s))


def _chip(sighting: Sighting) -> FaceChip:
    assert sighting.chip is not None
    return sighting.chip

"""Several detectors on every picture: what any of them finds, or what most of them find."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cvid.detectors import Detector
from cvid.detectors.boxes import best_first, overlap
from cvid.types import Bytes, Faces, Floats

SAME_FACE = 0.35
"""Boxes of two detectors that overlap by this much are one face: their styles of box differ, neighbours' boxes more."""


class UnionDetector:
    """Every face that any of the detectors finds.

    Box and landmarks of a face come from the first of the detectors that found it, for crops differ with the style
    of the landmarks; its score is the highest of all, its votes their number.

    Args:
        detectors: the one whose landmarks are preferred first.
    """

    least_votes = 1

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = list(detectors)
        self.name, self.weights, self.providers = joined(detectors)

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector.detect`."""
        faces = merge([detector.detect(bgr, expected) for detector in self._detectors])
        return faces[faces.votes >= self.least_votes]


class VoteDetector(UnionDetector):
    """Only the faces that more than half of the detectors find; of two detectors, both."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        super().__init__(detectors)
        self.least_votes = len(self._detectors) // 2 + 1


def joined(detectors: Sequence[Detector]) -> tuple[str, str, tuple[str, ...]]:
    """Name, weights and providers of several detectors as those of one."""
    together = "+".join(f"{d.name}:{d.weights}" for d in detectors)
    providers = dict.fromkeys(p for d in detectors for p in d.providers)
    return "+".join(d.name for d in detectors), hashlib.sha256(together.encode()).hexdigest()[:12], tuple(providers)


def merge(found: Sequence[Faces]) -> Faces:
    """One face for all that overlap by `SAME_FACE`, in the shape that its first finder gave it.

    Args:
        found: the faces of each detector in one picture.
    """
    merged = found[0]
    for faces in found[1:]:
        shared = overlap(merged.xyxy, faces.xyxy)
        score, votes = merged.score.copy(), merged.votes.copy()
        new = np.ones(len(faces), np.bool_)
        while shared.size and shared.max() >= SAME_FACE:
            ours, theirs = np.unravel_index(shared.argmax(), shared.shape)
            score[ours] = max(score[ours], faces.score[theirs])
            votes[ours] += faces.votes[theirs]
            shared[ours], shared[:, theirs], new[theirs] = 0, 0, False
        merged = append(replace(merged, score=score, votes=votes), faces[new])
    return best_first(merged)


def append(a: Faces, b: Faces) -> Faces:
    """The faces of both, in this order."""
    return Faces(
        np.concatenate([a.xyxy, b.xyxy]),
        np.concatenate([a.score, b.score]),
        np.concatenate([a.landmarks, b.landmarks]),
        np.concatenate([a.votes, b.votes]),
    )

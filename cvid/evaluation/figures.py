"""All figures of one combination of models on labelled pictures, and their form in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvid.calibration import calibration_of
from cvid.clustering.bars import bar_for
from cvid.evaluation.bcubed import BCubed, b_cubed
from cvid.evaluation.calibrating import Calibrated, Material
from cvid.evaluation.fusing import fused
from cvid.evaluation.groups import Groups
from cvid.evaluation.pairs import Accuracy, Pair, accuracy, cosines_of
from cvid.evaluation.sorting import sorted_into_people
from cvid.evaluation.stills import Seen
from cvid.evaluation.verification import FARS, Point, Scores
from cvid.settings import ClusteringSettings

GROUP_FAR = 1e-3
"""The false accept rate of all pairs, at whose threshold the groups are compared."""


@dataclass(frozen=True)
class GroupFigures:
    """One group: pairs within it, at the threshold of all pairs; its pictures among the clusters of all."""

    name: str
    people: int
    pictures: int
    with_face: int
    genuine_pairs: int
    impostor_pairs: int
    at: Point | None
    clustering: BCubed


@dataclass(frozen=True, eq=False)
class Figures:
    """What one combination of detectors and embedders does on the pictures."""

    seen: Seen
    embedders: Sequence[str]
    weights: Sequence[float]
    weighed: (
        str  # "" for one model, "calibrated", "equal" as asked, or "uncalibrated", which is equal for want of better
    )
    scores: Scores
    accuracy: Accuracy | None
    bar: float
    clustering: BCubed
    groups: Sequence[GroupFigures]

    @property
    def detected(self) -> float:
        """The share of the pictures with a face."""
        return float(self.seen.face.mean()) if len(self.seen) else 0.0

    @property
    def ms_per_picture(self) -> float:
        """Computing time of the networks, without reading the file."""
        return self.seen.detect_ms + sum(self.seen.embed_ms[name] for name in self.embedders) * self.detected

    def as_json(self, calibrated: Calibrated | None = None) -> dict[str, Any]:
        """By the contract of `evaluate --json`, and more."""
        return {
            "detected": round(self.detected, 6),
            "pictures": len(self.seen),
            "with_face": int(self.seen.face.sum()),
            "people": len(self.seen.names),
            "ms_per_picture": round(self.ms_per_picture, 2),
            "models": [self.seen.models[name] for name in self.embedders],
            "weights": {n: round(w, 4) for n, w in zip(self.embedders, self.weights, strict=True)},
            "weighed": self.weighed,
            "verification": self._verification(),
            "clustering": {**_clusters(self.clustering), "bar": round(self.bar, 4)},
            **({"groups": {group.name: _group(group) for group in self.groups}} if self.groups else {}),
            **({"calibration": _calibration(calibrated)} if calibrated else {}),
            "failed": [{"path": path, "reason": reason} for path, reason in self.seen.failed],
        }

    def _verification(self) -> dict[str, Any]:
        points = {far: self.scores.at_far(far) for far in FARS}
        return {
            "accuracy": _rounded(self.accuracy.mean) if self.accuracy else None,
            "accuracy_deviation": _rounded(self.accuracy.deviation) if self.accuracy else None,
            "accuracy_pairs": self.accuracy.pairs if self.accuracy else 0,
            "accuracy_pairs_left_out": self.accuracy.left_out if self.accuracy else 0,
            **{f"tar_at_{far_name(far)}": _rounded(point.tar) if point else None for far, point in points.items()},
            "genuine_pairs": self.scores.genuine_pairs,
            "impostor_pairs": self.scores.impostor_pairs,
            "at": {far_name(far): _point(point) for far, point in points.items() if point},
        }


def material_of(seen: Seen, embedders: Sequence[str]) -> Material:
    """What a calibration of these embedders is fitted to."""
    return Material(embedders, [seen.vectors[name] for name in embedders], seen.people, seen.face, seen.quality)


def measure(
    seen: Seen,
    embedders: Sequence[str],
    fusion: str,
    settings: ClusteringSettings,
    pairs: Sequence[Pair] = (),
    groups: Groups | None = None,
) -> Figures:
    """Work out everything for one combination of embedders.

    Args:
        fusion: "calibrated" or "equal", see `cvid.embedders.fusion`.
        pairs: of a pairs file; without them there is no accuracy.
    """
    name = "+".join(embedders)
    known = calibration_of(name) if fusion == "calibrated" and len(embedders) > 1 else None
    weights = known.weights if known else (1 / len(embedders),) * len(embedders)
    vectors = fused([seen.vectors[e] for e in embedders], weights)
    scores = Scores.of(vectors, seen.people, seen.face)
    model = seen.models[name] if len(embedders) == 1 else name
    labels = sorted_into_people(vectors, seen.quality, seen.face, model, settings)
    cosines = cosines_of(pairs, seen.pictures, seen.face, vectors)
    return Figures(
        seen,
        embedders,
        weights,
        _weighed(len(embedders), known is not None, fusion),
        scores,
        accuracy(pairs, cosines),
        bar_for(model, len(vectors), settings),
        b_cubed(labels, seen.people),
        _by_group(seen, vectors, scores, labels, groups) if groups else [],
    )


def far_name(far: float) -> str:
    """`far_1e-3`."""
    return f"far_1e{round(np.log10(far))}"


def _weighed(models: int, known: bool, fusion: str) -> str:
    if models == 1:
        return ""
    return "calibrated" if known else "equal" if fusion == "equal" else "uncalibrated"


def _by_group(seen: Seen, vectors: Any, scores: Scores, labels: Any, groups: Groups) -> list[GroupFigures]:
    overall = scores.at_far(GROUP_FAR)
    of_person = np.array([groups.group(person) for person in seen.names])
    of_picture = of_person[seen.people]
    figures = []
    for name in sorted(set(of_person.tolist())):
        inside = of_picture == name
        own = Scores.of(vectors[inside[seen.face]], seen.people[inside], seen.face[inside])
        figures.append(
            GroupFigures(
                name,
                len(np.unique(seen.people[inside])),
                int(inside.sum()),
                int(seen.face[inside].sum()),
                own.genuine_pairs,
                own.impostor_pairs,
                own.at(overall.cosine) if overall else None,
                b_cubed(labels, seen.people, inside),
            )
        )
    return figures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _point(point: Point) -> dict[str, Any]:
    return {"cosine": round(point.cosine, 5), "far": point.far, "false_accepts": point.false_accepts}


def _clusters(found: BCubed) -> dict[str, Any]:
    return {
        "b3_p": round(found.precision, 6),
        "b3_r": round(found.recall, 6),
        "b3_f": round(found.f, 6),
        "ratio": round(found.ratio, 6),
        "clusters": found.clusters,
    }


def _group(group: GroupFigures) -> dict[str, Any]:
    return {
        "people": group.people,
        "pictures": group.pictures,
        "detected": round(group.with_face / group.pictures, 6),
        "genuine_pairs": group.genuine_pairs,
        "impostor_pairs": group.impostor_pairs,
        "tar": _rounded(group.at.tar) if group.at else None,
        "far": group.at.far if group.at and group.impostor_pairs else None,
        "clustering": _clusters(group.clustering),
    }


def _calibration(calibrated: Calibrated) -> dict[str, Any]:
    return {
        "models": calibrated.models,
        "slopes": list(calibrated.calibration.slopes),
        "bias": calibrated.calibration.bias,
        "weights": [round(weight, 4) for weight in calibrated.calibration.weights],
        "tail": [list(point) for point in calibrated.calibration.tail],
        "pairs": {"genuine": calibrated.pairs[0], "impostor": calibrated.pairs[1]},
        "held_out": {
            held.way: {
                **{f"tar_at_{far_name(far)}": _rounded(tar) for far, tar in held.tar.items()},
                "b3_p": round(held.b3_p, 6),
                "b3_r": round(held.b3_r, 6),
                "b3_f": round(held.b3_f, 6),
            }
            for held in calibrated.held_out
        },
    }

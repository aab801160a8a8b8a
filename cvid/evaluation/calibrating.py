"""Fits a calibration to a user's own labelled pictures, and says what it is worth on people it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cvid.calibration import TAIL_FARS, Calibration, calibration_of, fit
from cvid.clustering.bars import bar_of
from cvid.errors import LabelsError
from cvid.evaluation.bcubed import b_cubed
from cvid.evaluation.fusing import fused
from cvid.evaluation.sorting import sorted_into_people
from cvid.evaluation.verification import FARS, Scores
from cvid.settings import ClusteringSettings
from cvid.types import Floats, Ints

_SEED = 1
_GENUINE_MOST = 10
"""Pairs of one person that are drawn at most, so that nobody with 200 pictures decides alone."""
_STRANGERS, _STRANGERS_MOST, _STRANGERS_LEAST = 100, 500_000, 10
"""Pairs with others that are drawn for each person; of very many people fewer, as long as it is so many for each."""
_LEAST_GENUINE, _LEAST_STRANGERS = 10, 100  # as `fit` wants them

CALIBRATED, EQUAL, BEFORE = "calibrated", "equal weights", "as before"


@dataclass(frozen=True)
class HeldOut:
    """How one way to weigh the models does on people who were not used to fit it: means over the two halves."""

    way: str
    tar: Mapping[float, float | None]  # by false accept rate; None where a half has too few pairs
    b3_p: float
    b3_r: float
    b3_f: float


@dataclass(frozen=True)
class Calibrated:
    """A fit to all people, and the figures of fits to one half of them on the other half."""

    models: str
    calibration: Calibration
    pairs: tuple[int, int]  # genuine and of strangers, drawn for the fit to all
    held_out: Sequence[HeldOut]


@dataclass(frozen=True, eq=False)
class Material:
    """The vectors of the models of one combination, for n pictures of which k show a face."""

    models: Sequence[str]
    vectors: Sequence[Floats]  # each (k, d)
    people: NDArray[np.int64]  # (n,)
    face: NDArray[np.bool_]  # (n,)
    quality: Floats  # (k,)

    def of(self, chosen: NDArray[np.bool_]) -> Material:
        """The part of some pictures."""
        rows = chosen[self.face]
        return Material(
            self.models,
            [v[rows] for v in self.vectors],
            self.people[chosen],
            self.face[chosen],
            self.quality[rows],
        )


def check_enough(people: NDArray[np.int64]) -> None:
    """Are there people and pictures enough to fit to either half of them?

    Raises:
        LabelsError: no.
    """
    half = first_half(people)
    for chosen in (half, ~half):
        _, same = draw_pairs(people[chosen])
        if same.sum() < _LEAST_GENUINE or (~same).sum() < _LEAST_STRANGERS:
            raise LabelsError(
                "too few labelled pictures to calibrate: give several pictures each of at least twenty people, half of "
                "whom test what the other half fitted"
            )


def calibrate(material: Material, settings: ClusteringSettings) -> Calibrated:
    """Fit a calibration to all people, and measure fits to one half of the people on the other half.

    Raises:
        ModelError, LabelsError: there are too few pairs, or no model tells the people apart.
    """
    check_enough(material.people[material.face])
    half = first_half(material.people)
    rounds = [_compared(material.of(one), material.of(~one), settings) for one in (half, ~half)]
    held_out = [_mean(way, [each[way] for each in rounds]) for way in rounds[0]]
    calibration, same = fitted(material)
    pairs = (int(same.sum()), int((~same).sum()))
    return Calibrated("+".join(material.models), calibration, pairs, held_out)


def fitted(material: Material) -> tuple[Calibration, NDArray[np.bool_]]:
    """A calibration of all that is given, and which of the pairs drawn for it are of one person.

    Slopes and bias come from drawn pairs, balanced by person; the tail from all pairs of strangers. What only footage
    can tell (false links, cohesion, normalisation) is taken over from what is known of the models.
    """
    people = material.people[material.face]
    pairs, same = draw_pairs(people)
    first, second = pairs.T
    cosines = np.column_stack([np.einsum("nd,nd->n", v[first], v[second]) for v in material.vectors])
    found = fit(cosines.astype(np.float32), same)
    return _with_tail(found, material, found.weights), same


def draw_pairs(people: NDArray[np.int64]) -> tuple[Ints, NDArray[np.bool_]]:
    """Pairs of pictures to fit to: the same ones whenever the same people are given.

    Of each person at most ten pairs of their own pictures, and up to a hundred with others, of whom each is as likely
    as any, however many pictures there are.

    Returns:
        int64 (p, 2), rows, each pair once; bool (p,), is it one person?
    """
    random = np.random.default_rng(_SEED)
    rows = [np.flatnonzero(people == person) for person in np.unique(people)]
    strangers = max(min(_STRANGERS, _STRANGERS_MOST // max(len(rows), 1)), _STRANGERS_LEAST)
    drawn: set[tuple[int, int]] = set()
    for place, own in enumerate(rows):
        first, second = np.triu_indices(len(own), 1)
        chosen = np.sort(random.permutation(len(first))[:_GENUINE_MOST])
        pairs = [(int(own[a]), int(own[b])) for a, b in zip(first[chosen], second[chosen], strict=True)]
        others = random.integers(len(rows) - 1, size=strangers) if len(rows) > 1 else np.zeros(0, np.int64)
        for other, shares in zip(others, random.random((len(others), 2)), strict=True):
            theirs = rows[other + (other >= place)]
            a, b = int(own[int(shares[0] * len(own))]), int(theirs[int(shares[1] * len(theirs))])
            pairs.append((min(a, b), max(a, b)))
        drawn.update(pairs)
    ordered = np.array(sorted(drawn), np.int64).reshape(-1, 2)
    return ordered, people[ordered[:, 0]] == people[ordered[:, 1]]


def first_half(people: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Half of the people, by chance but always the same; both halves hold as many with many pictures."""
    names, counts = np.unique(people, return_counts=True)
    shuffled = np.random.default_rng(_SEED).permutation(len(names))
    by_size = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    chosen = np.zeros(len(names), np.bool_)
    chosen[by_size[np.arange(len(names)) % 4 % 3 == 0]] = True  # 1st, 4th, 5th, 8th, …: neither half gets the larger
    return chosen[np.searchsorted(names, people)]


def _compared(train: Material, test: Material, settings: ClusteringSettings) -> dict[str, HeldOut]:
    """Every way to weigh the models, fitted to one half and measured on the other."""
    found, _ = fitted(train)
    count = len(train.models)
    ways = {CALIBRATED: found}
    if count > 1:
        equal = tuple([1.0] * count)
        ways[EQUAL] = _with_tail(replace(found, slopes=equal), train, [1 / count] * count)
        for place, model in enumerate(train.models):
            alone = tuple(float(other == place) for other in range(count))
            own = calibration_of(model) or found
            one = replace(own, slopes=alone, tail=found.tail, bias=found.bias)
            ways[f"{model} alone"] = _with_tail(one, train, alone, keep=True)
    elif known := calibration_of(train.models[0]):
        ways[BEFORE] = known
    return {way: _measured(way, calibration, test, settings) for way, calibration in ways.items()}


def _measured(way: str, calibration: Calibration, test: Material, settings: ClusteringSettings) -> HeldOut:
    vectors = fused(test.vectors, calibration.weights)
    scores = Scores.of(vectors, test.people, test.face)
    points = {far: scores.at_far(far) for far in FARS}
    bar = max(bar_of(calibration, len(vectors), settings), 1e-6)
    fixed = settings.model_copy(update={"bar": bar, "cohesion": settings.cohesion or calibration.cohesion})
    labels = sorted_into_people(vectors, test.quality, test.face, "+".join(test.models), fixed)
    judged = b_cubed(labels, test.people)
    tar = {far: point.tar if point else None for far, point in points.items()}
    return HeldOut(way, tar, judged.precision, judged.recall, judged.f)


def _with_tail(found: Calibration, material: Material, weights: Sequence[float], keep: bool = False) -> Calibration:
    """The tail of all pairs of strangers with these weights, and what the models are known to need.

    Args:
        keep: what only footage can tell as it is in `found`.
    """
    people = material.people[material.face]
    scores = Scores.of(fused(material.vectors, weights), people, np.ones(len(people), np.bool_))
    tail = scores.tail(TAIL_FARS)
    found = replace(found, tail=tail) if len(tail) > 1 else found
    if keep:
        return found
    whole = calibration_of("+".join(material.models))
    known = [whole] if whole else [calibration_of(model) or found for model in material.models]
    shares = np.array([1.0] if whole else weights)
    return replace(
        found,
        false_links=round(float(shares @ [each.false_links for each in known]), 4),
        cohesion=round(float(shares @ [each.cohesion for each in known]), 4),
        normalisation=round(float(shares @ [each.normalisation for each in known]), 4),
    )


def _mean(way: str, halves: Sequence[HeldOut]) -> HeldOut:
    tar: dict[float, float | None] = {}
    for far in FARS:
        values = [half.tar[far] for half in halves]
        known = [value for value in values if value is not None]
        tar[far] = float(np.mean(known)) if len(known) == len(values) else None
    b3 = [float(np.mean([getattr(half, name) for half in halves])) for name in ("b3_p", "b3_r", "b3_f")]
    return HeldOut(way, tar, *b3)

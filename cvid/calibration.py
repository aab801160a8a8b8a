"""What is known of the cosines of a model, or of several together: how they weigh, and how alike strangers look.

Calibrations are kept by combination of models: those that ship with cvid (`SHIPPED`, measured on LFW), and a user's
own, fitted by `evaluate --stills DIR --calibrate`, which win.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvid.errors import ModelError
from cvid.homes import config_file
from cvid.types import Doubles, Floats

_FORMAT = 1
TAIL_FARS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The false accept rates that a tail is measured at, as far as there are pairs enough."""
_LEAST_PAIRS = 10
"""Fewer pairs above a cosine say nothing about how often it is reached."""
_RIDGE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """What was measured of a combination of models.

    `tail`: (log10 FAR, cosine), how often a pair of different people reaches a cosine. `slopes` and `bias`: the
    log-odds that two faces are one person are bias + Σ slope · cosine, a slope a model, both kinds of pairs equally
    frequent. `false_links`: how many strangers above the bar a track may expect. Average-link asks for the mean of
    many pairs, so one false neighbour is not yet a false merge, the less so for a model whose strangers come in
    clumps. `cohesion`: the share of the similarity inside a group that a merge must reach; the more alike a model
    finds everybody, the higher. `normalisation`: how far a face's likeness to strangers in general counts against it,
    see `cvid.clustering.normalise`. The last three were chosen on footage of all kinds, docs/LOG.md, "Clustering".
    """

    tail: tuple[tuple[float, float], ...]
    slopes: tuple[float, ...]
    bias: float
    false_links: float = 0.15
    cohesion: float = 0.56
    normalisation: float = 0.7

    @property
    def weights(self) -> tuple[float, ...]:
        """The slopes as shares of 1: what a cosine of the fused vectors is made of."""
        total = sum(self.slopes)
        return tuple(slope / total for slope in self.slopes)


SHIPPED = {
    "mobilefacenet": Calibration(
        ((-2, 0.253), (-3, 0.336), (-4, 0.404), (-5, 0.463), (-6, 0.514)), (26.1384,), -7.8562, 0.15, 0.56, 0.7
    ),
    "dlib_resnet": Calibration(
        ((-2, 0.431), (-3, 0.587), (-4, 0.699), (-5, 0.765), (-6, 0.813)), (21.0522,), -8.4269, 1.5, 0.73, 1.2
    ),
    "mobilefacenet+dlib_resnet": Calibration(
        ((-2, 0.2781), (-3, 0.3698), (-4, 0.4397), (-5, 0.4995)), (18.6109, 8.8288), -8.8783, 0.26, 0.61, 0.86
    ),
}
"""By combination, names joined by "+"; slopes, biases and the pair's tail as `benchmarks/calibrations.py` prints them.

The pair's last three figures are those of its models, weighed; they were not chosen on footage."""


def calibration_of(models: str) -> Calibration | None:
    """The calibration of a combination, the user's own or else a shipped one; None where there is none.

    Args:
        models: names joined by "+", in any order; the slopes come in that order.
    """
    return _found(models, _own()) or _found(models, SHIPPED)


def lacking(models: str) -> str:
    """A sentence for a combination of which nothing was measured; empty where something was.

    Args:
        models: names joined by "+".
    """
    if calibration_of(models):
        return ""
    alike = "their vectors are weighed alike, and " if "+" in models else ""
    return (
        f"nothing was measured of {models} yet: {alike}people are judged by MobileFaceNet's bar; "
        "`cvid evaluate --stills DIR --calibrate` measures it on labelled pictures of your own"
    )


def fit(cosines: Floats, same: NDArray[np.bool_]) -> Calibration:
    """Fit slopes, bias and tail to labelled pairs, by logistic regression with slopes of at least 0.

    Args:
        cosines: float32 (n, m), a column a model.
        same: bool (n,), is the pair one person?

    Raises:
        ModelError: there are too few pairs of either kind.
    """
    from scipy.optimize import minimize  # takes longer to load than all that footage needs

    if same.sum() < _LEAST_PAIRS or (~same).sum() < 10 * _LEAST_PAIRS:
        raise ModelError("too few labelled pairs to calibrate: give several pictures each of at least ten people")
    x, sign = cosines.astype(np.float64), np.where(same, 1.0, -1.0)
    share = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())

    def loss(p: Doubles) -> tuple[float, Doubles]:
        margin = sign * (x @ p[:-1] + p[-1])
        pull = -share * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        slope = np.append(pull @ x + _RIDGE * p[:-1] / 100, pull.sum())
        return float((share * np.logaddexp(0, -margin)).sum() + _RIDGE * (p[:-1] ** 2).sum() / 200), slope

    start = np.append(np.full(x.shape[1], 10.0), -4.0)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * x.shape[1] + [(None, None)]).x
    slopes = tuple(round(float(slope), 4) for slope in found[:-1])
    if not sum(slopes):
        raise ModelError("the labels do not go with what the models see: no model tells these people apart")
    weights = np.array(slopes) / sum(slopes)
    return Calibration(_tail(x[~same] @ weights), slopes, round(float(found[-1]), 4))


def own_file_with(models: str, calibration: Calibration) -> tuple[Path, str]:
    """Where the user's own calibrations are kept, and what the file holds once this one is among them.

    Raises:
        ModelError: the file that is there cannot be read.
    """
    others = {name: own for name, own in _own().items() if sorted(name.split("+")) != sorted(models.split("+"))}
    content = {name: asdict(own) for name, own in (others | {models: calibration}).items()}
    return own_file(), json.dumps({"format": _FORMAT, "calibrations": content}, indent=1) + "\n"


def own_file() -> Path:
    """Where a user's own calibrations are kept."""
    return config_file("calibrations.json")


def _own() -> dict[str, Calibration]:
    path = own_file()
    try:
        content = json.loads(path.read_bytes())["calibrations"]
        return {name: _read(name, fields) for name, fields in content.items()}
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check its rights") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelError(f"{path}: not a file of calibrations; remove it, or run `evaluate --calibrate` anew") from exc


def _found(models: str, among: Mapping[str, Calibration]) -> Calibration | None:
    """The calibration of these models, its slopes in their order; the same models in another order are found too."""
    if models in among:
        return among[models]
    names = models.split("+")
    for known, calibration in among.items():
        slopes = dict(zip(known.split("+"), calibration.slopes, strict=True))
        if sorted(slopes) == sorted(names):
            return replace(calibration, slopes=tuple(slopes[name] for name in names))
    return None


def _read(models: str, fields: dict[str, object]) -> Calibration:
    read = Calibration(**fields)  # type: ignore[arg-type]
    tail = tuple((float(far), float(cosine)) for far, cosine in read.tail)
    slopes = tuple(float(slope) for slope in read.slopes)
    numbers = [
        *slopes,
        *(number for point in tail for number in point),
        read.bias,
        read.false_links,
        read.cohesion,
        read.normalisation,
    ]
    if len(tail) < 2 or len(slopes) != len(models.split("+")) or not np.isfinite(np.array(numbers, np.float64)).all():
        raise ValueError("no calibration")
    if min(slopes) < 0 or not sum(slopes) or read.false_links <= 0:
        raise ValueError("no calibration")
    chosen = float(read.false_links), float(read.cohesion), float(read.normalisation)
    return Calibration(tail, slopes, float(read.bias), *chosen)


def _tail(strangers: Doubles) -> tuple[tuple[float, float], ...]:
    """The cosines that one pair of strangers in 10², 10³, … reaches."""
    measured = [far for far in TAIL_FARS if len(strangers) * far >= _LEAST_PAIRS]
    if len(measured) < 2:
        measured = list(TAIL_FARS[:2])
    return tuple((round(float(np.log10(far)), 6), round(float(np.quantile(strangers, 1 - far)), 4)) for far in measured)

"""How alike two groups must be: a bar that follows from the model and from the archive's size, and a cohesion.

In an archive of n tracks each track meets n strangers. If one pair of strangers in 1/FAR(b) reaches the cosine b, a
track expects n · FAR(b) false neighbours at that bar. The bar is where this number reaches the allowed one. A constant
bar cannot be right: what separates thirty people lets strangers in among three thousand.
"""

from __future__ import annotations

import numpy as np

from cvid.calibration import SHIPPED, Calibration, calibration_of
from cvid.settings import ClusteringSettings

_SMALLEST = 100
"""A smaller archive is judged as one of this size: a handful of tracks says nothing about how alike strangers are."""
STRICTNESS = {"cautious": 0.2, "balanced": 1.0, "eager": 4.0}
"""How many times the model's own false links a word of `ClusteringSettings.strictness` allows.

Measured with hybrid and MobileFaceNet on footage among 1,500 strangers: recall 0.841, 0.882 and 0.904, strangers mixed
in 0.020, 0.037 and 0.088; on the LFW half precision 0.9985, 0.9955 and 0.9902."""
_UNMEASURED = SHIPPED["mobilefacenet"]


def bar_for(model: str, tracks: int, settings: ClusteringSettings, share: float = 1.0) -> float:
    """The cosine from which two groups of tracks may be one person.

    Args:
        model: name + weights hash.
        tracks: how many tracks the archive holds.
        settings: `bar` fixes the result; `false_links`, above 0, or a number as `strictness` stand in for the model's
            own, and a word as `strictness` multiplies it.
        share: of the false links that are allowed; a method may ask for less.
    """
    return bar_of(measured_of(model), tracks, settings, share)


def bar_of(measured: Calibration, tracks: int, settings: ClusteringSettings, share: float = 1.0) -> float:
    """The same from what was measured, whatever the model is called."""
    if settings.bar:
        return settings.bar
    tail = np.array(measured.tail)
    wanted = np.log10(share * false_links_of(measured, settings) / max(tracks, _SMALLEST))
    return float(_along(tail[:, 0], tail[:, 1], wanted))


def false_links_of(measured: Calibration, settings: ClusteringSettings) -> float:
    """How many strangers above the bar a track may expect: a number that is set, or the model's own times a word."""
    if settings.false_links or not isinstance(settings.strictness, str):
        return settings.false_links or float(settings.strictness)
    return STRICTNESS[settings.strictness] * measured.false_links


def cohesion_for(model: str, settings: ClusteringSettings) -> float:
    """The share of a group's inner similarity that a merge must reach: the setting, or else the model's own."""
    return settings.cohesion or measured_of(model).cohesion


def normalisation_for(model: str, settings: ClusteringSettings) -> float:
    """How far a likeness to strangers in general counts against a track: the setting, or else the model's own."""
    return settings.normalisation or measured_of(model).normalisation


def cosine_at(model: str, log10_far: float) -> float:
    """The cosine that a pair of strangers reaches with this frequency, by a model, name + weights hash."""
    tail = np.array(measured_of(model).tail)
    return float(_along(tail[:, 0], tail[:, 1], log10_far))


def measured_of(model: str) -> Calibration:
    """What was measured of a model, name + weights hash; one without measurement is judged like MobileFaceNet."""
    return calibration_of(model.split(":")[0]) or _UNMEASURED


def _along(
    far: np.ndarray[tuple[int], np.dtype[np.float64]],
    cosine: np.ndarray[tuple[int], np.dtype[np.float64]],
    wanted: float,
) -> float:
    """The cosine at a log10 FAR: between the measured points, and on along the outer pieces."""
    k = int(np.clip(np.searchsorted(-far, -wanted), 1, len(far) - 1))
    share = (wanted - far[k - 1]) / (far[k] - far[k - 1])
    return float(cosine[k - 1] + share * (cosine[k] - cosine[k - 1]))

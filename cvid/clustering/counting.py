"""How many groups a method makes that must be told: the number given, or an estimate, which is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvid.clustering.average import AverageLink
from cvid.clustering.constraints import contracted
from cvid.errors import SettingsError
from cvid.settings import ClusteringSettings
from cvid.types import TrackSet


def groups_wanted(tracks: TrackSet, settings: ClusteringSettings) -> tuple[int, str]:
    """How many groups to make of the tracks, and what a user should know of it, empty where the number was given.

    The estimate is how many groups average-link makes, single tracks among them. On parts of the LFW half with 10 to
    800 people it lies between 0.99 and 1.06 of the truth with MobileFaceNet, between 0.95 and 1.2 with dlib's ResNet;
    the largest gap of the eigenvalues of the similarities says 0.003 to 1.3 of it, by how they are scaled.

    Raises:
        SettingsError: more groups are wanted than there are tracks to part.
    """
    if not settings.k:
        k = AverageLink(settings).cluster(replace(tracks, founding=np.full(len(tracks), 2, np.uint8))).count
        return k, f"k = {k:,}, estimated: average-link finds that many"
    most = len(contracted(tracks))
    if settings.k > most and len(tracks):
        said = f", which decisions make {most:,} of" if most < len(tracks) else ""
        raise SettingsError(
            f"clustering.k: {settings.k:,} groups cannot be made of {len(tracks):,} tracks{said}; "
            f"give at most {most:,}, or 0 for an estimate"
        )
    return settings.k, ""

"""Average-link at a strict bar, then a second pass for what it leaves over: the default method."""

from __future__ import annotations

import numpy as np

from cvid.clustering.bars import bar_for, cohesion_for, normalisation_for
from cvid.clustering.founding import as_clusters
from cvid.clustering.graph import neighbours
from cvid.clustering.joining import REACH, Terms, join_leftovers
from cvid.clustering.linkage import as_groups, link
from cvid.clustering.normalise import shifts
from cvid.settings import ClusteringSettings
from cvid.types import Clusters, Ints, TrackSet

_STRICT = 0.27
"""Of the false links that average-link alone is allowed, this share is allowed here: what a strict bar loses the second
pass finds again, and strangers it keeps out (measured: 0.25 to 0.3 differ little, 0.5 lets in twice as many)."""
_ROUNDING = 2e-3
"""So much less than the bar is asked of neighbours: a large archive's index rounds cosines (measured: below 1e-3)."""


class Hybrid:
    """Let groups grow from what is surely alike, then let leftovers join the one whom they are most like.

    1. The graph of neighbours above the bar, which is stricter than that of average-link alone. Who has none is noise,
       as in DBSCAN with cores of two; only what is connected is looked at together.
    2. Constrained, cohesion-aware average-link inside of what is connected (see `average`).
    3. Groups of few tracks that are left over are compared with the mean direction of all faces of each person near
       them. They join the one that they are most like, if it reaches the bar, lies above the runner-up by a margin and
       keeps to the cohesion (see `joining`). From the likeness is taken what either side has in common with strangers
       in general, by a cohort of this very archive (see `normalise`).

    So the bar adapts three times: to the archive's size, to how well the groups hold together, and to how common a face
    is. No cluster ever holds a forbidden pair, through whatever it was merged; poor faces may join but not found.

    Use it by default. Use `average` where each merge must be explained by one number.
    """

    remark = ""

    def __init__(self, settings: ClusteringSettings) -> None:
        self.settings = settings

    def cluster(self, tracks: TrackSet) -> Clusters:
        """Group the tracks; see `Clusterer.cluster`."""
        settings = self.settings
        bar = bar_for(tracks.model, tracks.size, settings, _STRICT)
        cohesion = cohesion_for(tracks.model, settings)
        reach = REACH * bar if settings.second_pass else bar - _ROUNDING
        pairs, cosine = neighbours(tracks.template, reach)
        groups = _grown(tracks, pairs[cosine >= bar - _ROUNDING], bar, cohesion)
        if settings.second_pass:
            shift = normalisation_for(tracks.model, settings) * shifts(tracks, groups)
            terms = Terms(bar, settings.margin, cohesion)
            groups = join_leftovers(tracks, pairs, groups, shift.astype(np.float32), terms)
        return as_clusters(groups, tracks)


def _grown(tracks: TrackSet, pairs: Ints, bar: float, cohesion: float) -> Ints:
    """The groups by average-link, int64 (n,)."""
    return link(
        tracks.template,
        pairs,
        start=as_groups(tracks.person),
        cannot=tracks.cannot,
        bar=bar,
        cohesion=cohesion,
        shift=np.zeros(len(tracks), np.float32),
        apart=tracks.person,
    )

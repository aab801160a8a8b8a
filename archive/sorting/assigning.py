"""What is written of each track and identity once they are sorted: who, how sure, and why nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archive.records import CONFIDENT, CONFIRMED, DOUBTFUL
from archive.sorting.gathering import UNCONFIRMED, Assigned
from cvid.clustering.certainty import Certainty, confident
from cvid.settings import ClusteringSettings

if TYPE_CHECKING:
    from archive.sorting.settle import Sorting

NO_FACE = "no clear face"
TOO_SHORT = "too short, and nobody similar"
TOO_POOR = "not clear enough, and nobody similar"
REJECTED = "said to be somebody else, and nobody similar"
ALONE = "nobody similar"
Mask = NDArray[np.bool_]
_DECIMALS = 6


def assigned(found: Sorting, sure: Certainty, settings: ClusteringSettings) -> list[Assigned]:
    """What is written of each track that was looked at, or whose group was."""
    gathered, labels = found.gathered, found.labels
    n = len(labels)
    place = np.full(n, -1, np.int64)
    place[gathered.with_vector] = np.arange(len(gathered.with_vector))
    short = ~gathered.pictures & (gathered.end_s - gathered.start_s < settings.found_s)
    rejected = np.zeros(n, np.bool_)
    rejected[found.bounds.rejected] = True
    reasons = np.select(
        [labels >= 0, place < 0, rejected, short & (gathered.quality >= settings.found_quality), found.founding == 0],
        ["", NO_FACE, REJECTED, TOO_SHORT, TOO_POOR],
        ALONE,
    )
    confirmed = found.bounds.firm & (labels >= 0)
    certain = confident(sure, found.model)
    alone = np.isnan(sure.linkage)
    written = found.sorted | np.append(found.chosen, False)[labels]
    return [
        Assigned(
            track_id=gathered.ids[row],
            identity=found.names[labels[row]] if labels[row] >= 0 else None,
            similarity=_number(sure.similarity[place[row]]) if place[row] >= 0 else None,
            margin=_number(sure.margin[place[row]]) if place[row] >= 0 else None,
            support=int(sure.support[place[row]]) if place[row] >= 0 else 0,
            certainty=CONFIRMED if confirmed[row] else _words(place[row], alone, certain),
            reason=str(reasons[row]),
        )
        for row in np.flatnonzero(written).tolist()
    ]


def _words(place: int, alone: Mask, certain: Mask) -> str:
    """How sure the machine is of a track; nothing is said where there is nothing to compare with."""
    return "" if place < 0 or alone[place] else CONFIDENT if certain[place] else DOUBTFUL


def people_rows(found: Sorting, sure: Certainty) -> list[dict[str, Any]]:
    """The rows of `identities` that are new or have changed."""
    label_of = {identity: label for label, identity in enumerate(found.names)}
    rows = []
    for identity in dict.fromkeys([*found.names, *found.rulings.persons]):
        person = found.rulings.persons.get(identity)
        name = person.name if person else ""
        status = CONFIRMED if person and person.confirmed else UNCONFIRMED
        label = label_of.get(identity, -1)
        known = found.gathered.known.get(identity)
        if label >= 0 and found.chosen[label]:
            tightness = _number(sure.tightness[label])
        else:
            tightness = known.tightness if known and label >= 0 else None
        if known is None or (known.name, known.status, known.tightness) != (name, status, tightness):
            rows.append({"id": identity, "name": name, "status": status, "tightness": tightness})
    return rows


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DECIMALS)

"""Catalogues for tests of decisions: who is where is written down, not worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from builders import analysis, sha_of, track, track_analysis, unit
from sqlalchemy import delete, event, insert, select

from archive.catalogue import Catalogue
from archive.found import Found, Stamp
from archive.schema import assignments, identities
from cvid.types import Crop, Embeddings, Track, TrackAnalysis

Seen = tuple[str, float, float, float]
"""Where somebody is seen: video, start in s, x in px, quality. Everybody is seen for 4 s."""

CAST: Mapping[str, Sequence[Seen]] = {
    "P0001": [("a", 0, 0, 0.9), ("b", 0, 0, 0.8), ("c", 0, 0, 0.7)],
    "P0002": [("a", 10, 0, 0.6), ("b", 10, 0, 0.95)],
    "P0003": [("a", 0, 80, 0.5)],
    "": [("c", 20, 0, 0.4)],
}
"""Three people and one stranger; P0003 is seen beside P0001 in video a."""


def plain(one: Track) -> TrackAnalysis:
    """An appearance with the least that there can be."""
    return track_analysis(one, unit(1, 0, 0))


def lifelike(one: Track) -> TrackAnalysis:
    """An appearance with a vector, a face and pictures that are like no other's, and larger than a page of SQLite."""
    chance = np.random.default_rng([int(one.time_s[0]), int(one.xyxy[0, 0]), round(float(one.quality[0]) * 100)])
    vectors = chance.normal(size=(3, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    faces = Embeddings(vectors, "colours:" + "0" * 12)
    box, points = np.array([0, 0, 40, 40], np.float32), np.zeros((5, 2), np.float32)
    crops = [Crop(chance.bytes(6000), box, points, 1.0, 0.9) for _ in vectors]
    pictures = [(float(one.time_s[0]), chance.bytes(9000)) for _ in range(2)]
    return TrackAnalysis(one, faces, Embeddings(vectors[:1], faces.model), pictures, crops)


def cast(
    folder: Path, people: Mapping[str, Sequence[Seen]] = CAST, look: Callable[[Track], TrackAnalysis] = plain
) -> Catalogue:
    """An archive in which these people are seen."""
    catalogue = Catalogue.create_or_open(folder)
    catalogue.settle_models({"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12})
    catalogue.start_run({})
    seen = [one for places in people.values() for one in places]
    for video in sorted({video for video, *_ in seen}):
        own = [track(start, start + 4, x, quality) for name, start, x, quality in seen if name == video]
        catalogue.record([Found("/footage", f"{video}.mp4", Stamp(1, 2, 3), sha_of(video), None)])
        catalogue.save(1, analysis(sha_of(video), [look(one) for one in own]))
    place = {(a.video, a.start_s, a.x1): a.appearance for a in catalogue.appearances()}
    for identity, places in people.items():
        assign(catalogue, identity, *(place[f"{video}.mp4", start, x] for video, start, x, _ in places))
    catalogue.set_fact("last_identity", len(people) - 1)
    return catalogue


def assign(catalogue: Catalogue, identity: str, *appearances: str) -> None:
    """Give some appearances to somebody, as sorting would; "" is nobody."""
    connection = catalogue.connection
    if identity and not connection.execute(select(identities).where(identities.c.id == identity)).first():
        connection.execute(insert(identities).values(id=identity, name="", status="unconfirmed"))
    connection.execute(delete(assignments).where(assignments.c.track_id.in_(appearances)))
    rows = [{"track_id": i, "identity": identity or None, "support": 0, "reason": ""} for i in appearances]
    connection.execute(insert(assignments), rows)


def of(catalogue: Catalogue, identity: str) -> list[str]:
    """The appearances of somebody, by video and time."""
    return [a.appearance for a in catalogue.appearances(identity)]


def everything(catalogue: Catalogue) -> list[str]:
    """All that the catalogue holds, for comparison."""
    tables = "decisions payloads forgotten identities assignments tracks vectors pictures meta sqlite_sequence".split()
    return [repr(catalogue.connection.exec_driver_sql(f"SELECT * FROM {t} ORDER BY 1").all()) for t in tables]


class Killed(BaseException):
    """The end of a process, at some statement."""


def killed_after(catalogue: Catalogue, statements: int, do: Callable[[], object]) -> bool:
    """Was it killed before it came to its end?"""
    left = [statements]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    event.listen(catalogue.connection, "before_cursor_execute", count)
    try:
        do()
    except Killed:
        return True
    finally:
        event.remove(catalogue.connection, "before_cursor_execute", count)
    return False

"""The whole archive at once, as arrays: who is where and when, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, exists, false, func, select

from archive import queries, sources
from archive.records import Glance
from archive.schema import assignments, decisions, files, pictures, roots, runs, tracks, vectors, videos
from cvid.calibration import Calibration
from cvid.clustering.bars import bar_of
from cvid.settings import ClusteringSettings
from cvid.types import Doubles, Ints

if TYPE_CHECKING:
    from archive.catalogue import Catalogue

CERTAINTIES = ("confirmed", "confident", "doubtful", "")
"""From the surest; the last is of an appearance that is alone, or nobody's."""
_AT_ONCE = 5000
_PICTURES_AT_ONCE = 50


@dataclass(frozen=True)
class Source:
    """A video or picture: its path relative to its root, whether it still lies there, and whether all could be read."""

    sha256: str
    root: str
    path: str
    kind: str
    duration_s: float
    missing: bool
    damaged: bool


@dataclass(frozen=True, eq=False)
class Overview:
    """All n appearances of an archive in the order of (source, start). NaN: nothing to compare with."""

    people: Sequence[Glance]
    sources: Sequence[Source]  # by path
    person: Ints  # (n,), row in `people`, −1 = nobody's
    source: Ints  # (n,), row in `sources`
    start_s: Doubles  # (n,)
    end_s: Doubles  # (n,)
    quality: Doubles  # (n,)
    similarity: Doubles  # (n,)
    margin: Doubles  # (n,)
    certainty: Ints  # (n,), place in CERTAINTIES

    @cached_property
    def by_person(self) -> list[NDArray[np.int64]]:
        """The rows of each of the people, in the order of the footage."""
        return _parted(self.person, len(self.people))

    @cached_property
    def by_source(self) -> list[NDArray[np.int64]]:
        """The rows of each source, by time."""
        return _parted(self.source, len(self.sources))


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One state of the catalogue for the whole block, whoever writes to it meanwhile."""
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")


def overview(connection: Connection) -> Overview:
    """Read everything but pictures and vectors."""
    people, found = queries.glances(connection), _sources(connection)
    at_person = {one.id: row for row, one in enumerate(people)}
    at_source = {one.sha256: row for row, one in enumerate(found)}
    at_word = {word: place for place, word in enumerate(CERTAINTIES)}
    query = select(
        tracks.c.sha256,
        assignments.c.identity,
        assignments.c.certainty,
        tracks.c.start_s,
        tracks.c.end_s,
        tracks.c.quality,
        assignments.c.similarity,
        assignments.c.margin,
    ).outerjoin(assignments, assignments.c.track_id == tracks.c.id)
    whose, figures = [np.zeros((0, 3), np.int64)], [np.zeros((0, 5))]
    for rows in connection.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions():
        whose.append(
            np.array([(at_source[r[0]], at_person.get(r[1], -1), at_word.get(r[2] or "", 3)) for r in rows], np.int64)
        )
        figures.append(np.array([r[3:] for r in rows], np.float64))  # None becomes NaN
    which, values = np.concatenate(whose), np.concatenate(figures)
    order = np.lexsort((which[:, 1], values[:, 1], values[:, 0], which[:, 0]))
    source, person, certainty = which[order].T
    start_s, end_s, quality, similarity, margin = values[order].T
    return Overview(people, found, person, source, start_s, end_s, quality, similarity, margin, certainty)


def faces(connection: Connection, appearances: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """(appearance, JPEG file) of the best face of each of some appearances that has one."""
    query = select(pictures.c.track_id, pictures.c.jpeg).where(pictures.c.rank == 0)
    for start in range(0, len(appearances), _PICTURES_AT_ONCE):
        some = appearances[start : start + _PICTURES_AT_ONCE]
        for row in connection.execute(query.where(pictures.c.track_id.in_(some)).order_by(pictures.c.track_id)):
            yield row.track_id, bytes(row.jpeg)


def bar_in_use(catalogue: Catalogue) -> float | None:
    """The mean similarity from which two groups may be one person, as of the last sorting; None before the first."""
    rules: dict[str, Any] | None = catalogue.fact("clustering")
    if not rules:
        return None
    measured = dict(rules["measured"])
    measured["tail"] = tuple((float(far), float(cosine)) for far, cosine in measured["tail"])
    measured["slopes"] = tuple(measured["slopes"])
    known = {name: value for name, value in rules["settings"].items() if name in ClusteringSettings.model_fields}
    held = select(func.count()).where(vectors.c.model == catalogue.models().get("embedder", ""))
    count = int(catalogue.connection.execute(held).scalar_one())
    return bar_of(Calibration(**measured), count, ClusteringSettings(**known))


def as_of(connection: Connection) -> tuple[str, str]:
    """When footage was last indexed and when something was last decided, UTC; empty where never."""
    indexed = connection.execute(select(func.max(func.coalesce(runs.c.finished_utc, runs.c.started_utc)))).scalar()
    decided = connection.execute(select(func.max(decisions.c.utc))).scalar()
    return indexed or "", decided or ""


def _sources(connection: Connection) -> list[Source]:
    place = sources.shown()
    present = exists().where(files.c.sha256 == videos.c.sha256, files.c.missing == false())
    columns = (videos.c.sha256, videos.c.kind, videos.c.duration_s, videos.c.damage, place.c.path)
    query = (
        select(*columns, roots.c.path.label("root"), present.label("present"))
        .join(place, place.c.sha256 == videos.c.sha256)
        .join(roots, roots.c.id == place.c.root_id)
        .order_by(place.c.path, videos.c.sha256)
    )
    return [
        Source(row.sha256, row.root, row.path, row.kind, row.duration_s, not row.present, bool(row.damage))
        for row in connection.execute(query)
    ]


def _parted(of: Ints, count: int) -> list[NDArray[np.int64]]:
    order = np.argsort(of, kind="stable")
    return np.split(order, np.searchsorted(of[order], np.arange(count + 1)))[1:-1]

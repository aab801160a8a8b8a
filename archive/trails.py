"""Where each face is in a video over time, and whose it is: what is drawn into it, or covered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from archive.found import Stamp
from archive.packing import unpack_track
from archive.schema import assignments, files, forgotten, identities, roots, runs, tracks, trails, videos
from cvid.errors import VideoError
from cvid.places import joined
from cvid.settings import Settings
from cvid.types import Track


@dataclass(frozen=True, eq=False)
class Trail:
    """One appearance with its way through the picture; the other fields are those of `Appearance`."""

    appearance: str
    identity: str
    name: str
    similarity: float | None
    certainty: str
    track: Track


@dataclass(frozen=True)
class Indexed:
    """A video of the catalogue, and how it was looked at."""

    kind: str
    duration_s: float
    speed: str
    max_gap_s: float  # a track unseen for longer has ended
    floor_s: float  # there was a look at least this often


def indexed(connection: Connection, sha256: str) -> Indexed | None:
    """How a content was looked at; None where it is not in the catalogue."""
    query = select(videos, runs.c.settings).join(runs, runs.c.id == videos.c.run_id).where(videos.c.sha256 == sha256)
    row = connection.execute(query).first()
    if row is None:
        return None
    own = Settings()
    return Indexed(
        row.kind,
        row.duration_s,
        row.speed,
        float(row.settings.get("tracking", {}).get("max_gap_s", own.tracking.max_gap_s)),
        float(row.settings.get("selection", {}).get("floor_s", own.selection.floor_s)),
    )


def trails_of(connection: Connection, sha256: str) -> list[Trail]:
    """All appearances in a video, by time."""
    query = (
        select(
            tracks.c.id,
            trails.c.data,
            assignments.c.identity,
            identities.c.name,
            assignments.c.similarity,
            assignments.c.certainty,
        )
        .select_from(tracks)
        .join(trails, trails.c.track_id == tracks.c.id)
        .outerjoin(assignments, assignments.c.track_id == tracks.c.id)
        .outerjoin(identities, identities.c.id == assignments.c.identity)
        .where(tracks.c.sha256 == sha256)
        .order_by(tracks.c.start_s, tracks.c.x1, tracks.c.id)
    )
    return [
        Trail(
            row.id,
            row.identity or "",
            row.name or "",
            row.similarity,
            row.certainty or "",
            unpack_track(row.data),
        )
        for row in connection.execute(query)
    ]


def erased_from(connection: Connection, sha256: str) -> list[Track]:
    """Where somebody was seen who was forgotten: one face at the middle of every half second."""
    query = select(forgotten).where(forgotten.c.sha256 == sha256).order_by(forgotten.c.id)
    ways: list[list[Row[Any]]] = []
    for place in connection.execute(query):
        if ways and ways[-1][-1].end_s == place.start_s and place.time_s > ways[-1][-1].time_s:
            ways[-1].append(place)
        else:
            ways.append([place])
    return [_track(way) for way in ways]


def content_of(connection: Connection, video: Path) -> str:
    """The sha256 of a file, by which it is known wherever it lies; it is read only where the last scan has not seen it.

    Raises:
        VideoError: it cannot be read.
    """
    try:
        with video.open("rb") as file:
            stamp, real = Stamp.of(os.fstat(file.fileno())), video.resolve()
            same = [getattr(files.c, column) == value for column, value in _columns(stamp).items()]
            query = (
                select(roots.c.path.label("root"), files.c.path, files.c.sha256).join_from(files, roots).where(*same)
            )
            for row in connection.execute(query.where(files.c.sha256 != "")) if stamp.tells else ():
                if joined(row.root, row.path) == real:
                    return str(row.sha256)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise VideoError(video, exc.strerror or "it cannot be read") from exc


def named_alike(connection: Connection, name: str) -> list[Path]:
    """Where files of a name lie, or lay, on this machine."""
    query = (
        select(roots.c.path.label("root"), files.c.path).join_from(files, roots).order_by(files.c.missing, files.c.id)
    )
    rows = connection.execute(query)
    places = [joined(row.root, row.path) for row in rows if PurePosixPath(row.path).name == name]
    return [place for place in places if isinstance(place, Path)]


def is_footage(connection: Connection, path: Path) -> bool:
    """Is this the path of a file that is in the catalogue?"""
    wanted = path.resolve()
    return any(place.resolve() == wanted for place in named_alike(connection, wanted.name))


def _columns(stamp: Stamp) -> dict[str, int]:
    return {"size": stamp.size, "mtime_ns": stamp.mtime_ns, "inode": stamp.inode}


def _track(way: Sequence[Row[Any]]) -> Track:
    ones = np.ones(len(way), np.float32)
    return Track(
        np.array([place.time_s for place in way], np.float64),
        np.arange(len(way), dtype=np.int64),
        np.array([(place.x1, place.y1, place.x2, place.y2) for place in way], np.float32),
        ones,
        ones,
    )

"""What the catalogue answers: frozen records, and how an appearance becomes a row of a log or an export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.names import as_text

ENCODING = "utf-8"
"""Of logs and exports; paths go through `archive.names.as_text`."""

CONFIRMED, CONFIDENT, DOUBTFUL = "confirmed", "confident", "doubtful"
"""How sure it is that an appearance belongs where it is."""


@dataclass(frozen=True)
class Moment:
    """A place in the footage; `video` is relative to its root, and empty where there is no such moment."""

    video: str
    time_s: float


@dataclass(frozen=True)
class Person:
    """One identity at a glance; `tightness` is the mean similarity between its appearances, None of a single one."""

    id: str
    name: str
    videos: int
    appearances: int
    screen_time_s: float
    first: Moment
    last: Moment
    status: str
    tightness: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields of `people --json`."""
        return {
            "id": self.id,
            "name": self.name,
            "videos": self.videos,
            "appearances": self.appearances,
            "screen_time_s": round(self.screen_time_s, 3),
            "first": {"video": as_text(self.first.video), "time_s": round(self.first.time_s, 3)},
            "last": {"video": as_text(self.last.video), "time_s": round(self.last.time_s, 3)},
            "status": self.status,
        }

    def in_full(self) -> dict[str, Any]:
        """The same with how tight it is, for one identity's own log."""
        return self.as_json() | {"tightness": None if self.tightness is None else round(self.tightness, 4)}


@dataclass(frozen=True)
class Glance:
    """One identity in a list of thousands; `doubtful` and `confirmed` count its appearances."""

    id: str
    name: str
    status: str
    videos: int
    appearances: int
    screen_time_s: float
    doubtful: int
    confirmed: int


@dataclass(frozen=True)
class Appearance:
    """One track, and who it was taken for.

    `identity` and `name` are empty when it is nobody's; `reason` then says why. `similarity` compares it with the
    mean of the other tracks of its identity, `margin` is what that lies above the nearest other identity, `support`
    how many other tracks are by themselves as similar as one person's; the first two are None where there is nothing
    to compare with. `certainty` is "confirmed" by a human, "confident", "doubtful", or empty where it is alone. The
    box is px of the upright frame at `best_s`. `appearance` is the id that every verb takes.
    """

    identity: str
    name: str
    video: str
    start_s: float
    end_s: float
    x1: float
    y1: float
    x2: float
    y2: float
    best_s: float
    faces: int
    quality: float
    similarity: float | None
    evidence: str
    appearance: str
    margin: float | None
    support: int
    certainty: str
    reason: str


@dataclass(frozen=True)
class Failure:
    """A file or folder that could not be read, or not to its end, and why."""

    path: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """An element of `failures` in the objects of verbs."""
        return {"path": as_text(self.path), "reason": as_text(self.reason)}


@dataclass(frozen=True)
class Run:
    """One `index` and what it ran with; `finished_utc` is None while it runs or when it was killed."""

    id: int
    started_utc: str
    finished_utc: str | None
    version: str
    models: dict[str, str]
    providers: list[str]
    settings: dict[str, Any]
    outcome: str


@dataclass(frozen=True)
class Changing:
    """A change of models that is under way or was stopped: to which, and how many of the tracks have new vectors."""

    models: dict[str, str]
    done: int
    total: int


@dataclass(frozen=True)
class Status:
    """What an archive holds; `runs` come newest first, `bytes` is what its folder takes on the disk.

    `crop_bytes` of them are the faces that are kept for models to come.

    `damaged` ones are among the sources, for they are indexed as far as they go; `failed` ones are not.
    """

    sources: int
    missing: int
    failed: int
    damaged: int
    tracks: int
    identities: int
    unassigned: int
    models: dict[str, str]
    runs: list[Run]
    bytes: int
    crop_bytes: int
    changing: Changing | None


COLUMNS = (
    "identity", "name", "video", "start_s", "end_s", "x1", "y1", "x2", "y2", "best_s", "faces", "quality", "similarity",
    "evidence", "appearance", "margin", "support", "certainty", "reason",
)  # fmt: skip
"""The columns of log.csv and `export`, in order."""

_DECIMALS = {
    "start_s": 3, "end_s": 3, "best_s": 3, "x1": 1, "y1": 1, "x2": 1, "y2": 1,
    "quality": 4, "similarity": 4, "margin": 4,
}  # fmt: skip


def as_fields(appearance: Appearance) -> dict[str, Any]:
    """The columns of an appearance with their values, rounded: times to ms, boxes to 0.1 px, the rest to 4 decimals."""
    fields = {column: getattr(appearance, column) for column in COLUMNS}
    fields["video"] = as_text(fields["video"])
    for column, decimals in _DECIMALS.items():
        if fields[column] is not None:
            fields[column] = round(float(fields[column]), decimals) + 0.0  # + 0.0: no "-0.0"
    return fields


def as_row(appearance: Appearance) -> list[str]:
    """The cells of a csv line, in the order of `COLUMNS`; what is None is left empty."""
    return ["" if value is None else _cell(column, value) for column, value in as_fields(appearance).items()]


def json_line(fields: Mapping[str, Any]) -> str:
    """One object on one line, without its end; its strings are valid Unicode."""
    return json.dumps(fields, ensure_ascii=False, allow_nan=False)


def _cell(column: str, value: Any) -> str:
    return f"{value:.{_DECIMALS[column]}f}" if column in _DECIMALS else str(value)

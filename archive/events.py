"""What `index_footage` tells its hook while it works. Paths are those of the `video` column: relative to their root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cvid.types import FrameCounts

if TYPE_CHECKING:
    from cvid.analyse import Progress


@dataclass(frozen=True)
class Scanning:
    """The footage is being looked through."""

    files: int
    bytes_hashed: int


@dataclass(frozen=True)
class Scanned:
    """What there is to do. `video_seconds` is the length of what will be indexed, as far as the containers tell."""

    found: int
    to_index: int
    skipped: int
    duplicates: int
    ignored: int
    video_seconds: float


@dataclass(frozen=True)
class Started:
    """A worker has begun with a file; `duration_s` is 0 where unknown."""

    path: str
    duration_s: float


@dataclass(frozen=True)
class Advanced:
    """A worker has come further in a file."""

    path: str
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """A file is wholly in the catalogue."""

    path: str
    faces: int
    tracks: int
    duration_s: float
    counts: FrameCounts


@dataclass(frozen=True)
class Failed:
    """A file could not be indexed, or, after `Finished`, not wholly; the others go on."""

    path: str
    reason: str


@dataclass(frozen=True)
class Clustering:
    """All tracks of the archive are being sorted into people."""

    tracks: int


@dataclass(frozen=True)
class Revectoring:
    """The tracks of the archive are being given vectors of other models."""

    done: int
    total: int


@dataclass(frozen=True)
class WritingFolders:
    """The folders of the identities are being brought up to date."""

    done: int
    total: int


@dataclass(frozen=True)
class Note:
    """Something worth a line: which models run and why, what was left out."""

    text: str


Event = Scanning | Scanned | Started | Advanced | Finished | Failed | Clustering | Revectoring | WritingFolders | Note

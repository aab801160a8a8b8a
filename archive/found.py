"""What a scan of footage comes upon, and where it looks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from archive.paths import above, inside
from cvid.places import Place, Told, joined
from cvid.types import VideoInfo


@dataclass(frozen=True)
class Stamp:
    """What changes when a file's content does, as far as the file system tells."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result | Told) -> Stamp:
        """The stamp of a file's `stat`; inodes are cut to what SQLite can hold."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino & (2**63 - 1))

    @property
    def tells(self) -> bool:
        """Is it more than a size, so that the same stamp means the same content?"""
        return bool(self.mtime_ns or self.inode)


NO_STAMP = Stamp(0, 0, 0)


@dataclass(frozen=True)
class Known:
    """What the catalogue knows of a path: its root, the content it had, and whether that is indexed."""

    root: str
    stamp: Stamp
    sha256: str
    indexed: bool


@dataclass(frozen=True)
class Found:
    """A video or picture. `info` is None where its content is known from before and need not be looked at."""

    root: str
    path: str  # relative to the root, with "/"
    stamp: Stamp
    sha256: str
    info: VideoInfo | None

    @property
    def absolute(self) -> Place:
        """Where it lies."""
        return joined(self.root, self.path)


@dataclass(frozen=True)
class Unreadable:
    """A file or folder that should be footage and cannot be read; of a folder, `path` may be "."."""

    root: str
    path: str
    stamp: Stamp
    reason: str

    @property
    def absolute(self) -> Place:
        """Where it lies."""
        return joined(self.root, self.path)


@dataclass(frozen=True)
class Ignored:
    """Anything that is no footage."""

    path: str


@dataclass(frozen=True)
class PassedOver:
    """A folder that is an archive of cvid."""

    path: str


Item = Found | Unreadable | Ignored | PassedOver


@dataclass(frozen=True)
class Scope:
    """Where to look: folders with the roots that their files are named by, and single files."""

    folders: Sequence[tuple[str, str]]  # (folder, its root)
    files: Sequence[tuple[str, str]]
    unread: frozenset[str] = frozenset()  # folders, or files, that turned out to be unreadable

    def but_for(self, unread: Iterable[str]) -> Scope:
        """The same without what lies in these folders, of which nobody can tell whether it is still there."""
        return replace(self, unread=frozenset(path.rstrip("/") for path in unread))

    def covers(self, path: str) -> bool:
        """Would a scan come upon this absolute path if a file lay there?"""
        if self.unread and any(folder in self.unread for folder in above(path)):
            return False
        return any(path == file for file, _ in self.files) or any(inside(path, folder) for folder, _ in self.folders)

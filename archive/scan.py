"""Look through the footage: which files are videos or pictures, which cannot be read, which are something else.

Files are only ever opened for reading. A file is known again by size, time of change and inode, without being read;
otherwise by its sha256. Hidden files, archives of cvid and anything that is no regular file are passed over.
"""

# Paths are strings here, for there may be millions of them.
# ruff: noqa: PTH100, PTH112, PTH114, PTH116, PTH118, PTH122, PTH123
from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.events import Scanning
from cvid.errors import VideoError
from cvid.types import VideoInfo
from cvid.video import PICTURE_SUFFIXES, VIDEO_SUFFIXES, looks_like_media, probe

_REPORT_EVERY_S = 0.2
_CHUNK = 1 << 20
CHANGED = "it changed while it was read; index it again when it is complete"


@dataclass(frozen=True)
class Stamp:
    """What changes when a file's content does, as far as the file system tells."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """The stamp of a file's `stat`; inodes are cut to what SQLite can hold."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino & (2**63 - 1))


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
    def absolute(self) -> Path:
        """Where it lies."""
        return Path(self.root, self.path)


@dataclass(frozen=True)
class Unreadable:
    """A file or folder that should be footage and cannot be read; of a folder, `path` may be "."."""

    root: str
    path: str
    stamp: Stamp
    reason: str

    @property
    def absolute(self) -> Path:
        """Where it lies."""
        return Path(self.root, self.path)


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

    def covers(self, path: str) -> bool:
        """Would a scan come upon this absolute path if a file lay there?"""
        return any(path == file for file, _ in self.files) or any(_inside(path, folder) for folder, _ in self.folders)


def scope_of(footage: Sequence[Path], roots: Iterable[str]) -> Scope:
    """Sort what the user named into folders and files, each with a root.

    A folder inside a root that is known already keeps that root, so that its files keep their names.
    """
    folders: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    known = sorted(roots, key=len, reverse=True)
    for named in footage:
        is_folder = os.path.isdir(named)
        folder, name = (named, "") if is_folder else os.path.split(os.path.abspath(named))
        home = os.path.realpath(folder)
        path = home if is_folder else os.path.join(home, name)
        root = next((r for r in known if _inside(home, r)), home)
        (folders if is_folder else files).append((path, root))
    return Scope(sorted(set(folders)), sorted(set(files)))


def scan(
    scope: Scope,
    known: Mapping[str, Known],
    indexed: Callable[[str], bool],
    archive: Path,
    hook: Callable[[Scanning], None],
) -> Iterator[Item]:
    """Every file in scope, once, in a fixed order.

    Args:
        known: absolute path → what the catalogue knows of it.
        indexed: is this sha256 indexed already?
        archive: the archive's own folder, which may lie inside the footage.
        hook: told a few times a second how far the scan is.
    """
    reader = _Reader(known, indexed, hook)
    seen: set[str] = set()
    for item in _walk(scope, archive):
        if isinstance(item, tuple):
            path, root = item
            if path not in seen:
                seen.add(path)
                yield reader.read(path, root)
        else:
            yield item


def _walk(scope: Scope, archive: Path) -> Iterator[tuple[str, str] | Item]:
    """(path, root) of every file. Linked folders come last, so that a file goes by its real path if it has one."""
    visited: set[tuple[int, int]] = set()
    own = _identity_of(str(archive))
    waiting = list(reversed(scope.folders))
    linked: list[tuple[str, str]] = []
    while waiting or linked:
        folder, root = waiting.pop() if waiting else linked.pop(0)
        try:
            identity = _identity(os.stat(folder))
            if identity in visited or identity == own:
                continue
            visited.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted((e for e in listing if not e.name.startswith(".")), key=lambda e: os.fsencode(e.name))
        except OSError as exc:
            yield Unreadable(root, _relative(folder, root), NO_STAMP, _plain(exc))
            continue
        if any(e.name == "catalogue.sqlite" for e in entries):
            yield PassedOver(folder)
            continue
        inner = []
        for entry in entries:
            if not _is_folder(entry):
                yield entry.path, root
            elif entry.is_symlink():
                linked.append((entry.path, root))
            else:
                inner.append((entry.path, root))
        waiting += reversed(inner)
    yield from scope.files


class _Reader:
    """Reads files one by one, and remembers what it has hashed in this scan."""

    def __init__(
        self, known: Mapping[str, Known], indexed: Callable[[str], bool], hook: Callable[[Scanning], None]
    ) -> None:
        self._known, self._indexed, self._hook = known, indexed, hook
        self._hashed: dict[tuple[int, Stamp], str] = {}
        self._files = self._bytes = 0
        self._reported = 0.0

    def read(self, path: str, root: str) -> Item:
        """What one file is."""
        known = self._known.get(path)
        root = known.root if known else root
        relative = _relative(path, root)
        self._files += 1
        self._tell()
        try:
            found = os.stat(path)
        except OSError as exc:
            return self._gone(path, root, relative, exc)
        if not stat.S_ISREG(found.st_mode):
            return Ignored(path)
        stamp = Stamp.of(found)
        if known and known.stamp == stamp and known.indexed:
            return Found(root, relative, stamp, known.sha256, None)
        if not stamp.size:
            return Unreadable(root, relative, stamp, "the file is empty") if _named_as_media(path) else Ignored(path)
        try:
            info = probe(Path(path))
        except VideoError as exc:
            return self._refused(path, root, relative, stamp, exc)
        try:
            sha256 = known.sha256 if known and known.stamp == stamp else self._hash(path, found.st_dev, stamp)
        except OSError as exc:
            return Unreadable(root, relative, stamp, _plain(exc))
        if not sha256:
            return Unreadable(root, relative, stamp, CHANGED)
        return Found(root, relative, stamp, sha256, None if self._indexed(sha256) else info)

    def _gone(self, path: str, root: str, relative: str, exc: OSError) -> Item:
        """A file that cannot even be looked at is footage if its name says so."""
        dangling = os.path.islink(path) and isinstance(exc, FileNotFoundError)
        if dangling and not _named_as_media(path):
            return Ignored(path)
        return Unreadable(root, relative, NO_STAMP, "the link points to nothing" if dangling else _plain(exc))

    def _refused(self, path: str, root: str, relative: str, stamp: Stamp, exc: VideoError) -> Item:
        try:
            is_media = looks_like_media(Path(path))
        except VideoError as unreadable:
            return Unreadable(root, relative, stamp, unreadable.reason)
        return Unreadable(root, relative, stamp, exc.reason) if is_media else Ignored(path)

    def _hash(self, path: str, device: int, stamp: Stamp) -> str:
        """The sha256 of a file; empty if it changed meanwhile. A hard link or a second link is not read twice."""
        if (device, stamp) not in self._hashed:
            digest = hashlib.sha256()
            with open(path, "rb", buffering=0) as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    self._bytes += len(chunk)
                    self._tell()
                if Stamp.of(os.fstat(file.fileno())) != stamp:
                    return ""
            self._hashed[device, stamp] = digest.hexdigest()
        return self._hashed[device, stamp]

    def _tell(self) -> None:
        if time.monotonic() - self._reported > _REPORT_EVERY_S:
            self._reported = time.monotonic()
            self._hook(Scanning(self._files, self._bytes))


def _relative(path: str, root: str) -> str:
    relative = os.path.relpath(path, root)
    return relative.replace(os.sep, "/") if os.sep != "/" else relative


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _identity_of(path: str) -> tuple[int, int] | None:
    try:
        return _identity(os.stat(path))
    except OSError:
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _named_as_media(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES


def _plain(exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError):
        return "it vanished while the footage was looked through"
    if isinstance(exc, PermissionError):
        return "permission denied"
    return (exc.strerror or str(exc)).lower()

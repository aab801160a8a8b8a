"""Look through the footage: which files are videos or pictures, which cannot be read, which are something else.

Files are only ever opened for reading. A file is known again by size, time of change and inode, without being read;
otherwise by its sha256. Hidden files, archives of cvid and anything that is no regular file are passed over. At an
address the same holds of what the storage tells; listings come folder by folder.
"""

# Paths are strings here, for there may be millions of them.
# ruff: noqa: PTH100, PTH112, PTH114, PTH116, PTH118, PTH122
from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from archive.events import Scanning
from archive.found import NO_STAMP, Found, Ignored, Item, Known, PassedOver, Scope, Stamp, Unreadable
from archive.paths import can_be_kept, inside, relative_to, without_surrogates
from cvid.errors import VideoError
from cvid.media import PICTURE_SUFFIXES, VIDEO_SUFFIXES, looks_like_media
from cvid.places import Address, Place, Told, is_address
from cvid.video import probe

_REPORT_EVERY_S = 0.2
_CHUNK = 1 << 20
_DEEPEST = 40
"""Folders inside folders at an address, where a link to itself has no mark to be known by."""
NO_UNICODE = "its name is no Unicode; rename it"
CHANGED = "it changed while it was read; index it again when it is complete"


def scope_of(footage: Sequence[Place], roots: Iterable[str]) -> Scope:
    """Sort what the user named into folders and files, each with a root.

    A folder inside a root that is known already keeps that root, so that its files keep their names.
    """
    folders: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    known = sorted(roots, key=len, reverse=True)
    for named in footage:
        is_folder, path, home = _of_address(named) if isinstance(named, Address) else _of_path(named)
        root = next((r for r in known if inside(home, r)), home)
        (folders if is_folder else files).append((path, root))
    return Scope(sorted(set(folders)), sorted(set(files)))


def _of_path(named: Path) -> tuple[bool, str, str]:
    """Is it a folder, its absolute path, and the folder that it is or lies in."""
    is_folder = os.path.isdir(named)
    folder, name = (named, "") if is_folder else os.path.split(os.path.abspath(named))
    home = os.path.realpath(folder)
    return is_folder, home if is_folder else os.path.join(home, name), home


def _of_address(named: Address) -> tuple[bool, str, str]:
    is_folder = named.is_folder()
    return is_folder, named.text, (named if is_folder else named.parent).text


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
    here = [pair for pair in scope.folders if not is_address(pair[0])]
    elsewhere = [pair for pair in scope.folders if is_address(pair[0])]
    for item in chain(_walk(here, archive), _walk_elsewhere(elsewhere), ((*pair, None) for pair in scope.files)):
        if isinstance(item, tuple):
            path, root, told = item
            if path not in seen:
                seen.add(path)
                yield reader.read(path, root, told)
        else:
            yield item


_Met = tuple[str, str, Told | None]
"""The path and the root of a file, and what is told of it already."""


def _walk(folders: Sequence[tuple[str, str]], archive: Path) -> Iterator[_Met | Item]:
    """Every file below folders of this machine. Linked ones come last: a file goes by its real path if it can."""
    visited: set[tuple[int, int]] = set()
    own = _identity_of(str(archive))
    waiting = list(reversed(folders))
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
            yield Unreadable(root, relative_to(folder, root), NO_STAMP, _plain(exc))
            continue
        if any(e.name == "catalogue.sqlite" for e in entries):
            yield PassedOver(folder)
            continue
        inner = []
        for entry in entries:
            if not _is_folder(entry):
                yield entry.path, root, None
            elif entry.is_symlink():
                linked.append((entry.path, root))
            else:
                inner.append((entry.path, root))
        waiting += reversed(inner)


def _walk_elsewhere(folders: Sequence[tuple[str, str]]) -> Iterator[_Met | Item]:
    """Every file below folders at addresses, folder by folder."""
    visited: set[str] = set()
    waiting = list(reversed(folders))
    while waiting:
        folder, root = waiting.pop()
        if folder in visited:
            continue
        visited.add(folder)
        relative = relative_to(folder, root)
        try:
            entries = Address(folder).entries() if relative.count("/") < _DEEPEST else []
        except (OSError, VideoError) as exc:
            yield Unreadable(root, relative, NO_STAMP, exc.reason if isinstance(exc, VideoError) else _plain(exc))
            continue
        if any(entry.address.name == "catalogue.sqlite" for entry in entries):
            yield PassedOver(folder)
            continue
        for entry in entries:
            if not can_be_kept(entry.address.text):
                yield Unreadable(root, without_surrogates(relative_to(entry.address.text, root)), NO_STAMP, NO_UNICODE)
            elif not entry.is_folder:
                yield entry.address.text, root, entry.told
        waiting += [(e.address.text, root) for e in reversed(entries) if e.is_folder and can_be_kept(e.address.text)]


class _Reader:
    """Reads files one by one, and remembers what it has hashed in this scan."""

    def __init__(
        self, known: Mapping[str, Known], indexed: Callable[[str], bool], hook: Callable[[Scanning], None]
    ) -> None:
        self._known, self._indexed, self._hook = known, indexed, hook
        self._hashed: dict[tuple[int, Stamp], str] = {}
        self._files = self._bytes = 0
        self._reported = 0.0

    def read(self, path: str, root: str, told: Told | None) -> Item:
        """What one file is; `told` spares a look at it."""
        known = self._known.get(path)
        root = known.root if known else root
        relative = relative_to(path, root)
        self._files += 1
        self._tell()
        try:
            found = told or (Address(path).stat() if is_address(path) else os.stat(path))
        except OSError as exc:
            return self._gone(path, root, relative, exc)
        except VideoError as exc:
            return Unreadable(root, relative, NO_STAMP, exc.reason)
        if isinstance(found, os.stat_result) and not stat.S_ISREG(found.st_mode):
            return Ignored(path)
        stamp = Stamp.of(found)
        same = known if known and known.stamp == stamp and stamp.tells else None
        if same and same.indexed:
            return Found(root, relative, stamp, same.sha256, None)
        if not stamp.size:
            return Unreadable(root, relative, stamp, "the file is empty") if _named_as_media(path) else Ignored(path)
        return self._opened(path, Unreadable(root, relative, stamp, ""), found, same.sha256 if same else "")

    def _opened(self, path: str, unreadable: Unreadable, found: os.stat_result | Told, sha256: str) -> Item:
        """What a file is by its content; `unreadable` is what it is if that cannot be told."""
        place = Address(path) if is_address(path) else Path(path)
        try:
            if isinstance(place, Address) and not looks_like_media(place):
                return Ignored(path)  # known by 64 KiB of it, where `probe` would fetch a megabyte
            info = probe(place)
        except VideoError as exc:
            return self._refused(path, place, unreadable, exc)
        try:
            sha256 = sha256 or self._hash(place, found)
        except (OSError, VideoError) as exc:
            return replace(unreadable, reason=exc.reason if isinstance(exc, VideoError) else _plain(exc))
        if not sha256:
            return replace(unreadable, reason=CHANGED)
        root, relative, stamp = unreadable.root, unreadable.path, unreadable.stamp
        return Found(root, relative, stamp, sha256, None if self._indexed(sha256) else info)

    def _gone(self, path: str, root: str, relative: str, exc: OSError) -> Item:
        """A file that cannot even be looked at is footage if its name says so."""
        dangling = os.path.islink(path) and isinstance(exc, FileNotFoundError)
        if dangling and not _named_as_media(path):
            return Ignored(path)
        return Unreadable(root, relative, NO_STAMP, "the link points to nothing" if dangling else _plain(exc))

    def _refused(self, path: str, place: Place, unreadable: Unreadable, exc: VideoError) -> Item:
        try:
            is_media = looks_like_media(place)
        except VideoError as closed:
            return replace(unreadable, reason=closed.reason)
        return replace(unreadable, reason=exc.reason) if is_media else Ignored(path)

    def _hash(self, place: Place, found: os.stat_result | Told) -> str:
        """The sha256 of a file; empty if it changed meanwhile. A hard link or a second link is not read twice."""
        key = (found.st_dev, Stamp.of(found)) if isinstance(found, os.stat_result) else None
        if key and key in self._hashed:
            return self._hashed[key]
        digest = hashlib.sha256()
        with place.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                self._bytes += len(chunk)
                self._tell()
            after = os.fstat(file.fileno()) if isinstance(found, os.stat_result) else None
        if Stamp.of(after or place.stat()) != Stamp.of(found):
            return ""
        if key:
            self._hashed[key] = digest.hexdigest()
        return digest.hexdigest()

    def _tell(self) -> None:
        if time.monotonic() - self._reported > _REPORT_EVERY_S:
            self._reported = time.monotonic()
            self._hook(Scanning(self._files, self._bytes))


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

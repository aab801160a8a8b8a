"""A folder that cvid writes and a user may put files into: whose each file is, and how it is replaced.

What cvid wrote is listed in the folder's own summary, with size and sha256. Everything else, and everything that was
changed since, is the user's: it moves along when the folder is written anew and stays when the folder goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.records import ENCODING, json_line
from cvid.errors import CatalogueError

UNASSIGNED, REPORTS = "unassigned", "reports"
_WRITING, _LEAVING = ".writing-", ".leaving-"
_IDENTITY = re.compile(r"(P\d{4,})(?:-|$)")
_BY_NAME = re.compile(r"portrait\.jpg|log\.csv|log\.jsonl|faces/.*_\d\dh\d\dm\d\d\.\d{3}s(_\w+)*\.jpg", re.DOTALL)
"""Our files in a folder whose summary is lost."""
_LITTER = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""What file managers leave in every folder they show."""


@dataclass(frozen=True)
class _Written:
    """What a folder was written with: the digest of its content, and name → (bytes, sha256) of its files."""

    digest: str = ""
    files: dict[str, tuple[int, str]] = field(default_factory=dict)


def identity_of(folder: Path) -> str:
    """The identity that a folder is named for; empty for any other folder, file or link."""
    match = _IDENTITY.match(folder.name)
    return match.group(1) if match and folder.is_dir() and not folder.is_symlink() else ""


def is_intact(place: Path, digest: str) -> bool:
    """Was the folder written with this digest, and are all its files still there at their size?"""
    written = _written(place)
    return written.digest == digest and all(_size(place / name) == size for name, (size, _) in written.files.items())


def begin(place: Path) -> Path:
    """An empty folder beside `place` to write into.

    Raises:
        CatalogueError: a file or a link lies at `place`.
    """
    if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
        raise CatalogueError(f"{place} is in the way and was not made by cvid; move it, and run the same command again")
    beside = writing(place)
    abandon(beside)
    beside.mkdir(parents=True)
    return beside


def writing(place: Path) -> Path:
    """Where `begin` makes its folder."""
    return place.with_name(_WRITING + place.name)


def abandon(beside: Path) -> None:
    """Remove a folder that was begun; or a file or a link, which is never followed."""
    if beside.is_dir() and not beside.is_symlink():
        shutil.rmtree(beside)
    else:
        beside.unlink(missing_ok=True)


def was_written(place: Path) -> bool:
    """Does a summary of ours lie in the folder?"""
    return bool(_written(place).files)


def finish(place: Path, beside: Path, summary: dict[str, Any], digest: str) -> None:
    """Add the summary to a written folder and put it in its place; the user's files move over."""
    files = {name: (_size(beside / name), _sha256(beside / name)) for name in _names(beside)}
    with (beside / _summary_file(place)).open("w", encoding=ENCODING, newline="\n") as file:
        file.write(json_line(summary | {"digest": digest, "files": files}) + "\n")
    aside = place.with_name(_LEAVING + place.name)
    if place.exists():
        place.rename(aside)  # no system swaps two folders
    beside.rename(place)
    if aside.exists():
        move_over(aside, place)


def move_over(old: Path, new: Path) -> None:
    """Give the user's files in `old` to `new`, and remove the rest; a name that is taken gets `.kept` behind it."""
    for name in _of_user(old):
        target = _free(new, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        (old / name).rename(target)
    _remove_but(old, ())


def clear(folder: Path) -> None:
    """Remove what cvid wrote, and the folder unless something of the user's is left in it."""
    _remove_but(folder, set(_of_user(folder)))


def recover(home: Path) -> None:
    """Finish or undo what a stopped run left half-way among the folders in `home`."""
    for entry in sorted(home.iterdir()):
        name = entry.name.removeprefix(_WRITING).removeprefix(_LEAVING)
        if not (name == UNASSIGNED or _IDENTITY.match(name)) or not entry.is_dir() or entry.is_symlink():
            continue
        if entry.name.startswith(_WRITING):
            abandon(entry)
        elif entry.name.startswith(_LEAVING):
            come_back(entry.with_name(entry.name.removeprefix(_LEAVING)))


def come_back(place: Path) -> None:
    """Finish or undo what a stopped run left half-way when it put a new folder in this place."""
    aside = place.with_name(_LEAVING + place.name)
    if not aside.is_dir() or aside.is_symlink():
        return
    if place.is_dir():
        move_over(aside, place)
    else:
        aside.rename(place)


def _remove_but(folder: Path, users: Collection[str]) -> None:
    names = [name for name in _names(folder) if name not in users]
    for name in sorted(names, key=_summary_file(folder).__eq__):  # the summary last: it tells whose the others are
        (folder / name).unlink(missing_ok=True)
    for at, _, _ in os.walk(folder, topdown=False):
        if not any(Path(at).iterdir()):
            Path(at).rmdir()


def _of_user(folder: Path) -> Iterator[str]:
    """The files that cvid did not write, or that were changed since."""
    written = _written(folder).files
    for name in list(_names(folder)):
        if name == _summary_file(folder) or Path(name).name in _LITTER:
            continue
        if written:
            size, sha256 = written.get(name, (-1, ""))
            ours = _size(folder / name) == size and _sha256(folder / name) == sha256
        else:
            ours = _BY_NAME.fullmatch(name) is not None
        if not ours:
            yield name


def _names(folder: Path) -> Iterator[str]:
    """Every file and link below a folder, relative to it, with "/"; links are not followed."""
    for at, folders, files in os.walk(folder):
        above = Path(at).relative_to(folder).as_posix()
        for name in sorted(files) + sorted(name for name in folders if Path(at, name).is_symlink()):
            yield name if above == "." else f"{above}/{name}"


def _free(folder: Path, name: str) -> Path:
    target, number = folder / name, 1
    while os.path.lexists(target):
        target = folder / f"{name}.kept{number if number > 1 else ''}"
        number += 1
    return target


def _written(folder: Path) -> _Written:
    """What a folder's summary tells of it; nothing where there is none to trust."""
    try:
        content = json.loads((folder / _summary_file(folder)).read_bytes())
        files = {str(name): (int(size), str(sha256)) for name, (size, sha256) in content["files"].items()}
        return _Written(str(content["digest"]), files)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError, AttributeError):
        return _Written()


def _summary_file(folder: Path) -> str:
    name = folder.name.removeprefix(_WRITING).removeprefix(_LEAVING)
    if name == UNASSIGNED:
        return "summary.json"
    return "identity.json" if _IDENTITY.match(name) else "report.json"


def _size(path: Path) -> int:
    """In bytes; -1 for what is no file of its own."""
    try:
        return path.lstat().st_size if not path.is_symlink() else -1
    except (FileNotFoundError, NotADirectoryError):
        return -1


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

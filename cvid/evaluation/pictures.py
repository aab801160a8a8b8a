"""The labelled pictures: a folder that holds one folder a person."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cvid.errors import LabelsError
from cvid.media import PICTURE_SUFFIXES


@dataclass(frozen=True)
class Labelled:
    """Pictures with the person each shows, ordered by person and name: parallel sequences."""

    folder: Path
    people: Sequence[str]
    paths: Sequence[Path]
    ignored: int  # files that are no pictures by their name, or lie in nobody's folder

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, row: int) -> str:
        """A picture's path below the folder, with "/"."""
        return self.paths[row].relative_to(self.folder).as_posix()


def labelled_pictures(folder: Path, least: int = 1, most: int = 0) -> Labelled:
    """All pictures below the folders of people; hidden files and folders are passed over.

    Args:
        folder: holds one folder a person, named as the person; the pictures may lie in folders inside that.
        least: people with fewer pictures are left out.
        most: people with more pictures are left out; 0 for no limit.

    Raises:
        LabelsError: the folder cannot be read, or there is no picture in any person's folder.
    """
    people: list[str] = []
    paths: list[Path] = []
    loose, ignored = 0, 0
    try:
        entries = sorted(folder.iterdir())
    except OSError as exc:
        raise LabelsError(f"{folder}: cannot be read ({exc.strerror or exc})") from exc
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            loose += _is_picture(entry)
            ignored += 1
            continue
        own, others = _below(entry)
        ignored += others
        if len(own) >= max(least, 1) and (not most or len(own) <= most):
            people += [entry.name] * len(own)
            paths += own
    if not paths:
        raise LabelsError(_nothing(folder, loose, least, most))
    return Labelled(folder, people, paths, ignored)


def _below(folder: Path) -> tuple[list[Path], int]:
    """The pictures anywhere below a person's folder, in order, and how many other files there are."""
    found: list[Path] = []
    others = 0

    def fail(exc: OSError) -> None:
        raise LabelsError(f"{exc.filename}: cannot be read ({exc.strerror or exc})") from exc

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(place, name)
            if _is_picture(path):
                found.append(path)
            else:
                others += 1
    return found, others


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def _nothing(folder: Path, loose: int, least: int, most: int) -> str:
    if least > 1 or most:
        asked = f"at least {least}" + (f" and at most {most}" if most else "")
        return f"{folder}: nobody has {asked} pictures; widen --least and --most"
    if loose:
        return f"{folder}: its pictures lie in nobody's folder; make one folder a person and put them there"
    return f"{folder}: there is no picture in it; it must hold one folder a person, with that person's pictures"

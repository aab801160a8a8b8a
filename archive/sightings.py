"""The appearances of an archive as a truth file is compared with them, and which videos its names mean."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from sqlalchemy import Connection, Row, select

from archive import sources
from archive.catalogue import Catalogue
from archive.names import as_text
from archive.schema import assignments, files, roots, tracks
from cvid.errors import LabelsError
from cvid.evaluation.placing import Sightings
from cvid.evaluation.truth import Truth
from cvid.places import joined
from cvid.types import Ints

_NAMED_MOST = 3
_TIMES, _BOX = ("start_s", "end_s", "best_s"), ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class _File:
    """One place where a content lies, or lay; names as they stand in logs and exports."""

    content: str
    relative: str
    absolute: str
    missing: bool


def sightings_of(catalogue: Catalogue, truth: Truth) -> tuple[Sightings, Ints]:
    """All appearances of an archive, and the video of each of the t rows of a truth, int64 (t,), by the same numbers.

    Appearances come in the order of `export`, and with its rounding, so that what is exported is worth the same.

    Raises:
        LabelsError: the archive has no file that the truth names, or several of different contents.
    """
    meant = _meant(_files(catalogue.connection), truth, catalogue.folder)
    shown = sources.shown()
    query = (
        select(tracks, assignments.c.identity)
        .join(shown, shown.c.sha256 == tracks.c.sha256)
        .outerjoin(assignments, assignments.c.track_id == tracks.c.id)
        .order_by(shown.c.path, tracks.c.start_s, tracks.c.x1, tracks.c.id)
    )
    rows = catalogue.connection.execute(query).all()
    number = {content: n for n, content in enumerate(dict.fromkeys([*(row.sha256 for row in rows), *meant]))}
    return _arrays(rows, number), np.array([number[content] for content in meant], np.int64)


def _arrays(rows: Sequence[Row[tuple[object, ...]]], number: dict[str, int]) -> Sightings:
    identity = {name: n for n, name in enumerate(dict.fromkeys(row.identity for row in rows if row.identity))}
    start_s, end_s, best_s = (np.array([round(getattr(r, name), 3) for r in rows], np.float64) for name in _TIMES)
    return Sightings(
        np.array([number[row.sha256] for row in rows], np.int64),
        np.array([identity.get(row.identity, -1) for row in rows], np.int64),
        start_s,
        end_s,
        best_s,
        np.array([[round(getattr(row, name), 1) for name in _BOX] for row in rows], np.float64).reshape(-1, 4),
    )


def _files(connection: Connection) -> list[_File]:
    """All files that were ever met and not forgotten, also those that could not be read."""
    query = select(files, roots.c.path.label("root")).join(roots, roots.c.id == files.c.root_id).order_by(files.c.id)
    found = []
    for row in connection.execute(query):
        place = joined(row.root, row.path)
        absolute = as_text(place.as_posix() if isinstance(place, Path) else str(place))
        found.append(_File(row.sha256 or absolute, as_text(row.path), absolute, row.missing))
    return found


def _meant(known: Sequence[_File], truth: Truth, folder: Path) -> list[str]:
    """The content that each row means."""
    by_name: dict[str, list[_File]] = defaultdict(list)
    for file in known:
        by_name[PurePosixPath(file.absolute).name].append(file)
    meant: dict[str, str] = {}
    for name, line in zip(truth.video, truth.line, strict=True):
        if name not in meant:
            meant[name] = _one(name, by_name, f"{truth.path}: line {line}", folder)
    return [meant[name] for name in truth.video]


def _one(name: str, by_name: dict[str, list[_File]], where: str, folder: Path) -> str:
    """The content of the file that a name means: a name alone any file of that name, a path what lies there.

    Args:
        where: the name stands, for messages.
    """
    path = PurePosixPath(name).as_posix()
    fitting = [f for f in by_name.get(PurePosixPath(path).name, []) if "/" not in path or _lies_at(f, path)]
    if not fitting:
        raise LabelsError(f"{where}: the archive {folder} has no video {name!r}; {_closest(path, by_name)}")
    fitting = [file for file in fitting if not file.missing] or fitting
    if len({file.content for file in fitting}) > 1:
        places = sorted({file.relative for file in fitting})
        shown = places if len(places) > 1 else sorted({file.absolute for file in fitting})
        listed = ", ".join(shown[:_NAMED_MOST]) + (", …" if len(shown) > _NAMED_MOST else "")
        raise LabelsError(f"{where}: {name!r} may be any of several videos: {listed}; give the path of one")
    return fitting[0].content


def _lies_at(file: _File, path: str) -> bool:
    return path in (file.relative, PurePosixPath(file.absolute).as_posix())


def _closest(path: str, by_name: dict[str, list[_File]]) -> str:
    if "/" in path:
        choices = [file.relative for same in by_name.values() for file in same]
    else:
        choices = list(by_name)
    close = difflib.get_close_matches(path, choices, n=_NAMED_MOST, cutoff=0.5)
    return f"closest: {', '.join(close)}" if close else f"it knows {len(choices):,} files"

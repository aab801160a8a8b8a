"""The folders of the identities: a view of the catalogue, rebuilt at will.

A folder is written beside its place and renamed into it. One whose content has not changed is left alone: the digest
in its summary tells. Folders of identities that are no more are removed; what a user put beside them is not.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from archive import queries
from archive.catalogue import Catalogue
from archive.database import told
from archive.events import WritingFolders
from archive.names import clock, identity_folder, slug
from archive.records import COLUMNS, ENCODING, ERRORS, Appearance, Person, as_fields, as_row, json_line
from cvid.errors import CatalogueError

_FORMAT = 1
"""Part of the digest: raise it when the files of a folder change, and all are written anew."""
_REPORT_EVERY_S = 0.1
_WRITING, _LEAVING = ".writing-", ".leaving-"
_OURS = re.compile(r"(\.writing-|\.leaving-)?P\d{4,}(-|$)")


@dataclass(frozen=True)
class _Picture:
    """A face of an appearance, and the name of its file."""

    file: str
    appearance: str
    rank: int
    digest: str


def write_folders(catalogue: Catalogue, folder: Path, hook: Callable[[WritingFolders], None]) -> None:
    """Bring `identities/` and `unassigned/` below `folder` up to date with the catalogue.

    Raises:
        CatalogueError: the disk is full, or something else is in the way; run `index` again, nothing is lost.
    """
    people = {person.id: person for person in catalogue.people()}
    total, reported = len(people) + 1, 0.0
    home = folder / "identities"
    with told(folder):
        home.mkdir(exist_ok=True)
    wanted = set()
    for done, (identity, rows) in enumerate(_by_identity(catalogue, people), start=1):
        place = home / identity_folder(identity, people[identity].name) if identity else folder / "unassigned"
        wanted.add(place.name)
        with told(folder):
            _bring_up_to_date(catalogue, place, people.get(identity), rows)
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            hook(WritingFolders(done, total))
    with told(folder):
        _remove_others(folder, wanted)
    hook(WritingFolders(total, total))


def _by_identity(catalogue: Catalogue, people: dict[str, Person]) -> Iterator[tuple[str, list[Appearance]]]:
    """Each identity with its appearances, also those that have none; "" and what is nobody's too, always."""
    left = {"": None} | dict.fromkeys(people)
    grouped = queries.appearances(catalogue.connection, grouped=True)
    for identity, rows in groupby(grouped, key=lambda appearance: appearance.identity):
        left.pop(identity, None)
        yield identity, list(rows)
    for identity in left:
        yield identity, []


def _bring_up_to_date(catalogue: Catalogue, place: Path, person: Person | None, rows: Sequence[Appearance]) -> None:
    """Write one folder, unless it says the same already."""
    pictures = _pictures(catalogue, person, rows)
    summary = _summary(person, rows)
    digest = _digest(summary, rows, pictures)
    if _digest_of(place) == digest:
        return
    beside = place.with_name(f"{_WRITING}{place.name}")
    _remove(beside)
    (beside / "faces").mkdir(parents=True)
    _write_pictures(catalogue, beside, person, rows, pictures)
    with (beside / "log.csv").open("w", encoding=ENCODING, errors=ERRORS, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(as_row(row) for row in rows)
    with (beside / "log.jsonl").open("w", encoding=ENCODING, errors=ERRORS, newline="\n") as file:
        file.writelines(json_line(as_fields(row)) + "\n" for row in rows)
    with (beside / _summary_file(place)).open("w", encoding=ENCODING, errors=ERRORS, newline="\n") as file:
        file.write(json_line(summary | {"digest": digest}) + "\n")
    _replace(place, beside)


def _write_pictures(
    catalogue: Catalogue, beside: Path, person: Person | None, rows: Sequence[Appearance], pictures: Sequence[_Picture]
) -> None:
    best = max(rows, key=lambda row: (row.quality, row.appearance), default=None) if person else None
    files = {(picture.appearance, picture.rank): picture.file for picture in pictures}
    for appearance, rank, jpeg in queries.jpegs_of(catalogue.connection, person.id if person else ""):
        (beside / "faces" / files[appearance, rank]).write_bytes(jpeg)
        if best and appearance == best.appearance and rank == 0:
            (beside / "portrait.jpg").write_bytes(jpeg)


def _pictures(catalogue: Catalogue, person: Person | None, rows: Sequence[Appearance]) -> list[_Picture]:
    """The faces of these appearances under names of their own, also where letters differ in case alone."""
    stored = queries.pictures_of(catalogue.connection, person.id if person else "")
    pictures, used = [], set()
    for row in rows:
        stem = slug(PurePosixPath(row.video).stem, "video")
        for rank, (time_s, digest) in enumerate(stored.get(row.appearance, [])):
            name = f"{stem}_{clock(time_s)}"
            if name.casefold() in used:
                name += f"_{row.appearance}"
            if name.casefold() in used:
                name += f"_{rank}"
            used.add(name.casefold())
            pictures.append(_Picture(f"{name}.jpg", row.appearance, rank, digest))
    return pictures


def _summary(person: Person | None, rows: Sequence[Appearance]) -> dict[str, Any]:
    """identity.json: who, where, and how sure."""
    if person is None:
        return {"schema_version": 1, "appearances": len(rows)}
    similarity = [row.similarity for row in rows if row.similarity is not None]
    margin = [row.margin for row in rows if row.margin is not None]
    return (
        {"schema_version": 1}
        | person.as_json()
        | {
            "mean_similarity": round(sum(similarity) / len(similarity), 4) if similarity else None,
            "least_similarity": round(min(similarity), 4) if similarity else None,
            "least_margin": round(min(margin), 4) if margin else None,
        }
    )


def _digest(summary: dict[str, Any], rows: Sequence[Appearance], pictures: Sequence[_Picture]) -> str:
    digest = hashlib.sha256(json.dumps([_FORMAT, summary]).encode())
    for row in rows:
        digest.update(json.dumps(as_fields(row)).encode())
    for picture in pictures:
        digest.update(f"{picture.file} {picture.digest}".encode())
    return digest.hexdigest()


def _digest_of(place: Path) -> str:
    """The digest that a folder was written with; empty where there is none to trust."""
    try:
        return str(json.loads((place / _summary_file(place)).read_bytes()).get("digest", ""))
    except (FileNotFoundError, NotADirectoryError, ValueError, AttributeError):
        return ""


def _summary_file(place: Path) -> str:
    return "summary.json" if place.name == "unassigned" else "identity.json"


def _replace(place: Path, beside: Path) -> None:
    """Put a written folder in its place; what was there steps aside first, for no system swaps two folders."""
    if place.is_dir() and any(place.iterdir()) and not (place / _summary_file(place)).exists():
        raise CatalogueError(
            f"the folder {place} is in the way and was not made by cvid; move it, and run `index` again"
        )
    aside = place.with_name(f"{_LEAVING}{place.name}")
    _remove(aside)
    if os.path.lexists(place):
        place.rename(aside)
    beside.rename(place)
    _remove(aside)


def _remove_others(folder: Path, wanted: Collection[str]) -> None:
    """Remove what stands for nobody any more, and what a stopped run left half-way."""
    for entry in (folder / "identities").iterdir():
        if entry.name not in wanted and _OURS.match(entry.name):
            _remove(entry)
    for mark in (_WRITING, _LEAVING):
        _remove(folder / f"{mark}unassigned")


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder; a link is never followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

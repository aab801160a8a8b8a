"""The folders of the identities: a view of the catalogue, rebuilt at will.

A folder is written beside its place and renamed into it. One whose content has not changed is left alone: the digest
in its summary tells. Folders of identities that are no more are removed; what a user put there is kept.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from archive import generated, queries
from archive.catalogue import Catalogue
from archive.database import told
from archive.events import WritingFolders
from archive.names import clock, identity_folder, slug
from archive.records import COLUMNS, ENCODING, Appearance, Person, as_fields, as_row, json_line

_FORMAT = 2
"""Part of the digest: raise it when the files of a folder change, and all are written anew."""
_REPORT_EVERY_S = 0.1


@dataclass(frozen=True)
class _Picture:
    """A face of an appearance, and the name of its file."""

    file: str
    appearance: str
    rank: int
    digest: str


def write_folders(
    catalogue: Catalogue,
    folder: Path,
    hook: Callable[[WritingFolders], None],
    only: Collection[str] | None = None,
) -> None:
    """Bring `identities/` and `unassigned/` below `folder` up to date with the catalogue.

    Args:
        only: the identities that may have changed, "" for what is nobody's; without it all of them.

    Raises:
        CatalogueError: the disk is full, or something else is in the way; run `index` again, nothing is lost.
    """
    people = {person.id: person for person in queries.people(catalogue.connection, only)}
    total, reported = len(people) + 1, 0.0
    home = folder / "identities"
    with told(folder):
        home.mkdir(exist_ok=True)
        generated.recover(home)
        generated.recover(folder)
    wanted = {}
    for done, (identity, rows) in enumerate(_by_identity(catalogue, people, only), start=1):
        name = identity_folder(identity, people[identity].name) if identity else ""
        place = home / name if name else folder / generated.UNASSIGNED
        wanted[identity] = place
        with told(folder):
            _bring_up_to_date(catalogue, place, people.get(identity), rows)
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            hook(WritingFolders(done, total))
    with told(folder):
        _remove_others(home, wanted, only)
    catalogue.set_fact("shown", True)
    hook(WritingFolders(total, total))


def face_file(catalogue: Catalogue, appearance: Appearance) -> Path | None:
    """The file of the best face of an appearance in the folder of its identity; None where it is not there."""
    person = next(iter(queries.people(catalogue.connection, [appearance.identity])), None)
    rows = list(queries.appearances(catalogue.connection, appearance.identity))
    for picture in _pictures(catalogue, person, rows):
        if (picture.appearance, picture.rank) == (appearance.appearance, 0):
            home = catalogue.folder / "identities" / identity_folder(person.id, person.name) if person else None
            path = (home or catalogue.folder / generated.UNASSIGNED) / "faces" / picture.file
            return path if path.is_file() else None
    return None


def _by_identity(
    catalogue: Catalogue, people: dict[str, Person], only: Collection[str] | None
) -> Iterator[tuple[str, list[Appearance]]]:
    """Each identity with its appearances, also those that have none; "" and what is nobody's too, where asked for."""
    if only is not None:
        for identity in [*people, *(("",) if "" in only else ())]:
            yield identity, list(queries.appearances(catalogue.connection, identity))
        return
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
    if generated.is_intact(place, digest):
        return
    beside = generated.begin(place)
    (beside / "faces").mkdir()
    _write_pictures(catalogue, beside, person, rows, pictures)
    with (beside / "log.csv").open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(as_row(row) for row in rows)
    with (beside / "log.jsonl").open("w", encoding=ENCODING, newline="\n") as file:
        file.writelines(json_line(as_fields(row)) + "\n" for row in rows)
    generated.finish(place, beside, summary, digest)


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
        | person.in_full()
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


def _remove_others(home: Path, wanted: Mapping[str, Path], only: Collection[str] | None) -> None:
    """Remove the folders that stand for nobody any more; one of an old name gives the user's files to the new one."""
    for entry in sorted(home.iterdir()):
        identity = generated.identity_of(entry)
        if only is not None and identity not in only:
            continue
        if identity and identity not in wanted:
            generated.clear(entry)
        elif identity and entry != wanted[identity]:
            generated.move_over(entry, wanted[identity])

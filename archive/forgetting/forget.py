"""Forget somebody for good: faces, vectors, pictures, names and decisions, and then prove that they are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, delete, func, select

from archive.catalogue import FILE, Catalogue
from archive.decisions import journal
from archive.decisions.anchors import Anchor, anchors_of, resolve
from archive.decisions.standing import Standing
from archive.decisions.statements import Forgot, Named
from archive.events import WritingFolders
from archive.folders import write_folders
from archive.forgetting.erasing import Gone, erasure_of
from archive.forgetting.places import keep_away
from archive.forgetting.proof import own_alone, samples, search, traces_of_name
from archive.forgetting.scrubbing import PENDING, scrub
from archive.packing import unpack_track
from archive.schema import identities, pictures, tracks, trails, vectors

_AT_ONCE = 500


@dataclass(frozen=True)
class Forgotten:
    """What `forget` erased, how many files it looked into after that, and where something still is: best nowhere."""

    identity: str
    appearances: int
    pictures: int
    vectors: int
    decisions_erased: int
    files_checked: int
    found: list[str]

    def as_json(self) -> dict[str, Any]:
        """The fields of `forget --json`."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Person:
    """All that is to go."""

    id: str
    ids: frozenset[str]
    tracks: Sequence[str]
    places: frozenset[Anchor]
    names: frozenset[str]


def forget(
    catalogue: Catalogue, identity: str, hook: Callable[[WritingFolders], None] = lambda event: None
) -> Forgotten:
    """Erase an identity; it cannot be undone. Not inside a transaction: the file itself is rewritten.

    Whatever stops it, everything is there as before, or the person is gone and the next run that writes to the archive
    cleans up after it. Whoever calls it sorts the others again.

    Raises:
        UnknownName: there is no such identity.
        DecisionError: it was merged into another.
        CatalogueError: the disk is full, or the archive's folder cannot be written to.
    """
    connection = catalogue.connection
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    connection.exec_driver_sql("PRAGMA temp_store = MEMORY")  # what a transaction may take back must not go to a disk
    with catalogue.atomic():
        person, standing = _person(catalogue, identity)
        traces = samples(connection, person.tracks)
        shown = _count(connection, pictures.c.track_id, person.tracks)
        compared = _count(connection, vectors.c.track_id, person.tracks)
        _delete(connection, person)
        traces = own_alone(connection, traces)
        erased = _erase(connection, standing, person)
        journal.append(connection, Forgot(person.id, len(person.tracks), tuple(erased)))
        catalogue.set_fact("settled", False)
        catalogue.set_fact(PENDING, True)
    connection.exec_driver_sql("PRAGMA temp_store = DEFAULT")
    for one in person.names:
        traces |= traces_of_name(person.id, one)
    done = scrub(catalogue.folder / FILE, connection)
    write_folders(catalogue, catalogue.folder, hook)
    checked, found = search(catalogue.folder, traces, person.names)
    if not done:
        found.append(f"{FILE}-wal: another program is reading the archive; end it, and run any command that writes")
    return Forgotten(person.id, len(person.tracks), shown, compared, len(erased), checked, found)


def _person(catalogue: Catalogue, identity: str) -> tuple[_Person, Standing]:
    """Gather all that the catalogue and the journal have of somebody."""
    connection, standing = catalogue.connection, Standing.of(catalogue)
    person = standing.identity(identity)
    pins = standing.rulings.persons[person].pins if person in standing.rulings.persons else {}
    ids = frozenset({person, *(gone for gone in standing.rulings.merged if standing.rulings.now(gone) == person)})
    seen = sorted({*standing.members(person), *resolve(connection, pins).values()})
    places = {*standing.places(seen), *anchors_of(connection, seen).values(), *pins}
    names = {
        entry.said.name for entry in standing.entries if isinstance(entry.said, Named) and entry.said.person in ids
    }
    names |= set(connection.execute(select(identities.c.name).where(identities.c.id.in_(ids))).scalars())
    return _Person(person, ids, seen, frozenset(places), frozenset(names - {""})), standing


def _delete(connection: Connection, person: _Person) -> None:
    """Delete the rows, after noting where the footage must not be looked at again."""
    found = []
    for some in _parts(person.tracks):
        query = select(tracks.c.sha256, trails.c.data).join(trails).where(tracks.c.id.in_(some))
        found += [(row.sha256, unpack_track(row.data)) for row in connection.execute(query.order_by(tracks.c.id))]
    keep_away(connection, found, sorted(person.places - set(anchors_of(connection, person.tracks).values())))
    for some in _parts(person.tracks):
        connection.execute(delete(tracks).where(tracks.c.id.in_(some)))
    connection.execute(delete(identities).where(identities.c.id.in_(person.ids)))


def _erase(connection: Connection, standing: Standing, person: _Person) -> list[int]:
    """Erase what decisions say of somebody; the numbers of those that lost their words."""
    todo = erasure_of(standing.entries, Gone(person.ids, person.places, standing.rulings))
    journal.erase(connection, todo.numbers)
    for entry, said in todo.instead:
        journal.append(connection, said, utc=entry.utc, place=entry.place)
    for said in todo.anew:
        journal.append(connection, said)
    return todo.numbers


def _count(connection: Connection, column: Column[Any], track_ids: Sequence[str]) -> int:
    queries = [select(func.count()).where(column.in_(some)) for some in _parts(track_ids)]
    return sum(int(connection.execute(query).scalar_one()) for query in queries)


def _parts(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]

"""Leave nothing of deleted rows: in free pages, the write-ahead log, older copies, folders of people and the report."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection, delete, select

from archive import generated
from archive.database import told
from archive.schema import identities, meta

PENDING = "scrub"
"""The fact that stands in the catalogue from the deletion until all is done, so that a killed run is made up for."""


def finish_scrub(path: Path, connection: Connection) -> None:
    """Do what a stopped `forget` left undone, if it did; the catalogue's lock must be held."""
    if connection.execute(select(meta.c.value).where(meta.c.key == PENDING)).scalar():
        scrub(path, connection)


def scrub(path: Path, connection: Connection) -> bool:
    """Rewrite the catalogue, empty its log, remove older copies, the folders of those who are no more, and the report.

    Returns:
        Whether all was done; not so where another program is reading, then the next run that writes does the rest.
    """
    with told(path.parent):
        for copy in sorted(path.parent.glob(f"{path.name}.before-*")):
            copy.unlink()
        _remove_folders(path.parent / "identities", set(connection.execute(select(identities.c.id)).scalars()))
        _remove_report((path.parent / generated.REPORTS).resolve())
    connection.exec_driver_sql("VACUUM")
    busy = bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
    if not busy:
        connection.execute(delete(meta).where(meta.c.key == PENDING))
    return not busy


def _remove_folders(home: Path, here: Collection[str]) -> None:
    """Remove what cvid wrote of identities that are not here; the files of users stay."""
    if not home.is_dir():
        return
    generated.recover(home)
    for entry in sorted(home.iterdir()):
        identity = generated.identity_of(entry)
        if identity and identity not in here:
            generated.clear(entry)


def _remove_report(place: Path) -> None:
    """Remove the last report, which shows everybody, and one that is being written; the files of users stay."""
    generated.abandon(generated.writing(place))
    generated.come_back(place)
    if generated.was_written(place):
        generated.clear(place)

"""The connection to the catalogue's SQLite file: how it is opened, its transactions, and its errors as sentences."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, ExceptionContext, create_engine, event
from sqlalchemy.pool import NullPool

from cvid.errors import CatalogueError

_BUSY_S = 15.0

_TOLD = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and run the same command again, what was finished is kept",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a backup in its place, or move it away and index the footage again",
    sqlite3.SQLITE_NOTADB: "it is no catalogue, or damaged; move it away or choose another --archive",
    sqlite3.SQLITE_BUSY: "another program is using it; close that and try again",
    sqlite3.SQLITE_LOCKED: "another program is using it; close that and try again",
    sqlite3.SQLITE_READONLY: "it cannot be written to; check the rights of the folder and the file",
    sqlite3.SQLITE_PERM: "access is denied; check the rights of the folder and the file",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check the disk and run the same command again",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the rights of the folder and the file",
    sqlite3.SQLITE_TOOBIG: "it refuses something too large to store",
}
"""SQLite's primary result codes that the world causes. The others are errors of the program and propagate."""


def connect(path: Path, create: bool) -> Connection:
    """Open the catalogue file; statements outside `atomic` commit by themselves.

    Raises:
        CatalogueError: it cannot be opened, is damaged or is no catalogue.
    """
    writable = os.access(path.parent, os.W_OK)
    # A catalogue on a read-only medium cannot have the files beside it that WAL needs; nobody writes to it either.
    mode = "mode=rwc" if create else "mode=rw" if writable else "immutable=1"
    address = f"file:{quote(os.fsencode(path.absolute()))}?{mode}"

    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)

    engine = create_engine("sqlite://", creator=open_file, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    event.listen(engine, "handle_error", lambda context: _translate(path, context))
    connection = engine.connect()
    try:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("PRAGMA synchronous = FULL")
        if create:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def atomic(connection: Connection) -> Iterator[None]:
    """All of the block or nothing of it, whatever ends it; a block inside a block is a savepoint."""
    nested = connection.info.get("depth", 0)
    name = f"level_{nested}"
    connection.info["depth"] = nested + 1
    try:
        connection.exec_driver_sql(f"SAVEPOINT {name}" if nested else "BEGIN IMMEDIATE")
        yield
        connection.exec_driver_sql(f"RELEASE {name}" if nested else "COMMIT")
    except BaseException:
        if _in_transaction(connection):  # SQLite itself rolls back when the disk is full
            if nested:
                connection.exec_driver_sql(f"ROLLBACK TO {name}")
                connection.exec_driver_sql(f"RELEASE {name}")
            else:
                connection.exec_driver_sql("ROLLBACK")
        raise
    finally:
        if not connection.invalidated:
            connection.info["depth"] = nested


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn what the file system says about the archive's folder into a sentence."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CatalogueError(f"the archive {folder}: {_TOLD[sqlite3.SQLITE_FULL]}") from exc
        what = exc.filename if isinstance(exc.filename, str) else folder
        raise CatalogueError(f"the archive {folder} cannot be used: {what}: {exc.strerror or exc}") from exc


def _translate(path: Path, context: ExceptionContext) -> None:
    original = context.original_exception
    if not isinstance(original, sqlite3.Error):
        return
    told_as = _TOLD.get((getattr(original, "sqlite_errorcode", None) or 0) & 0xFF)
    if told_as:
        raise CatalogueError(f"the catalogue {path}: {told_as} ({original})") from original


def _in_transaction(connection: Connection) -> bool:
    if connection.invalidated:  # Ctrl-C in the middle of a statement: the file is closed, SQLite has rolled back
        return False
    driver = connection.connection.driver_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction

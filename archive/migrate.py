"""Bring a catalogue to this version's layout: a copy first, then all steps in one transaction."""

from __future__ import annotations

import json
import os
from pathlib import Path

from sqlalchemy import Connection

import cvid
from archive.database import atomic, told
from cvid.errors import CatalogueError

LAYOUT = "0004"
"""The newest step in archive/migrations; a test keeps the two together."""

_STEPS = Path(__file__).parent / "migrations"


def layout(connection: Connection) -> str:
    """The step that a catalogue stands at; empty for a new one."""
    found = connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE name = 'alembic_version'").scalar()
    if not found:
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def refuse_newer(path: Path, connection: Connection, target: str = LAYOUT) -> None:
    """Stop before a catalogue that a later cvid has changed; layouts are numbered upwards.

    Raises:
        CatalogueError: naming the version of cvid that it needs.
    """
    if layout(connection) <= target:
        return
    needs = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'needs'").scalar()
    raise CatalogueError(
        f"the catalogue {path} was made by a newer cvid: it needs {json.loads(needs) if needs else 'a later version'} "
        f"and this is {cvid.__version__}; install that version, or choose another --archive"
    )


def migrate(path: Path, connection: Connection, steps: Path = _STEPS, target: str = LAYOUT) -> None:
    """Run the steps that a catalogue lacks; one that holds data is first copied to `catalogue.sqlite.before-NNNN`.

    Args:
        path: the catalogue file; its lock must be held.
        steps: the folder of migrations; `target` is the newest of them.

    Raises:
        CatalogueError: the catalogue is newer than this cvid, or the copy cannot be written.
    """
    refuse_newer(path, connection, target)
    at = layout(connection)
    if at == target:
        return
    if at:
        _copy(path.with_name(f"{path.name}.before-{target}"), path.parent, connection)

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(steps).replace("%", "%%"))
    config.attributes["connection"] = connection
    with atomic(connection):
        command.upgrade(config, target)
        connection.exec_driver_sql(
            "INSERT INTO meta VALUES ('needs', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (json.dumps(f"cvid {cvid.__version__}"),),
        )


def _copy(target: Path, folder: Path, connection: Connection) -> None:
    """A whole and consistent copy, for the owner alone; one left by a stopped attempt is replaced."""
    with told(folder):
        target.unlink(missing_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    connection.exec_driver_sql("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(target),))

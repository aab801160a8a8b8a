"""Where the decisions of an archive stand today."""

from __future__ import annotations

from sqlalchemy import Connection

from archive import journal
from archive.rulings import Rulings, replay


def rulings_of(connection: Connection) -> Rulings:
    """What the decisions of an archive come to.

    Raises:
        Contradiction, CatalogueError: the journal was tampered with.
    """
    return replay(journal.active(journal.read(connection)))

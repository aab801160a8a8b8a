"""Index painted footage, and read what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from builders import (
    BLUE,
    GREEN,
    RED,
    film,
    painted_settings,
    photograph,
)
from fakes import open_fakes

from archive.catalogue import Catalogue
from archive.events import Event
from archive.index import IndexSummary, index_footage
from archive.records import Appearance
from cvid.settings import Settings


def index(
    archive: Path, *footage: Path, hook: Callable[[Event], None] = lambda event: None, settings: Settings | None = None
) -> IndexSummary:
    return index_footage(archive, footage, settings or painted_settings(), hook, open_parts=open_fakes, engine="inline")


def seen(archive: Path) -> list[Appearance]:
    with Catalogue.open(archive) as catalogue:
        return list(catalogue.appearances())


def who(archive: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for appearance in seen(archive):
        found.setdefault(appearance.video, set()).add(appearance.identity)
    return found


def files(folder: Path) -> dict[str, bytes]:
    """Everything a user sees in an archive, but for the logs."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("identities", "unassigned")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def film_footage(folder: Path) -> Path:
    """Red in three files, green in two, blue alone; one file sits in a folder with a space."""
    film(folder / "a.mp4", RED)
    film(folder / "b.mp4", RED, GREEN)
    film(folder / "more clips" / "c.mp4", BLUE)
    photograph(folder / "d.png", RED, GREEN)
    (folder / "notes.txt").write_text("not footage")
    return folder

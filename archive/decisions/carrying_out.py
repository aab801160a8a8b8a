"""Carry out a decision: record it, settle what it affects at once, and bring the folders of people up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.catalogue import Catalogue
from archive.decisions.exchange import import_decisions
from archive.decisions.importing import Imported
from archive.decisions.verbs import Said
from archive.events import WritingFolders
from archive.folders import write_folders
from archive.forgetting.forget import Forgotten, forget
from archive.sorting.differences import Differences
from archive.sorting.settle import Settled, settle
from cvid.settings import Settings


@dataclass(frozen=True)
class Decided:
    """A decision and what came of it."""

    said: Said
    differences: Differences


def decide(
    archive: Path,
    settings: Settings,
    say: Callable[[Catalogue], Said],
) -> Decided:
    """Let `say` record a decision, and settle it; wholly or not at all.

    Raises:
        CatalogueError: there is no such archive, or it is in use.
        CvidError: whatever the decision is refused for; then nothing has changed.
    """
    with Catalogue.open(archive):  # a decision makes no archive
        pass
    with Catalogue.create_or_open(archive) as catalogue:
        said, settled = decide_in(catalogue, settings, say)
        write_folders(catalogue, archive, _untold, settled.identities)
        return Decided(said, settled.differences)


def decide_in(catalogue: Catalogue, settings: Settings, say: Callable[[Catalogue], Said]) -> tuple[Said, Settled]:
    """The same in a catalogue that is open for writing, without the folders."""
    with catalogue.atomic():
        said = say(catalogue)
        return said, settle(catalogue, settings, affected=said.identities, formerly=said.formerly)


def take_in(archive: Path, settings: Settings, content: Any, origin: str) -> tuple[Imported, Differences]:
    """Take in the decisions of a colleague, and settle what they affect.

    Args:
        content: as `archive.decisions.exchange.import_decisions` takes it; `origin` is the name of the file.
    """
    with Catalogue.open(archive):
        pass
    with Catalogue.create_or_open(archive) as catalogue:
        with catalogue.atomic():
            imported = import_decisions(catalogue, content, origin)
            settled = settle(catalogue, settings, affected=imported.identities, formerly=imported.formerly)
        write_folders(catalogue, archive, _untold)
        return imported, settled.differences


def erase(archive: Path, settings: Settings, identity: str) -> Forgotten:
    """Forget somebody for good, and settle the others."""
    with Catalogue.open(archive):
        pass
    with Catalogue.create_or_open(archive) as catalogue:
        gone = forget(catalogue, identity)
        settled = settle(catalogue, settings)
        write_folders(catalogue, archive, _untold, settled.identities)
        return gone


def _untold(event: WritingFolders) -> None:
    """A hook for who wants to hear nothing."""

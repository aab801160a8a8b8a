"""Carry out a decision: record it, settle what it affects at once, and bring the folders of people up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.catalogue import Catalogue
from archive.decisions import Said
from archive.differences import Differences
from archive.events import WritingFolders
from archive.folders import write_folders
from archive.identities import Settled, settle
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
    hook: Callable[[WritingFolders], None] = lambda event: None,
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
        write_folders(catalogue, archive, hook, settled.identities)
        return Decided(said, settled.differences)


def decide_in(catalogue: Catalogue, settings: Settings, say: Callable[[Catalogue], Said]) -> tuple[Said, Settled]:
    """The same in a catalogue that is open for writing, without the folders."""
    with catalogue.atomic():
        said = say(catalogue)
        return said, settle(catalogue, settings, affected=said.identities, formerly=said.formerly)

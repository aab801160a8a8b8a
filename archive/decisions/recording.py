"""Record a decision now and sort later: for screens that do not wait."""

from __future__ import annotations

from collections.abc import Callable

from archive.catalogue import Catalogue
from archive.decisions.verbs import Said
from archive.sorting.postponed import postpone

Say = Callable[[Catalogue], Said]


def record_in(catalogue: Catalogue, say: Say) -> Said:
    """Let `say` record a decision in a catalogue that is open for writing; the next `settle` sorts, even after a crash.

    Until then the catalogue shows who was where before it.
    """
    with catalogue.atomic():
        said = say(catalogue)
        postpone(catalogue, said.identities, said.formerly)
    return said

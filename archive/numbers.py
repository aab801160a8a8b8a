"""The numbers of identities: each is given once, and never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.catalogue import Catalogue

_LAST = "last_identity"


def fresh_ids(catalogue: Catalogue, count: int) -> list[str]:
    """New ids for identities, P0001 and on, inside the caller's transaction."""
    last = int(catalogue.fact(_LAST) or 0)
    if count:
        catalogue.set_fact(_LAST, last + count)
    return [f"P{number:04d}" for number in range(last + 1, last + count + 1)]


def fresh_id(catalogue: Catalogue) -> str:
    """One new id."""
    return fresh_ids(catalogue, 1)[0]

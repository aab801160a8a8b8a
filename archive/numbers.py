"""The numbers of identities: each is given once, and never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.catalogue import Catalogue

_LAST = "last_identity"


def coming_ids(catalogue: Catalogue, count: int) -> list[str]:
    """The ids that `fresh_ids` would give next, P0001 and on; none of them is given away yet."""
    last = int(catalogue.fact(_LAST) or 0)
    return [f"P{number:04d}" for number in range(last + 1, last + count + 1)]


def fresh_ids(catalogue: Catalogue, count: int) -> list[str]:
    """New ids for identities, inside the caller's transaction."""
    ids = coming_ids(catalogue, count)
    if ids:
        catalogue.set_fact(_LAST, int(ids[-1][1:]))
    return ids


def fresh_id(catalogue: Catalogue) -> str:
    """One new id."""
    return fresh_ids(catalogue, 1)[0]

"""What decisions have changed and nobody has sorted yet; it outlives the process that noted it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.catalogue import Catalogue


def postpone(catalogue: Catalogue, affected: Collection[str], formerly: Mapping[str, str]) -> None:
    """Note what a decision has changed for the next `settle`, whoever calls it; the arguments are those of `settle`."""
    late, back = postponed(catalogue)
    with catalogue.atomic():
        catalogue.set_fact("affected", sorted({*affected, *late}))
        catalogue.set_fact("formerly", {**back, **formerly})
        catalogue.set_fact("settled", False)


def postponed(catalogue: Catalogue) -> tuple[Collection[str], Mapping[str, str]]:
    """The identities that are affected, and whose some tracks were once."""
    return catalogue.fact("affected") or (), catalogue.fact("formerly") or {}


def forget_postponed(catalogue: Catalogue) -> None:
    """All of it is sorted."""
    catalogue.set_fact("affected", [])
    catalogue.set_fact("formerly", {})

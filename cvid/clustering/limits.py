"""Methods that compare all pairs refuse archives that they would fill the memory with, or take very long over."""

from __future__ import annotations

from cvid.errors import SettingsError


def refuse_more(method: str, tracks: int, most: int) -> None:
    """Are there more tracks than a method can take?

    Raises:
        SettingsError: yes.
    """
    if tracks > most:
        raise SettingsError(
            f"clustering.method: {method} compares all pairs and takes at most {most:,} tracks, and there are "
            f"{tracks:,}; use hybrid or average, which follow neighbours only"
        )

"""File names made of what users and strangers wrote: readable, harmless and short."""

from __future__ import annotations

import unicodedata

_LONGEST_BYTES = 60


def slug(text: str, otherwise: str, longest_bytes: int = _LONGEST_BYTES) -> str:
    """Letters and digits of any script, joined by single dashes; `otherwise` where none is left.

    No separators, dots, control characters or marks of direction survive, so that the result is one component of a
    path whatever the text was.
    """
    kept = [c if unicodedata.category(c)[0] in "LMN" else "-" for c in unicodedata.normalize("NFKC", text)]
    words = "-".join(word for word in "".join(kept).split("-") if word)
    return words.encode("utf-8")[:longest_bytes].decode("utf-8", "ignore").strip("-") or otherwise


def clock(time_s: float) -> str:
    """A time as part of a file name: 01h02m03.456s."""
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}h{ms // 60_000 % 60:02d}m{ms // 1000 % 60:02d}.{ms % 1000:03d}s"


def identity_folder(identity: str, name: str) -> str:
    """P0001, or P0001-jane-doe once named."""
    suffix = slug(name.lower(), "") if name else ""
    return f"{identity}-{suffix}" if suffix else identity

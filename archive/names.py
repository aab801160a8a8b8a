"""Names that users and strangers gave, as file names and as text of a log: readable, harmless, and nothing lost."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_BYTES = 60
_ESCAPED = re.compile("[\\\\\udc80-\udcff]")


def slug(text: str, otherwise: str, longest_bytes: int = _LONGEST_BYTES) -> str:
    """Letters and digits of any script, joined by single dashes; `otherwise` where none is left.

    No separators, dots, control characters or marks of direction survive, so that the result is one component of a
    path whatever the text was.
    """
    kept = [c if unicodedata.category(c)[0] in "LMN" else "-" for c in unicodedata.normalize("NFKC", text)]
    words = "-".join(word for word in "".join(kept).split("-") if word)
    return words.encode("utf-8")[:longest_bytes].decode("utf-8", "ignore").strip("-") or otherwise


def as_text(path: str) -> str:
    r"""A path as valid Unicode, for logs and exports: a byte that is no UTF-8 becomes `\xff`, a backslash `\\`.

    No two paths come out the same, and most come out as they are.
    """
    return _ESCAPED.sub(lambda found: _escape(found[0]), path)


def _escape(character: str) -> str:
    return r"\\" if character == "\\" else rf"\x{ord(character) - 0xDC00:02x}"


def clock(time_s: float) -> str:
    """A time as part of a file name: 01h02m03.456s."""
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}h{ms // 60_000 % 60:02d}m{ms // 1000 % 60:02d}.{ms % 1000:03d}s"


def identity_folder(identity: str, name: str) -> str:
    """P0001, or P0001-jane-doe once named."""
    suffix = slug(name.lower(), "") if name else ""
    return f"{identity}-{suffix}" if suffix else identity

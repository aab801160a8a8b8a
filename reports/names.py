"""Makes file and person names safe to print: names come from strangers and may try to steer the terminal."""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode categories that move the cursor, turn the writing direction, hide, or cannot be encoded."""

_JOINER = "\u200d"  # holds many emoji together, and is harmless


def printable(name: str) -> str:
    """The name with every character that a terminal might obey, or cannot show, written as its code.

    Undecodable bytes of a file name (lone surrogates) come out as `\\xff`, an escape character as `\\x1b`.
    """
    return "".join(_shown(character) for character in name)


def _shown(character: str) -> str:
    if character == _JOINER or unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

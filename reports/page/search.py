"""The index that the page searches: compact, in ASCII, and loaded only when somebody searches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

PEOPLE, WHERE = "assets/people.js", "assets/where.js"


def write_people(folder: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write one row a person, in the order of the page; a browser loads a script from a folder, but no JSON."""
    _write(folder / PEOPLE, "cvidPeople", rows)


def write_where(folder: Path, names: Sequence[str], where: Iterable[Sequence[int]]) -> None:
    """Write what the videos are called, and in which of them each person is seen, in the same order."""
    _write(folder / WHERE, "cvidWhere", [list(names), *where])


def _write(path: Path, name: str, rows: Iterable[Any]) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"window.{name}=[\n")
        for row in rows:
            file.write(_script(row) + ",\n")
        file.write("];\n")


def _script(value: Any) -> str:
    """JSON that is harmless wherever it stands."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")

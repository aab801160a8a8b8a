"""Which group a person belongs to, so that it can be seen whom the models serve worse."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvid.errors import LabelsError

NO_GROUP = "(none)"


@dataclass(frozen=True)
class Groups:
    """Person → group, and the people of the file who are not among the pictures."""

    of: Mapping[str, str]
    unknown: Sequence[str]

    def group(self, person: str) -> str:
        """A person's group."""
        return self.of.get(person, NO_GROUP)


def read_groups(path: Path, people: Iterable[str]) -> Groups:
    """Read a csv of `person,group`; a header of these names is passed over.

    Args:
        people: who is among the pictures.

    Raises:
        LabelsError: it cannot be read, a row makes no sense or contradicts another; the message names it.
    """
    of: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            for row in rows:
                _take(path, rows.line_num, [cell.strip() for cell in row], of)
    except OSError as exc:
        raise LabelsError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
    except (ValueError, csv.Error) as exc:
        raise LabelsError(f"{path}: not a csv file in UTF-8 ({exc})") from exc
    if not of:
        raise LabelsError(f"{path}: there is nobody in it; it must hold rows of person,group")
    known = set(people)
    return Groups({p: g for p, g in of.items() if p in known}, [p for p in of if p not in known])


def _take(path: Path, number: int, row: list[str], of: dict[str, str]) -> None:
    if not any(row) or (not of and [cell.lower() for cell in row] == ["person", "group"]):
        return
    if len(row) != 2 or not all(row):
        raise LabelsError(f"{path}: line {number} should read 'person,group', and reads {','.join(row)[:60]!r}")
    person, group = row
    if of.setdefault(person, group) != group:
        raise LabelsError(f"{path}: line {number} puts {person!r} into {group!r}, an earlier one into {of[person]!r}")

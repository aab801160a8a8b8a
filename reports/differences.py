"""How two sortings of an archive differ, in sentences. `python -m reports.differences` prints an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archive.sorting.differences import Differences
from reports.names import printable
from reports.wording import count

_MOST = 40


def difference_lines(found: Differences, names: Mapping[str, str], would: bool = False) -> list[str]:
    """One line a change, the larger ones first, at most some of each kind.

    Args:
        names: identity → its name, for those that have one.
        would: nothing has happened yet.
    """
    if found.nothing:
        return [f"nothing {'would change' if would else 'has changed'}"]
    held = f"{found.before:,} identities before, {found.after:,} after"
    return [*_cut(list(_changes(found, names)), "changes"), held]


def _changes(found: Differences, names: Mapping[str, str]) -> Iterator[str]:
    def who(identity: str) -> str:
        return f"{identity} {printable(names.get(identity, ''))}".strip() or "nobody's"

    for merge in found.merged:
        yield f"merged     {who(merge.origin)} into {who(merge.to)}, {count(merge.appearances, 'appearance')}"
    for identity, into in found.split:
        yield f"split      {who(identity)} into {', '.join(map(who, into))}"
    for identity, number in found.founded:
        yield f"founded    {who(identity)}, {count(number, 'appearance')}"
    for identity, number in found.dissolved:
        yield f"dissolved  {who(identity)}, {count(number, 'appearance')}"
    for move in found.moved:
        yield f"moved      {count(move.appearances, 'appearance')} from {who(move.origin)} to {who(move.to)}"


def _cut(lines: list[str], what: str) -> list[str]:
    left = len(lines) - _MOST
    return [*lines[:_MOST], *([f"and {left:,} more {what}: --json lists them all"] if left > 0 else [])]


def _example() -> None:
    """Print the differences of two small sortings."""
    from rich.console import Console

    from archive.sorting.differences import differences

    before = ["P0001", "P0001", "P0002", "P0002", "P0002", "", "P0003", "P0003"]
    after = ["P0001", "P0001", "P0001", "P0001", "P0004", "P0003", "P0003", "P0005"]
    console = Console(markup=False, highlight=False)
    for line in difference_lines(differences(before, after), {"P0001": "Jane Doe"}, would=True):
        console.print(line)


if __name__ == "__main__":
    _example()

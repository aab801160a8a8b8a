"""What `evaluate --truth` shows: figures with a sentence each. `python -m reports.evaluation_truth` prints some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cvid.evaluation.recurrence import GroupRecurrence, Recurrence
from reports.names import printable

_NONE = "–"


def truth_table(figures: Recurrence) -> Table:
    """A row for each figure: what it is called in --json, its value, what it says."""
    table = _table("Figure")
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("What it says", overflow="fold", min_width=20)
    for label, value, sentence in _rows(figures):
        table.add_row(label, _shown(value), sentence)
    return table


def truth_groups_table(groups: Sequence[GroupRecurrence]) -> Table:
    """A row for each group of people."""
    table = _table("Group")
    for header in ("People", "Found", "B³ P", "B³ R", "B³ F"):
        table.add_column(header, justify="right", no_wrap=True)
    for group in groups:
        figures = (group.b3_p, group.b3_r, group.b3_f) if group.sightings else (None, None, None)
        table.add_row(Text(printable(group.name)), f"{group.people:,}", f"{group.sightings:,}", *map(_shown, figures))
    return table


def _rows(f: Recurrence) -> Iterator[tuple[str, float | None, str]]:
    yield "appearances", f.appearances, "of people in the truth"
    yield "sightings", f.sightings, "appearances in the archive"
    yield "extra", f.extra, "of these that are not in the truth: somebody else, or nobody's face"
    yield "found", f.found, "share of the truth's appearances that the archive has, with an identity"
    yield (
        "linked_p",
        f.linked_p,
        "of pairs in different videos under one identity, how many are one person",
    )
    yield "linked_r", f.linked_r, "of pairs of one person in different videos, how many are under one identity"
    yield "linked_f", f.linked_f, "both in one: what an archive across videos is for"
    yield (
        "linked_macro_f",
        f.linked_macro_f,
        "the same for each person, and then the mean: rare people count fully",
    )
    yield "mixed", f.mixed, "share of found appearances whose identity also holds an extra: strangers let in"
    yield "b3_p", f.b3_p, "B-cubed precision: how much of an appearance's identity is its person"
    yield "b3_r", f.b3_r, "B-cubed recall: how much of an appearance's person is in its identity"
    yield "b3_f", f.b3_f, "both in one; here appearances in one video count too"
    yield "wcp", f.wcp, "purity: share whose identity mostly shows their person; rises when people are split"
    yield "nmi", f.nmi, "how much identities and people tell of each other, 0 to 1"
    yield "ratio", f.ratio, "identities for one person: above 1 people are split, below 1 they melt"
    yield "pure", f.pure, "share of identities that show one person only"
    yield "unassigned", f.unassigned, "appearances of the truth that were seen and are nobody's"


def _shown(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _table(first: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold cyan")
    table.add_column(first, style="bold", overflow="fold", min_width=10)
    return table


def _example() -> None:
    """Print the figures of an archive in which one stranger was let in."""
    console = Console(markup=False, highlight=False)
    figures = Recurrence(
        37, 41, 2, 0.973, 0.98, 0.95, 0.965, 0.94, 0.05, 0.99, 0.96, 0.975, 0.99, 0.98, 1.08, 0.92, 1
    )  # fmt: skip
    console.print(truth_table(figures))
    console.print(truth_groups_table([GroupRecurrence("north", 4, 21, 1.0, 0.95, 0.974)]))


if __name__ == "__main__":
    _example()

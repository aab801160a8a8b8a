"""What the verbs of decisions share: carry one out, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.options import settings_from
from reports.cli.output import open_console, print_json, program

if TYPE_CHECKING:
    from archive.catalogue import Catalogue
    from archive.decisions.verbs import Said


def carry_out(archive: Path, as_json: bool, say: Callable[[Catalogue], Said]) -> None:
    """Record what `say` says, settle what it affects, and print it."""
    from archive.catalogue import Catalogue
    from archive.decisions.carrying_out import decide
    from reports.differences import difference_lines
    from reports.names import printable

    decided = decide(archive, settings_from(None, ()), say)
    if as_json:
        print_json(
            {
                "number": decided.said.number,
                "decision": decided.said.sentence,
                "identities": sorted(decided.said.identities),
                "changes": decided.differences.as_json(),
            }
        )
        return
    with Catalogue.open(archive) as catalogue:
        names = catalogue.names()
    console = open_console()
    console.print(f"{decided.said.number}: {printable(decided.said.sentence)}", soft_wrap=True)
    for line in difference_lines(decided.differences, names) if not decided.differences.nothing else []:
        console.print(f"  {line}", soft_wrap=True)
    click.echo(f"to take it back: {program()} undo {decided.said.number}")

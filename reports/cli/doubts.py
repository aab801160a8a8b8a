"""`cvid doubts`: the questions that a human is best asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.options import archive_option, json_option
from reports.cli.output import open_console, print_json

if TYPE_CHECKING:
    from archive.doubts import Doubt


def questions(found: list[Doubt]) -> list[Doubt]:
    """Each question once, with the faces that are most alike."""
    best: dict[tuple[str, str | None, str], Doubt] = {}
    for doubt in found:
        key = (doubt.identity, doubt.other, "" if doubt.other else doubt.appearance)
        if key not in best or doubt.similarity > best[key].similarity:
            best[key] = doubt
    return list(best.values())


@click.command(short_help="List what the program is unsure of, the most useful first.")
@click.option("--most", type=click.IntRange(1), default=20, metavar="N", help="How many at most (default: 20).")
@archive_option
@json_option
def doubts(most: int, archive: Path, as_json: bool) -> None:
    """List the guesses that a human should look at: identities that may be one person, and appearances that may not
    belong where they are.

    Those come first whose answer is expected to set most right. "Look at" names the faces to compare, by their
    appearance ids. Answer with merge, reject, split or confirm; what is answered is not asked again.

    \b
    Examples:
      cvid doubts --archive ~/faces
      cvid doubts --json --most 1000 | jq '.doubts[] | select(.kind == "same")'
    """
    from archive.catalogue import Catalogue
    from archive.doubts import doubts_of
    from reports.tables import doubts_table

    with Catalogue.open(archive) as catalogue:
        found = doubts_of(catalogue)
        names = catalogue.names()
    if as_json:
        print_json({"total": len(found), "doubts": [doubt.as_json() for doubt in found[:most]]})
    elif found:
        console = open_console()
        asked = questions(found)
        console.print(doubts_table(asked[:most], names))
        if len(asked) > most:
            console.print(f"and {len(asked) - most:,} more: --most {len(asked)}")
    else:
        click.echo("no doubts: nobody is close to anybody else, and every appearance is well supported")

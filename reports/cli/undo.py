"""`cvid undo`: take a decision back."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option


@click.command(short_help="Take a decision back: the last one, or any.")
@click.argument("number", metavar="[NUMBER]", required=False, type=click.IntRange(1))
@archive_option
@json_option
def undo(number: int | None, archive: Path, as_json: bool) -> None:
    """Take a decision back: the one of that number in `history`, or without a number the last that still counts.

    Later decisions stay; where one would make no sense any more, it is named and nothing changes. An undo can be
    undone by its own number. What `forget` erased cannot be brought back.

    \b
    Examples:
      cvid undo --archive ~/faces
      cvid undo 12 --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    carry_out(archive, as_json, lambda catalogue: decisions.undo(catalogue, number))

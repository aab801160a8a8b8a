"""`cvid split ID --appearances …`: some appearances are somebody else."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option, listed


@click.command(short_help="Say that some appearances are another person.")
@click.argument("identity", metavar="ID")
@click.option(
    "--appearances",
    required=True,
    metavar="A,B,…",
    help="Ids of appearances as `show` prints them, joined by commas; their first four characters or more will do.",
)
@archive_option
@json_option
def split(identity: str, appearances: str, archive: Path, as_json: bool) -> None:
    """Take appearances out of the person ID: together they are one other person, who gets a new id.

    They are kept together and apart from ID from then on. What is taken out and belongs to no one person is better
    rejected, one by one.

    \b
    Examples:
      cvid split P0003 --appearances a1f3c,9be02 --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    carry_out(archive, as_json, lambda catalogue: decisions.split(catalogue, identity, listed(appearances)))

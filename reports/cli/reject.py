"""`cvid reject ID APPEARANCE…`: this is not that person."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option, listed


@click.command(short_help="Say that an appearance is not that person.")
@click.argument("identity", metavar="ID")
@click.argument("appearances", metavar="APPEARANCE…", nargs=-1, required=True)
@archive_option
@json_option
def reject(identity: str, appearances: tuple[str, ...], archive: Path, as_json: bool) -> None:
    """Say that appearances are not the person ID, whoever else they are.

    They never come back to ID. They may join others, be a person of their own, or be nobody's. An appearance that is
    not with ID now may be rejected too.

    \b
    Examples:
      cvid reject P0003 a1f3c --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    carry_out(archive, as_json, lambda catalogue: decisions.reject(catalogue, identity, listed(",".join(appearances))))

"""`cvid confirm ID`: these are that person indeed."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option, listed


@click.command(short_help="Say that appearances are that person indeed.")
@click.argument("identity", metavar="ID")
@click.argument("appearances", metavar="[APPEARANCE…]", nargs=-1)
@archive_option
@json_option
def confirm(identity: str, appearances: tuple[str, ...], archive: Path, as_json: bool) -> None:
    """Say that you looked at all appearances of the person ID, or at those named, and that they are right.

    They stay together, whatever is sorted anew. Appearances that join later are not confirmed with them.

    \b
    Examples:
      cvid confirm P0003 --archive ~/faces
      cvid confirm P0003 a1f3c 9be02 --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    named = listed(",".join(appearances))
    carry_out(archive, as_json, lambda catalogue: decisions.confirm(catalogue, identity, named))

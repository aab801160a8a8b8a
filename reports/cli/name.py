"""`cvid name ID NAME`: say who somebody is."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option


@click.command(short_help="Give a person a name.")
@click.argument("identity", metavar="ID")
@click.argument("name", metavar="NAME")
@archive_option
@json_option
def name(identity: str, name: str, archive: Path, as_json: bool) -> None:
    """Give the person ID a name; a new one replaces it.

    The name belongs to the person whose clearest face this is now: when the appearances are sorted otherwise one day,
    the part with that face keeps id and name. Somebody who has a name never dissolves and never becomes somebody
    else, unless you say so.

    \b
    Examples:
      cvid name P0003 "Jane Doe" --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    carry_out(archive, as_json, lambda catalogue: decisions.name(catalogue, identity, name))

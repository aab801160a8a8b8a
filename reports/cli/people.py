"""`cvid people`: the identities of an archive at a glance."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.options import archive_option, json_option
from reports.cli.output import open_console, print_json, program


@click.command(short_help="List the people of an archive.")
@archive_option
@json_option
def people(archive: Path, as_json: bool) -> None:
    """List the people: id, name, videos, appearances, time on screen, first and last seen, status.

    \b
    Examples:
      cvid people --archive ~/faces
      cvid people --json | jq '.identities[].id'
    """
    from archive.catalogue import Catalogue
    from reports.tables import people_table

    with Catalogue.open(archive) as catalogue:
        identities = catalogue.people()
    if as_json:
        print_json({"identities": [person.as_json() for person in identities]})
    elif identities:
        open_console().print(people_table(identities))
    else:
        click.echo(f"nobody yet; {program()} status says what was indexed")

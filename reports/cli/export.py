"""`cvid export`: the appearances as a file for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reports.cli.options import NamedPath, archive_option
from reports.export import FORMATS


@click.command(short_help="Write all appearances as csv or JSON lines.")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS.names()), default="csv", show_default=True, help="The format."
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=NamedPath(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="The file to write; - is standard output.",
)
@click.option("--identity", metavar="ID", help="Only the appearances of one person, such as P0001.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@archive_option
def export(format_name: str, output: Path, identity: str | None, overwrite: bool, archive: Path) -> None:
    """Write one row an appearance: who, which video, from when to when (seconds), where in the picture (px).

    An empty identity means that the face could not be told to be anybody's; the last column then says why.

    \b
    Examples:
      cvid export --archive ~/faces --format csv -o people.csv
      cvid export --format jsonl --identity P0001 -o - | head
    """
    from archive.catalogue import Catalogue
    from reports.export import write_export, write_stream
    from reports.wording import count

    with Catalogue.open(archive) as catalogue:
        only = catalogue.person(identity.strip().upper()).id if identity else None
        rows = catalogue.appearances(only)
        if str(output) == "-":
            write_stream(format_name, rows, sys.stdout.buffer)
            return
        number = write_export(format_name, rows, output, overwrite)
    click.echo(f"{click.format_filename(output)}: {count(number, 'appearance')}", err=True)

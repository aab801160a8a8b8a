"""`cvid status`: what an archive holds and how it came about."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from reports.cli.options import archive_option, json_option
from reports.cli.output import open_console, print_json


@click.command(short_help="Show what an archive holds, its runs and failures.")
@archive_option
@json_option
def status(archive: Path, as_json: bool) -> None:
    """Show what the archive holds: files, people, models, runs, and what failed.

    \b
    Examples:
      cvid status --archive ~/faces
      cvid status --json
    """
    from archive.catalogue import Catalogue
    from reports.tables import failures_table, missing_table, status_table

    with Catalogue.open(archive) as catalogue:
        content, failures, missing = catalogue.status(), catalogue.failures(), catalogue.missing()
    if as_json:
        print_json({**asdict(content), "failures": [failure.as_json() for failure in failures]})
        return
    console = open_console()
    console.print(status_table(archive, content))
    if failures:
        console.print()
        console.print(failures_table(failures))
    if missing:
        console.print()
        console.print(missing_table(missing))

"""`cvid report`: the archive as a page that opens in any browser."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.options import NamedPath, archive_option
from reports.cli.output import open_console


@click.command(short_help="Write the archive as a page for any browser.")
@click.option(
    "-o",
    "--output",
    type=NamedPath(path_type=Path),
    metavar="DIR",
    help="The folder to write (default: reports/ in the archive); an earlier report in it is replaced.",
)
@click.option("--plots", is_flag=True, help="Also draw timeline, heat map and histogram as PNG pictures, into plots/.")
@archive_option
def report(output: Path | None, plots: bool, archive: Path) -> None:
    """Write a page of all people: their faces, logs and timelines, who is seen with whom, and how sure that is.

    Open index.html in any browser; it needs no server and no network. The folder is whole in itself and can be copied
    and sent. It holds faces and names: share it with care.

    \b
    Examples:
      cvid report --archive ~/faces
      cvid report -o ~/for-the-editor --plots
    """
    from archive.catalogue import Catalogue
    from reports.page.plots import check_plots
    from reports.page.writing import write_report
    from reports.steps import Steps
    from reports.wording import count, size

    if plots:
        check_plots()
    steps = Steps(open_console(err=True), lambda line: click.echo(line, err=True), "people")
    with Catalogue.open(archive) as catalogue, steps:
        written = write_report(catalogue, output, steps, plots)
    click.echo(click.format_filename(written.index))
    people = count(written.people, "person", "people")
    held = f"{people}, {count(written.appearances, 'appearance')} in {written.footage}"
    held += f", {count(written.plots, 'plot')}" if plots else ""
    click.echo(f"{held}: {count(written.files, 'file')}, {size(written.bytes)}", err=True)
    if written.damaged:
        damaged = count(written.damaged, "picture")
        click.echo(f"{damaged} in the catalogue cannot be shown; the pages say which", err=True)
    click.echo("open it in any browser; the folder can be copied. It holds faces: share it with care", err=True)

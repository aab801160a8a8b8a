"""`cvid demo`: try cvid on a small sample that it makes itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from reports.cli.options import NamedPath
from reports.cli.output import open_console, program
from reports.cli.running import run_index


@click.command(short_help="Try cvid on a small sample that it makes itself.")
@click.option(
    "--dir",
    "folder",
    type=NamedPath(file_okay=False, path_type=Path),
    default=Path("cvid-demo"),
    metavar="DIR",
    help="Where the sample and its archive go (default: ./cvid-demo).",
)
@click.pass_context
def demo(context: click.Context, /, folder: Path) -> None:
    """Film a small sample, index it and show the people found; needs no download.

    The sample has eight short videos with cuts, movement, a dark shot and people who recur, and a photograph, made of
    real faces that come inside installed packages. It is indexed with the embedded model set.

    \b
    Examples:
      cvid demo
      cvid demo --dir /tmp/cvid-demo
    """
    from cvid.settings_sources import load_settings
    from reports.names import printable
    from reports.sample import build_sample

    sample = build_sample(folder, lambda name: click.echo(f"filming {printable(name)}"))
    archive = folder / "archive"
    run_index(context, archive, [sample.footage], load_settings(flags={"models": "embedded"}))
    console = open_console()
    console.print()
    for label, text in _next_steps(folder, archive, sample.footage):
        console.print(f"{label:<17} {printable(text)}")


def _next_steps(folder: Path, archive: Path, footage: Path) -> list[tuple[str, str]]:
    """What lies where, and what to try."""
    call, at = program(), f"--archive {shlex.quote(str(archive))}"
    return [
        ("One folder each:", str(archive / "identities")),
        ("The footage:", f"{footage}; who is really in it: {folder / 'truth.csv'}"),
        ("Now try:", f"{call} people {at}"),
        ("", f"{call} show P0001 {at}"),
        ("", f"{call} explain {shlex.quote(str(footage / 'night.mp4'))} --models embedded --every 10"),
        ("", f"{call} export {at} --format csv -o {shlex.quote(str(folder / 'people.csv'))} --overwrite"),
        ("", f"{call} index YOUR-FOOTAGE"),
    ]

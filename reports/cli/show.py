"""`cvid show ID`: where one identity appears."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.options import archive_option, json_option
from reports.cli.output import open_console, print_json

_PORTRAIT = (16, 8)
"""Columns and lines of the portrait."""
_COLOURFUL = ("256", "truecolor", "windows")
"""Terminals with fewer colours than these get letters."""
_LEAST_COLUMNS = 60
"""A narrower terminal has no room for it."""


@click.command(short_help="Show where one person appears.")
@click.argument("identity", metavar="ID")
@archive_option
@json_option
def show(identity: str, archive: Path, as_json: bool) -> None:
    """Show the log of one person: every appearance with its video, times in m:ss, and how sure it is.

    "Similar" compares an appearance with the others of the person (cosine, at most 1), "Margin" is what that lies
    above the nearest other person, "Support" counts the other appearances that are by themselves similar enough; the
    first two are empty where there is nothing to compare with. "Certainty" is confirmed (by you), confident or
    doubtful: a match is a lead to check, never proof. A video that is not where it was is marked as missing; what was
    seen in it is kept.

    \b
    Examples:
      cvid show P0001 --archive ~/faces
      cvid show P0001 --json | jq '.appearances[].video'
    """
    from archive import queries
    from archive.catalogue import Catalogue
    from archive.records import as_fields
    from reports.names import printable
    from reports.tables import appearances_table, beside_portrait
    from reports.wording import count, span

    console = open_console()
    with Catalogue.open(archive) as catalogue:
        person = catalogue.person(identity.strip().upper())
        appearances = list(catalogue.appearances(person.id))
        missing = queries.missing_of(catalogue.connection, person.id)
        best = max(appearances, key=lambda seen: (seen.quality, seen.appearance), default=None)
        draws = console.is_terminal and not console.is_dumb_terminal and console.width >= _LEAST_COLUMNS
        portrait = queries.portrait_of(catalogue.connection, best.appearance) if best and draws else None
    if as_json:
        fields = [as_fields(appearance) for appearance in appearances]
        print_json({"identity": person.in_full(), "appearances": fields, "missing": sorted(missing)})
        return
    title = " · ".join(filter(None, (person.id, printable(person.name), printable(person.status))))
    seen = f"{count(person.appearances, 'appearance')} in {count(person.videos, 'video')}"
    tight = "" if person.tightness is None else f" · {person.tightness:.2f} similar among themselves"
    headline = f"{title} · {seen}, {span(person.screen_time_s)} on screen{tight}"
    colour = console.color_system in _COLOURFUL and not console.no_color
    console.print(beside_portrait(headline, portrait, *_PORTRAIT, colour))
    console.print()
    console.print(appearances_table(appearances, missing))

"""`cvid forget ID`: erase a person for good."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reports.cli.options import archive_option, json_option, settings_from
from reports.cli.output import open_console, print_json


@click.command(short_help="Erase a person from the archive for good.")
@click.argument("identity", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@archive_option
@json_option
def forget(identity: str, yes: bool, archive: Path, as_json: bool) -> None:
    """Erase the person ID from the archive: appearances, face vectors, pictures, name, and what was decided about them.

    This cannot be undone. The catalogue is written anew, so that nothing stays in its free pages, and copies that cvid
    made of it are removed; then all files of the archive are searched for what was erased. Times and places where the
    person was seen are kept, without name or face, so that the same footage never brings them back. The footage
    itself, your own files, exports and backups elsewhere are not touched. New footage can show the person anew:
    nothing is left to know them by.

    \b
    Examples:
      cvid forget P0009 --archive ~/faces
    """
    from archive.catalogue import Catalogue
    from archive.decisions.carrying_out import erase
    from reports.names import printable
    from reports.wording import count

    with Catalogue.open(archive) as catalogue:
        person = catalogue.person(identity.strip().upper())
    who = f"{person.id} {printable(person.name)}".strip()
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("forgetting cannot be undone; add --yes where nobody can be asked")
        click.confirm(f"Erase {who}, {count(person.appearances, 'appearance')}, for good?", abort=True, err=True)
    gone = erase(archive, settings_from(None, ()), person.id)
    if as_json:
        print_json(gone.as_json())
        return
    console = open_console()
    console.print(
        f"{person.id} is forgotten: {count(gone.appearances, 'appearance')}, {count(gone.pictures, 'picture')}, "
        f"{count(gone.vectors, 'vector')} and {count(gone.decisions_erased, 'decision')} erased"
    )
    checked = f"searched {count(gone.files_checked, 'file')} of the archive for what was erased: "
    console.print(checked + ("found it in" if gone.found else "nothing is left"))
    for place in gone.found:
        console.print(f"  {printable(place)}", soft_wrap=True)

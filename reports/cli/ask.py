"""Without a verb: ask for the folders in the terminal, create what is missing, then index."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.group import INTERRUPTED
from reports.cli.output import open_console, program
from reports.cli.running import run_index
from reports.names import printable

if TYPE_CHECKING:
    from rich.console import Console


def ask_and_index(context: click.Context) -> None:
    """Ask where the footage lies and where the archive shall be; without a terminal print the help and exit 2."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(context.get_help())
        context.exit(2)
    from cvid.settings_sources import load_settings

    click.echo("cvid finds who appears where in your footage. Footage is only ever read.\n")
    try:
        footage = _ask("Folder with the footage", Path("footage"), footage=True)
        archive = _ask("Folder for the archive", Path("cvid-archive"))
    except (KeyboardInterrupt, EOFError):
        click.echo("\ninterrupted", err=True)
        context.exit(INTERRUPTED)
    click.echo()
    if footage.is_dir() and not any(footage.iterdir()):
        click.echo(
            f"{printable(str(footage))} is empty. Put videos or photographs into it, then run {program()} again."
        )
        context.exit(0)
    run_index(context, archive, [footage], load_settings())


def _ask(question: str, default: Path, footage: bool = False) -> Path:
    """A folder that exists after the answer, for footage also a file; asked again where it cannot be had."""
    from rich.prompt import Prompt

    console = open_console()
    while True:
        answer = Path(Prompt.ask(question, console=console, default=str(default)).strip() or default)
        shown = printable(str(answer))
        try:
            path = answer.expanduser()
            if not path.exists():
                if footage and not _agreed(console, f"{shown} does not exist. Create it?"):
                    continue
                path.mkdir(parents=True, mode=0o777 if footage else 0o700)
                console.print(f"created {shown}")
            if not (footage and path.is_file()):
                next(path.iterdir(), None)  # may it be looked into?
        except (OSError, RuntimeError, ValueError) as exc:  # also: no such home, a NUL
            console.print(f"{shown} cannot be used: {getattr(exc, 'strerror', None) or exc}. Another one?")
            continue
        return path


def _agreed(console: Console, question: str) -> bool:
    return console.input(f"{question} [y/N] ", markup=False, emoji=False).strip().lower() in ("y", "yes")

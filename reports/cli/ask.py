"""Without a verb: ask for the folders in the terminal, create what is missing, then index."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reports.cli.output import open_console, program
from reports.cli.running import run_index
from reports.names import printable


def ask_and_index(context: click.Context) -> None:
    """Ask where the footage lies and where the archive shall be; without a terminal print the help and exit 2."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(context.get_help())
        context.exit(2)
    from cvid.settings import load_settings

    click.echo("cvid finds who appears where in your footage. Footage is only ever read.\n")
    footage = _ask("Folder with the footage", Path("footage"), may_be_file=True)
    archive = _ask("Folder for the archive", Path("cvid-archive"))
    click.echo()
    if footage.is_dir() and not any(footage.iterdir()):
        click.echo(
            f"{click.format_filename(footage)} is empty. Put videos or photographs into it, then run {program()} again."
        )
        context.exit(0)
    run_index(context, archive, [footage], load_settings())


def _ask(question: str, default: Path, may_be_file: bool = False) -> Path:
    """A folder that exists after the answer; asked again where it cannot be had."""
    from rich.prompt import Prompt

    console = open_console()
    while True:
        answer = Path(Prompt.ask(question, console=console, default=str(default)).strip() or default).expanduser()
        try:
            if not (may_be_file and answer.is_file()):
                missing = not answer.is_dir()
                answer.mkdir(parents=True, exist_ok=True, mode=0o777 if may_be_file else 0o700)
                next(answer.iterdir(), None)  # may it be looked into?
                if missing:
                    console.print(f"created {printable(str(answer))}")
        except OSError as exc:
            console.print(f"{printable(str(answer))} cannot be used: {exc.strerror or exc}. Another one?")
            continue
        return answer

"""`cvid review`: confirm, name, merge, split, reject, in a full-screen terminal or by prompts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reports.cli.options import archive_option, settings_from


@click.command(short_help="Look at the people and answer what the program is unsure of.")
@click.option("--plain", is_flag=True, help="Prompts alone, line by line: for screen readers and pipes.")
@click.option("--blocks", is_flag=True, help="Faces as blocks of colour, even where the terminal could draw pictures.")
@archive_option
def review(plain: bool, blocks: bool, archive: Path) -> None:
    """Go through the people of an archive: name, confirm, merge, split, reject, and answer what settles most.

    Every answer is kept at once; undo takes it back. ? shows the keys.

    \b
    Examples:
      cvid review --archive ~/faces
      cvid review --plain
    """
    from reports.review.session import ReviewSession

    settings = settings_from(None, ())
    if plain:
        from reports.review.plain import review_plain

        with ReviewSession(archive, settings) as session:
            review_plain(session, click.echo, _ask)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the review needs a terminal; `review --plain` asks line by line")
    from reports.review.app import ReviewApp
    from reports.review.graphics import face_maker

    with ReviewSession(archive, settings) as session:
        ReviewApp(session, face_maker(plain=blocks)).run()
        if not session.clerk.idle:
            click.echo("what you said is kept; sorting people by it …", err=True)


def _ask(prompt: str) -> str:
    """What is typed at a prompt.

    Raises:
        EOFError: the input has ended, or Ctrl-C was pressed.
    """
    try:
        return str(click.prompt(prompt, prompt_suffix="", default="", show_default=False))
    except click.Abort:
        raise EOFError from None

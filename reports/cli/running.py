"""Runs an index with the display that fits where the output goes; shared by `index`, `demo` and the questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.fetching import offer_download
from reports.cli.group import DONE_WITH_FAILURES
from reports.cli.output import open_console, print_json, program
from reports.cli.streams import OutputLost
from reports.names import printable

if TYPE_CHECKING:
    from archive.events import Event
    from archive.index import IndexSummary
    from cvid.places import Place
    from cvid.settings import Settings


def run_index(
    context: click.Context, archive: Path, footage: Sequence[Place], settings: Settings, as_json: bool = False
) -> IndexSummary:
    """Index, show the run and its summary; ends with exit code 3 if files failed."""
    if not as_json:
        offer_download(archive, settings)
    summary = index_and_show(archive, footage, settings, as_json)
    if summary.failures:
        context.exit(DONE_WITH_FAILURES)
    return summary


def index_and_show(archive: Path, footage: Sequence[Place], settings: Settings, as_json: bool) -> IndexSummary:
    """Index with a live display in a terminal and plain lines elsewhere; beside JSON, standard error takes them.

    Raises:
        OutputLost, BrokenPipeError: what is shown cannot be written, or nobody reads it; after the whole run.
    """
    from archive.index import index_footage
    from reports.summary import print_summary
    from reports.terminal import LiveDisplay, PlainLog

    console = open_console(err=as_json)
    display = (
        LiveDisplay(console)
        if console.is_terminal and not console.is_dumb_terminal
        else PlainLog(lambda line: click.echo(line, err=as_json), failures_only=as_json)
    )
    lost: list[OutputLost | BrokenPipeError] = []

    def shown(event: Event) -> None:
        try:
            display(event)
        except OutputLost as exc:
            lost.append(OutputLost(f"{exc.message}; the run went on to its end"))
        except BrokenPipeError as exc:
            lost.append(exc)

    with display:
        summary = index_footage(archive, footage, settings, shown)
    if lost:
        raise lost[0]
    if as_json:
        print_json(summary.as_json())
    else:
        print_summary(console, summary, program())
    if not summary.videos["found"]:
        click.echo(nothing_found(footage, summary.videos["ignored"]), err=as_json)
    return summary


def nothing_found(footage: Sequence[Place], ignored: int) -> str:
    """The line for a run that had nothing to look at."""
    from reports.wording import count

    where = ", ".join(printable(str(path)) for path in footage)
    return f"no video or photograph was found below {where}; {count(ignored, 'other file')} ignored"

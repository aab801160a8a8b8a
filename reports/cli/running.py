"""Runs an index with the display that fits where the output goes; shared by `index`, `demo` and the questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.group import DONE_WITH_FAILURES
from reports.cli.output import open_console, print_json, program

if TYPE_CHECKING:
    from archive.index import IndexSummary
    from cvid.settings import Settings


def run_index(
    context: click.Context, archive: Path, footage: Sequence[Path], settings: Settings, as_json: bool = False
) -> IndexSummary:
    """Index, show the run and its summary; ends with exit code 3 if files failed."""
    summary = index_and_show(archive, footage, settings, as_json)
    if summary.failures:
        context.exit(DONE_WITH_FAILURES)
    return summary


def index_and_show(archive: Path, footage: Sequence[Path], settings: Settings, as_json: bool) -> IndexSummary:
    """Index with a live display in a terminal and plain lines elsewhere; beside JSON, standard error takes them."""
    from archive.index import index_footage
    from reports.summary import print_summary
    from reports.terminal import LiveDisplay, PlainLog

    console = open_console(err=as_json)
    display = (
        LiveDisplay(console)
        if console.is_terminal and not console.is_dumb_terminal
        else PlainLog(lambda line: click.echo(line, err=as_json), failures_only=as_json)
    )
    with display:
        summary = index_footage(archive, footage, settings, display)
    if as_json:
        print_json(summary.as_json())
    else:
        print_summary(console, summary, program())
    return summary

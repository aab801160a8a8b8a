"""What `index` says at its end: the people, what failed, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from reports.names import printable
from reports.tables import failures_table, people_table
from reports.terminal import REASONS
from reports.wording import count, models_used, span

if TYPE_CHECKING:
    from archive.index import IndexSummary

PEOPLE_MOST = 30


def print_summary(console: Console, summary: IndexSummary, program: str = "cvid") -> None:
    """Print the summary of a run.

    Args:
        program: how the user called cvid, for the lines that say what to do next.
    """
    if summary.people:
        console.print(people_table(summary.people[:PEOPLE_MOST], status=False))
        if len(summary.people) > PEOPLE_MOST:
            console.print(f"and {len(summary.people) - PEOPLE_MOST:,} more: {program} people")
        console.print()
    if summary.failures:
        console.print(failures_table(summary.failures))
        console.print()
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="bold cyan", no_wrap=True)
    figures.add_column(overflow="fold")
    for label, text in _lines(summary):
        figures.add_row(label, text)
    console.print(figures)


def _lines(summary: IndexSummary) -> list[tuple[str, str]]:
    report = summary.as_json()
    videos, frames = report["videos"], report["frames"]
    speed = report["video_seconds"] / report["seconds"] if report["seconds"] else 0.0
    skipped = " · ".join(f"{frames[reason]:,} {words}" for reason, words in REASONS.items() if frames.get(reason))
    known = videos["skipped"] - report["duplicates"]
    files = [
        f"{videos['indexed']:,} indexed",
        *([f"{known:,} known already"] if known else []),
        *([f"{report['duplicates']:,} twice the same"] if report["duplicates"] else []),
        *([f"{report['damaged']:,} damaged"] if report["damaged"] else []),
        f"{videos['failed']:,} failed",
        f"{videos['ignored']:,} ignored",
    ]
    lines = [
        ("People", f"{report['identities']:,}"),
        ("Videos", " · ".join(files)),
        ("New", f"{count(report['faces'], 'face')} in {count(report['tracks'], 'track')}"),
        ("Footage", f"{span(report['video_seconds'])} in {span(report['seconds'])} ({speed:.1f}× real time)"),
        ("Frames", f"{frames['decoded']:,} decoded · {frames['analysed']:,} analysed"),
        ("Skipped", skipped or "none"),
        ("Models", models_used(report["models"], report["providers"])),
        ("Results", printable(str(summary.archive / "identities"))),
    ]
    return [line for line in lines if videos["indexed"] or line[0] not in ("New", "Footage", "Frames", "Skipped")]

"""The tables that verbs print: people, appearances, failures. `python -m reports.tables` prints an example."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from archive.records import Appearance, Failure, Moment, Person, Status
from reports.names import printable
from reports.wording import clock, models_used, moment, size, span

if TYPE_CHECKING:
    from archive.doubts import Doubt

_RUNS_MOST = 5
_MISSING_MOST = 20


def people_table(people: Sequence[Person], status: bool = True) -> Table:
    """Identities at a glance; who has a name shows it beside the id, or below where the screen is narrow."""
    table = _table()
    table.add_column("Person", style="bold", overflow="fold", min_width=max((len(p.id) for p in people), default=6))
    for header in ("Videos", "Appearances", "On screen"):
        table.add_column(header, justify="right", no_wrap=True)
    for header in ("First seen", "Last seen"):
        table.add_column(header, overflow="fold", min_width=10)
    if status:
        table.add_column("Status", no_wrap=True)
    for p in people:
        who = Text(f"{p.id} {printable(p.name)}".rstrip())
        figures = [f"{p.videos:,}", f"{p.appearances:,}", span(p.screen_time_s)]
        last = [Text(printable(p.status))] if status else []
        table.add_row(who, *figures, Text(moment(p.first)), Text(moment(p.last)), *last)
    return table


def beside_portrait(text: str, jpeg: bytes | None, width: int, height: int, colour: bool) -> Table:
    """A text with a face of so many cells before it; without one where there is no picture, or a broken one."""
    table = Table.grid(padding=(0, 2))
    if jpeg:
        from reports.review.blocks import decoded, face_text

        if decoded(jpeg) is not None:
            table.add_column(no_wrap=True, width=width)
            table.add_column(overflow="fold", vertical="middle")
            table.add_row(face_text(jpeg, width, height, colour), Text(text))
            return table
    table.add_row(Text(text))
    return table


def appearances_table(appearances: Iterable[Appearance], missing: Collection[str] = ()) -> Table:
    """Where one identity appears; `missing` are the appearances whose video is not there any more."""
    table = _table()
    table.add_column("Appearance", style="bold", no_wrap=True)
    table.add_column("Video", overflow="fold", min_width=10)
    for header in ("From", "To", "Faces", "Quality", "Similar", "Margin", "Support"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("Certainty", no_wrap=True)
    for a in appearances:
        table.add_row(
            a.appearance,
            Text.assemble(printable(a.video), (" (missing)", "red") if a.appearance in missing else ""),
            _precise(a.start_s),
            _precise(a.end_s),
            f"{a.faces:,}",
            f"{a.quality:.2f}",
            _share(a.similarity),
            _share(a.margin),
            f"{a.support:,}",
            a.certainty,
        )
    return table


def doubts_table(doubts: Iterable[Doubt], names: Mapping[str, str]) -> Table:
    """What a human is best asked, one question a row."""
    table = _table()
    table.add_column("Question", overflow="fold", min_width=20)
    table.add_column("Look at", no_wrap=True)
    for header in ("Similar", "Gain"):
        table.add_column(header, justify="right", no_wrap=True)
    for doubt in doubts:
        who = f"{doubt.identity} {printable(names.get(doubt.identity, ''))}".strip()
        if doubt.other:
            other = f"{doubt.other} {printable(names.get(doubt.other, ''))}".strip()
            question = f"Are {who} and {other} one person?"
        else:
            question = f"Does {doubt.appearance} belong to {who}?"
        faces = " ".join(filter(None, (doubt.appearance, doubt.other_appearance)))
        table.add_row(Text(question), Text(faces), _share(doubt.similarity), f"{doubt.gain:.1f}")
    return table


def failures_table(failures: Iterable[Failure]) -> Table:
    """What could not be read, and why."""
    table = _table()
    table.add_column("Failed", style="red", overflow="fold", min_width=20)
    table.add_column("Reason", overflow="fold", min_width=20)
    for failure in failures:
        table.add_row(Text(printable(failure.path)), Text(printable(failure.reason)))
    return table


def missing_table(paths: Sequence[str]) -> Table:
    """Which indexed videos no longer lie where they were."""
    table = _table()
    table.add_column("No longer there; the people seen in them are kept", overflow="fold")
    for path in paths[:_MISSING_MOST]:
        table.add_row(Text(printable(path)))
    if len(paths) > _MISSING_MOST:
        table.add_row(f"and {len(paths) - _MISSING_MOST:,} more")
    return table


def status_table(archive: Path, status: Status) -> Table:
    """What an archive holds, and its last runs."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(overflow="fold")
    rows = [
        ("Archive", f"{archive} ({size(status.bytes)}, {size(status.crop_bytes)} of them faces kept for other models)"),
        (
            "Files",
            f"{status.sources:,} indexed · {status.failed:,} failed"
            + (f" · {status.damaged:,} damaged" if status.damaged else "")
            + (f" · {status.missing:,} no longer there" if status.missing else ""),
        ),
        ("People", f"{status.identities:,}"),
        ("Tracks", f"{status.tracks:,}, {status.unassigned:,} of them nobody's"),
        ("Models", models_used(status.models)),
    ]
    if status.changing:
        done = f"{status.changing.done:,} of {status.changing.total:,} appearances"
        rows.append(("Changing", f"to {models_used(status.changing.models)}: {done} so far; `models use` goes on"))
    for label, text in rows:
        table.add_row(label, Text(printable(text)))
    for number, run in enumerate(status.runs[:_RUNS_MOST]):
        table.add_row(
            "Runs" if number == 0 else "",
            Text(printable(f"{run.started_utc}  {run.outcome or 'not finished'}  cvid {run.version}")),
        )
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold cyan")


def _precise(time_s: float) -> str:
    return f"{clock(time_s)}.{int(time_s * 10) % 10}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _example() -> None:
    """Print a table of two people."""
    from rich.console import Console

    first, last = Moment("harbour [1].mp4", 4.0), Moment("day two/interview.mp4", 62.0)
    people = [
        Person("P0001", "", 3, 5, 42.5, first, last, "unconfirmed"),
        Person("P0002", "Jane Doe", 1, 1, 4.0, last, last, "confirmed"),
    ]
    Console(markup=False, highlight=False).print(people_table(people))


if __name__ == "__main__":
    _example()

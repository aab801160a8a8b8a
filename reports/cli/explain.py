"""`cvid explain VIDEO`: frame by frame, what was looked at and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.cli.options import NamedPath, json_option, model_options, settings_from, settings_options
from reports.cli.output import SCHEMA_VERSION

if TYPE_CHECKING:
    from cvid.explain import Explained


@click.command(short_help="Say frame by frame what was analysed and why.")
@click.argument("video", type=NamedPath(exists=True, dir_okay=False, path_type=Path))
@model_options
@settings_options
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Print only every Nth skipped frame; analysed ones always (default: 1, all).",
)
@json_option
def explain(
    video: Path, config: Path | None, assignments: tuple[str, ...], every: int, as_json: bool, **named: Any
) -> None:
    """Explain which frames of VIDEO are analysed, and why the others are skipped.

    Per frame: time in seconds; flow since the last analysed frame in picture widths; brightness of the brightest
    percent, 0 to 255; analysed or skipped and the reason; faces found; the numbers of the tracks they belong to. At
    the end a count by reason. Frames that are not even decoded (selection.decode) are not listed. No archive is needed.

    \b
    Reasons to analyse:  cut (a new shot), motion, floor (long enough since the last), end (of a shot)
    Reasons to skip:     still, dark, soon (too soon after the last)

    \b
    Examples:
      cvid explain clip.mp4 --every 10
      cvid explain clip.mp4 --set selection.motion=0.03 --json
      cvid explain -- -strange-name.mp4
    """
    from cvid.explain import explain as explained
    from cvid.models.sets import choose_for

    settings = settings_from(config, assignments, **named)
    choice = choose_for(settings)
    reasons: Counter[tuple[bool, str]] = Counter()
    shown = _thinned(explained(video, choice.open(), settings), every, reasons)
    first = list(islice(shown, 1))  # what is no video fails here, before anything is printed
    (_print_object if as_json else _print_lines)(video, chain(first, shown), reasons)


def _thinned(frames: Iterator[Explained], every: int, reasons: Counter[tuple[bool, str]]) -> Iterator[Explained]:
    """The frames to print; `reasons` counts all of them on the way."""
    skipped = 0
    for frame in frames:
        reasons[frame.kept, frame.reason] += 1
        skipped += not frame.kept
        if frame.kept or skipped % every == 1 or every == 1:
            yield frame


def _print_lines(video: Path, frames: Iterator[Explained], reasons: Counter[tuple[bool, str]]) -> None:
    click.echo(f"{'frame':>7} {'time s':>9} {'flow':>7} {'bright':>6}  {'':8} {'reason':6} faces tracks")
    for f in frames:
        word, faces = ("analysed", f"{f.faces:>5} {' '.join(map(str, f.tracks))}") if f.kept else ("skipped", "")
        click.echo(
            f"{f.index:>7} {f.time_s:>9.3f} {f.flow:>7.4f} {f.luma:>6.0f}  {word:8} {f.reason:6} {faces}".rstrip()
        )
    total = sum(reasons.values())
    click.echo(f"\n{total:,} frames")
    for (kept, reason), number in sorted(reasons.items(), key=lambda item: (not item[0][0], -item[1])):
        click.echo(f"{number:>9,} {number / total:>6.1%}  {'analysed' if kept else 'skipped':8} {reason}")


def _print_object(video: Path, frames: Iterator[Explained], reasons: Counter[tuple[bool, str]]) -> None:
    """One JSON object, written as the frames come: a film has hundreds of thousands."""
    click.echo(f'{{"schema_version": {SCHEMA_VERSION}, "video": {json.dumps(str(video))}, "frames": [')
    separator = ""
    for frame in frames:
        click.echo(separator + json.dumps(_rounded(frame)), nl=False)
        separator = ",\n"
    counts = {"decoded": sum(reasons.values()), "analysed": sum(n for (kept, _), n in reasons.items() if kept)}
    by_reason = {reason: number for (_, reason), number in reasons.items()}
    click.echo(f'\n], "counts": {json.dumps({**counts, "reasons": by_reason})}}}')


def _rounded(frame: Explained) -> dict[str, Any]:
    return {
        **asdict(frame),
        "time_s": round(frame.time_s, 3),
        "flow": round(frame.flow, 5),
        "luma": round(frame.luma, 1),
    }

"""`cvid index`: scan, analyse what is new, cluster, write the folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.cli.options import (
    FootagePath,
    archive_option,
    json_option,
    model_options,
    settings_from,
    settings_options,
    strictness_option,
)

if TYPE_CHECKING:
    from cvid.places import Place


@click.command(short_help="Find the people in folders of footage.")
@click.argument("footage", nargs=-1, required=True, type=FootagePath(), metavar="FOOTAGE…")
@archive_option
@model_options
@click.option(
    "--speed",
    type=click.Choice(["thorough", "balanced", "skim"]),
    help="How closely to look: skim sees key frames alone, a first look at a huge archive (default: balanced).",
)
@click.option("--jobs", type=click.IntRange(0, 512), metavar="N", help="Worker processes (default: 0, one a core).")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray", "inline"]),
    help="Who does the work: this machine's processes, a Ray cluster, or this process alone (default: local).",
)
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="Where the Ray cluster is: auto, HOST:PORT, or local to start one for this run (default: auto).",
)
@click.option(
    "--faces",
    type=click.Choice(["best", "exemplars", "all"]),
    help="Face pictures kept of each appearance (default: best, one).",
)
@strictness_option
@settings_options
@json_option
@click.pass_context
def index(
    context: click.Context,
    /,
    footage: tuple[Place, ...],
    archive: Path,
    faces: str | None,
    strictness: str | None,
    config: Path | None,
    assignments: tuple[str, ...],
    as_json: bool,
    **named: Any,
) -> None:
    """Find the people in FOOTAGE: folders, searched through, or single files, here or at an address.

    Footage is only ever read. What was indexed before is skipped, so the same line again continues an interrupted
    run or adds what is new; with a closer --speed, what had been skimmed is looked at again. Files that cannot be
    decoded are listed with the reason and the exit code is 3.

    \b
    Examples:
      cvid index ~/footage
      cvid index ~/footage /media/card --archive ~/faces --models embedded
      cvid index /mnt/archive --speed skim
      cvid index /mnt/shared --engine ray
      cvid index clips --jobs 2 --faces all --set selection.floor_s=0.5
      cvid index --json clips > run.json
      cvid index s3://bucket/2014 sftp://host/footage
      cvid index -- -strange-name.mp4
    """
    if named["engine"] in (None, "local"):
        from archive import forking

        forking.begin()  # it loads while this process does
    from reports.cli.running import run_index

    settings = settings_from(config, assignments, faces__keep=faces, clustering__strictness=strictness, **named)
    run_index(context, archive, footage, settings, as_json)

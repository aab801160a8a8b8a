"""`cvid recluster`: sort everything anew, or say what that would change."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.options import archive_option, clustering_options, json_option, settings_from, settings_options
from reports.cli.output import open_console, print_json


@click.command(short_help="Sort everybody anew, or show what that would change.")
@archive_option
@clustering_options
@click.option("--dry-run", is_flag=True, help="Say who would move, merge, split, appear or vanish; change nothing.")
@settings_options
@json_option
def recluster(
    archive: Path,
    method: str | None,
    strictness: str | None,
    k: int | None,
    dry_run: bool,
    config: Path | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Sort all appearances of an archive into people anew, with the vectors that it holds.

    What a human said is obeyed whatever the method, ids stay with the people, and nobody whom a human named or
    confirmed dissolves. The method and its settings are kept: later runs of `index` go by them.

    \b
    Examples:
      cvid recluster --dry-run --archive ~/faces
      cvid recluster --strictness cautious --archive ~/faces
      cvid recluster --method hdbscan --dry-run --json --archive ~/faces
    """
    from archive.catalogue import Catalogue
    from archive.sorting.recluster import recluster as sort_anew
    from archive.sorting.settle import plan
    from reports.differences import difference_lines

    settings = settings_from(
        config, assignments, clustering__method=method, clustering__strictness=strictness, clustering__k=k
    )
    with Catalogue.open(archive) as catalogue:
        found = plan(catalogue, settings) if dry_run else None
        names = catalogue.names()
    if found is None:
        found = sort_anew(archive, settings, lambda event: None)
    if as_json:
        print_json({"dry_run": dry_run, **found.as_json()})
        return
    console = open_console()
    for line in [*([found.remark] if found.remark else []), *difference_lines(found, names, dry_run)]:
        console.print(line, soft_wrap=True)

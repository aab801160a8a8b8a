"""`cvid evaluate --truth FILE`: how good an archive is, by one's own word on who appears where."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.output import open_console, print_json


def run_truth(path: Path, archive: Path, groups_path: Path | None, as_json: bool) -> None:
    """Compare an archive with a truth file, and show it."""
    from archive.catalogue import Catalogue
    from archive.sightings import sightings_of
    from cvid.evaluation.groups import read_groups
    from cvid.evaluation.recurrence import judge
    from cvid.evaluation.truth import read_truth
    from reports.evaluation_truth import truth_groups_table, truth_table
    from reports.wording import count

    truth = read_truth(path)
    groups = read_groups(groups_path, truth.person) if groups_path else None
    with Catalogue.open(archive) as catalogue:
        sightings, video = sightings_of(catalogue, truth)
    figures, by_group = judge(truth, video, sightings, groups)
    if groups and groups.unknown:
        people = count(len(groups.unknown), "person", "people")
        click.echo(f"{people} of the groups file are not in the truth", err=True)
    if as_json:
        more = {"groups": {group.name: group.as_json() for group in by_group}} if groups else {}
        print_json({**figures.as_json(), **more})
        return
    console = open_console()
    console.print(truth_table(figures))
    if groups:
        console.print("\nBy group, among everybody's identities", style="bold")
        console.print(truth_groups_table(by_group))

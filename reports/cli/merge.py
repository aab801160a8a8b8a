"""`cvid merge ID OTHER`: two identities are one person."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.deciding import carry_out
from reports.cli.options import archive_option, json_option


@click.command(short_help="Say that two identities are one person.")
@click.argument("identity", metavar="ID")
@click.argument("other", metavar="OTHER")
@click.option("--mirror", is_flag=True, help="They may be seen at one moment: in a mirror, or on a screen.")
@archive_option
@json_option
def merge(identity: str, other: str, mirror: bool, archive: Path, as_json: bool) -> None:
    """Make OTHER part of ID, for good: ID keeps its id and its name, or takes the name of OTHER if it has none.

    Faces seen at one moment of one video are never one person, so two identities that were seen together are refused,
    with the moment, unless --mirror says that it is one person twice. `undo` brings OTHER back under its id.

    \b
    Examples:
      cvid merge P0003 P0017 --archive ~/faces
    """
    from archive.decisions import verbs as decisions

    carry_out(archive, as_json, lambda catalogue: decisions.merge(catalogue, identity, other, mirror))

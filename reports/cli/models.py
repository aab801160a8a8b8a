"""`cvid models`: which models there are and which are here; `download` and `use` stand below it."""

from __future__ import annotations

import click

from reports.cli.group import LazyGroup
from reports.cli.options import json_option, settings_from
from reports.cli.output import open_console, print_json, program

VERBS = {
    "download": "reports.cli.models_download:download",
    "use": "reports.cli.models_use:use",
}


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    invoke_without_command=True,
    short_help="List the models; download them; change those of an archive.",
)
@click.option("--model-dir", metavar="DIR", help="Folder with downloaded weights (environment: CVID_MODEL_DIR).")
@json_option
@click.pass_context
def models(context: click.Context, /, model_dir: str | None, as_json: bool) -> None:
    """List the models: kind, licence, commercial use, size, where they lie, and the sets they are part of.

    Nothing is ever downloaded unasked. Weights whose licence excludes commercial use want that licence accepted once.

    \b
    Examples:
      cvid models
      cvid models --json | jq '.sets'
      cvid models download standard
      cvid models use standard --archive ~/faces
    """
    if context.invoked_subcommand:
        return
    from cvid.models.listing import listed, listed_sets
    from reports.models import models_table, sets_table

    folder = settings_from(None, (), model_dir=model_dir).model_dir
    all_models, sets = listed(folder), listed_sets(folder)
    if as_json:
        print_json({"models": [one.as_json() for one in all_models], "sets": sets})
        return
    console = open_console()
    console.print(models_table(all_models))
    console.print()
    console.print(sets_table(sets))
    click.echo(f"\n{program()} models download NAME fetches a set, a family or a model")

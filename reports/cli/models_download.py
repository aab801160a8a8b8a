"""`cvid models download`: fetch weights, licence shown and accepted first."""

from __future__ import annotations

import click

from reports.cli.group import DONE_WITH_FAILURES
from reports.cli.options import json_option, settings_from
from reports.cli.output import open_console, print_json


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from cvid.models.sets import SETS
    from cvid.models.table import FAMILIES, MODELS

    return [name for name in (*SETS, *FAMILIES, *MODELS) if name.startswith(incomplete)]


@click.command(short_help="Download the weights of a set, a family or a model.")
@click.argument("names", nargs=-1, required=True, metavar="NAME…", shell_complete=_complete)
@click.option("--accept-licence", is_flag=True, help="Accept the licences for non-commercial use, as scripts must.")
@click.option("--model-dir", metavar="DIR", help="Folder to download into (default: cvid's own cache).")
@json_option
@click.pass_context
def download(
    context: click.Context, /, names: tuple[str, ...], accept_licence: bool, model_dir: str | None, as_json: bool
) -> None:
    """Download the weights of NAME: a model set, a model, or a family, which stands for its first model.

    What is here already is verified and not fetched again. A stopped download goes on where it was. Every file is
    compared with its known sha256; where upstream publishes none, with that of its first download ever after.

    \b
    Examples:
      cvid models download standard
      cvid models download yunet sface
      cvid models download arcface_r100 --model-dir ~/weights --accept-licence
    """
    from cvid.errors import ModelError
    from cvid.models.download import by_hand, models_named, plan
    from reports.cli.fetching import fetch_and_show, folder_of, settle_licences, show_plan
    from reports.names import printable

    settings = settings_from(None, (), model_dir=model_dir)
    wanted = plan(models_named(names), settings.model_dir)
    folder = folder_of(settings, model_dir)
    told = [by_hand(model, folder) for model in wanted.by_hand]
    if told and not (wanted.fetches or wanted.present or wanted.packaged):
        raise ModelError("; ".join(told))
    console = open_console(err=as_json)
    show_plan(console, wanted)
    settle_licences(console, wanted, accept_licence)
    made = fetch_and_show(console, wanted, folder)
    if as_json:
        print_json(
            {
                "downloaded": {name: str(path) for name, path in made.items()},
                "present": {name: str(path) for name, path in wanted.present.items()},
                "by_hand": [model.name for model in wanted.by_hand],
            }
        )
    for line in told:
        click.echo(f"cvid: {printable(line)}", err=True)
    if told:
        context.exit(DONE_WITH_FAILURES)

"""`cvid models use`: change the models of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reports.cli.options import archive_option, json_option, model_part_options, settings_from, settings_options
from reports.cli.output import open_console, print_json, program

PARTS = ("detectors", "embedders")


@click.command(short_help="Change the models of an archive.")
@click.argument("name", required=False, metavar="SET")
@archive_option
@model_part_options
@click.option(
    "--leave-out",
    is_flag=True,
    help="Appearances of which neither faces nor footage are left become nobody's, instead of stopping the change.",
)
@settings_options
@json_option
def use(
    name: str | None,
    archive: Path,
    config: Path | None,
    assignments: tuple[str, ...],
    leave_out: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Give every appearance of an archive vectors of the model set SET, and sort the people anew.

    Identities keep their ids and names. The faces that the archive keeps are enough; where it keeps none, the
    footage is looked at again. A stopped change goes on where it was, and until it is done the archive works with
    its old models. Footage to come is seen with the new detectors.

    \b
    Examples:
      cvid models use standard --archive ~/faces
      cvid models use --embedders mobilefacenet,dlib_resnet --archive ~/faces
    """
    from archive.catalogue import Catalogue, names_of
    from archive.change import change_models
    from archive.events import Event, Note, Revectoring, WritingFolders
    from cvid.models.sets import choose_for
    from reports.names import printable
    from reports.steps import Steps
    from reports.wording import count, models_used

    if not (name or named.get("detectors") or named.get("embedders")):
        raise click.UsageError("name a model set, or --detectors or --embedders; `cvid models` lists them")
    settings = settings_from(config, assignments, models=name, **named)
    with Catalogue.open(archive) as catalogue:
        own = catalogue.models()
    keep: dict[str, str] = {}
    if not name:  # what is not named stays
        keep = {part: getattr(settings, part) or names_of(own.get(part.removesuffix("s"), "")) for part in PARTS}
    choice = choose_for(settings, **keep)
    console = open_console(err=as_json)

    def tell(line: str) -> None:
        click.echo(line, err=as_json)

    with Steps(console, tell, "done") as steps:

        def hook(event: Event) -> None:
            match event:
                case Revectoring(done, total):
                    steps("vectors of appearances", done, total)
                case WritingFolders(done, total):
                    steps("folders", done, total)
                case Note(text):
                    console.print(printable(text))

        changed = change_models(archive, choice.open, settings, hook, set_name=choice.set_name, leave_out=leave_out)
    if as_json:
        print_json(
            {
                "before": changed.before,
                "after": changed.after,
                "appearances": changed.tracks,
                "left_out": changed.left_out,
                "identities": changed.identities,
            }
        )
        return
    click.echo(f"{count(changed.tracks, 'appearance')}, now seen by {models_used(changed.after)}")
    if changed.left_out:
        click.echo(f"{count(changed.left_out, 'appearance')} could not be seen again and are nobody's now")
    click.echo(f"{count(changed.identities, 'identity', 'identities')}: {program()} people")

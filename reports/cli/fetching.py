"""The two explicit ways to a download, `models download` and a yes at `index`: what is shown, asked and fetched."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.output import open_console
from reports.names import printable

if TYPE_CHECKING:
    from rich.console import Console

    from cvid.models.download import Plan
    from cvid.settings import Settings


def offer_download(archive: Path, settings: Settings) -> None:
    """In a terminal: ask whether the missing weights of the models that were asked for shall be fetched, and do it.

    Nothing is asked where that would not be enough: some are to be had by hand only, or the archive has other models.
    """
    asked = settings.models != "auto" or settings.detectors or settings.embedders
    if not asked or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    from cvid.models.download import plan
    from reports.models import fetches_table

    names = _parts_asked(settings)
    wanted = plan(names, settings.model_dir)
    if not wanted.fetches or wanted.by_hand or _has_other_models(archive, names):
        return
    console = open_console()
    console.print("The models that were asked for are not here yet.\n")
    console.print(fetches_table(wanted.fetches))
    if _agreed(console, _question(wanted)):
        _accept(wanted)
        fetch_and_show(console, wanted, folder_of(settings))


def folder_of(settings: Settings, named: str | None = None) -> Path:
    """Where downloads go: the folder named by a flag or a settings file, else cvid's own cache.

    CVID_MODEL_DIR is searched only: it may be a folder for everybody.
    """
    from cvid.models.download import download_folder

    of_environment = settings.model_dir == os.environ.get("CVID_MODEL_DIR", "")
    return download_folder(named or ("" if of_environment else settings.model_dir))


def show_plan(console: Console, plan: Plan) -> None:
    """What is here, and what will be fetched."""
    from reports.models import fetches_table

    for name, path in plan.present.items():
        console.print(f"{name} is here already, and as it should be: {printable(str(path))}")
    for model in plan.packaged:
        console.print(f"{model.name} comes inside the package {model.package}: nothing to fetch")
    if plan.fetches:
        console.print(fetches_table(plan.fetches))


def settle_licences(console: Console, plan: Plan, accept_licence: bool) -> None:
    """Have the licences of a plan accepted: by the flag, or by a question in a terminal.

    Raises:
        ModelError: they are not.
    """
    from cvid.errors import ModelError

    licences = plan.to_accept
    if not licences:
        return
    if not accept_licence:
        terminal = sys.stdin.isatty() and console.is_terminal
        if not terminal or not _agreed(console, _question(plan)):
            remedy = "nothing was downloaded" if terminal else "read it, and repeat the line with --accept-licence"
            raise ModelError(f"the licence is not accepted ({'; '.join(licences)}): {remedy}")
    _accept(plan)


def fetch_and_show(console: Console, plan: Plan, folder: Path) -> dict[str, Path]:
    """Fetch with a bar in a terminal and lines elsewhere; model → file."""
    from cvid.models.download import download
    from reports.models import Fetching

    def tell(line: str) -> None:
        click.echo(line, file=console.file)

    with Fetching(console, tell) as hook:
        made = download(plan, folder, hook)
    for name, path in made.items():
        console.print(f"{name} is here now: {printable(str(path))}")
    return made


def _accept(plan: Plan) -> None:
    from cvid.models.licences import accept

    for licence in plan.to_accept:
        accept(licence)


def _question(plan: Plan) -> str:
    terms = " and ".join(f"'{licence}'" for licence in plan.to_accept)
    return f"Accept {terms}, and download?" if terms else "Download?"


def _agreed(console: Console, question: str) -> bool:
    try:
        answer = console.input(f"{question} [y/N] ", markup=False, emoji=False)
    except EOFError:
        console.print()
        return False
    return answer.strip().lower() in ("y", "yes")


def _parts_asked(settings: Settings) -> list[str]:
    """The models that the settings name; an unknown name is left to `choose`, which lists the choices."""
    from cvid.errors import UnknownBackend
    from cvid.models.sets import SETS, ModelSet, named_parts

    of_set = SETS.get(settings.models, ModelSet((), ()))
    try:
        detectors = named_parts("detector", settings.detectors, settings.model_dir) or of_set.detectors
        return [*detectors, *(named_parts("embedder", settings.embedders, settings.model_dir) or of_set.embedders)]
    except UnknownBackend:
        return []


def _has_other_models(archive: Path, names: list[str]) -> bool:
    """Was the archive made with other models than these? The run says so; nothing need be fetched for that."""
    from archive.catalogue import FILE, Catalogue, names_of

    if not (archive / FILE).is_file():
        return False
    with Catalogue.open(archive) as catalogue:
        own = catalogue.models()
    recorded = [name for part in ("detector", "embedder") for name in names_of(own.get(part, "")).split(",") if name]
    return bool(recorded) and sorted(recorded) != sorted(names)

"""Options that several verbs share, and the settings they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from cvid.settings import Settings

Decorated = Callable[..., Any]


class NamedPath(click.Path):
    """A path that is not the empty text, which would be taken for the working directory, and no address."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; an empty one is wrong usage, and so is an address: only footage may lie elsewhere."""
        from cvid.places import is_address

        if value == "":
            self.fail("it is empty; name a file or a folder", param, ctx)
        if isinstance(value, str) and is_address(value) and not os.path.lexists(value):
            self.fail("it is an address; name a file or a folder of this machine", param, ctx)
        return super().convert(value, param, ctx)


class FootagePath(NamedPath):
    """A file or folder that is there, or an address such as s3://bucket/2014; whether one is there shows later."""

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path or the address; one with a password in it is wrong usage."""
        from cvid.errors import VideoError
        from cvid.places import Address, place_of

        try:
            place = place_of(value) if isinstance(value, str) else value
        except VideoError as exc:
            self.fail(str(exc), param, ctx)
        return place if isinstance(place, Address) else super().convert(value if value == "" else place, param, ctx)


class NamesOption(click.Option):
    """An option whose help and completion list names; they are imported for these alone.

    Args:
        names: gives the names.
    """

    def __init__(self, *args: Any, names: Callable[[], list[str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self._names = names

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help."""
        record = super().get_help_record(ctx)
        return record and (record[0], f"{record[1]}: {', '.join(self._names())}.")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin so."""
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]


archive_option = click.option(
    "--archive",
    type=NamedPath(file_okay=False, path_type=Path),
    default=Path("cvid-archive"),
    envvar="CVID_ARCHIVE",
    metavar="DIR",
    help="The archive folder (default: ./cvid-archive; environment: CVID_ARCHIVE).",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def settings_options(verb: Decorated) -> Decorated:
    """--config and --set."""
    config = click.option(
        "--config",
        type=NamedPath(path_type=Path),
        metavar="FILE",
        help="TOML file with settings (default: ./cvid.toml if there is one; environment: CVID_CONFIG).",
    )
    single = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any single setting, such as selection.floor_s=0.5 (seconds); may be repeated. Wins over the file.",
    )
    return config(single(verb))


def model_options(verb: Decorated) -> Decorated:
    """--models, --detectors, --embedders, --device and --model-dir."""
    models = click.option(
        "--models",
        metavar="NAME",
        shell_complete=_complete_models,
        help="Model set: embedded, light, standard, full, permissive or auto (default: auto, the best present).",
    )
    return models(model_part_options(verb))


def model_part_options(verb: Decorated) -> Decorated:
    """--detectors, --embedders, --device and --model-dir."""
    options = (
        click.option(
            "--detectors",
            cls=NamesOption,
            names=detector_names,
            metavar="NAME",
            help="Face detectors by name, joined by commas, instead of the set's",
        ),
        click.option(
            "--embedders",
            cls=NamesOption,
            names=_embedders,
            metavar="NAME",
            help="Face embedders by name, joined by commas, instead of the set's",
        ),
        click.option(
            "--device",
            metavar="NAME",
            help="Where the networks run: auto, cpu, cuda, coreml, openvino and others (default: auto).",
        ),
        click.option(
            "--model-dir", metavar="DIR", help="Folder with downloaded weights (environment: CVID_MODEL_DIR)."
        ),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


def clustering_options(verb: Decorated) -> Decorated:
    """--method, --strictness and --k."""
    options = (
        click.option(
            "--method",
            cls=NamesOption,
            names=_clusterers,
            metavar="NAME",
            help="How appearances are grouped",
        ),
        strictness_option,
        click.option(
            "--k", type=click.IntRange(1), metavar="N", help="How many people there are, for kmeans, spectral."
        ),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


strictness_option = click.option(
    "--strictness",
    metavar="WORD",
    help="cautious (fewer false links), balanced or eager (fewer missed ones); or the false links to expect a track.",
)


def settings_from(config: Path | None, assignments: tuple[str, ...], **named: Any) -> Settings:
    """Settings out of flags: `named` are settings by name, two underscores for a dot; None means not given."""
    from cvid.settings_sources import load_settings

    flags: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not (equals and name.strip()):
            raise click.UsageError(f"--set wants NAME=VALUE, such as selection.floor_s=0.5, not {assignment!r}")
        flags[name.strip()] = value.strip()
    flags |= {name.replace("__", "."): value for name, value in named.items() if value is not None}
    for name in flags:
        if any(other.startswith(f"{name}.") for other in flags):
            raise click.UsageError(f"--set {name}: is a section; set one of its settings")
    return load_settings(config, flags)


def listed(names: str) -> list[str]:
    """Names joined by commas or blanks, each once."""
    return list(dict.fromkeys(names.replace(",", " ").split()))


def _complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from cvid.models.sets import SETS

    return [name for name in ("auto", *SETS) if name.startswith(incomplete)]


def detector_names() -> list[str]:
    """The face detectors there are."""
    from cvid.detectors import DETECTORS

    return DETECTORS.names()


def _clusterers() -> list[str]:
    from cvid.clustering import CLUSTERERS

    return CLUSTERERS.names()


def _embedders() -> list[str]:
    from cvid.embedders import EMBEDDERS

    return EMBEDDERS.names()

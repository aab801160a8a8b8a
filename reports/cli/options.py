"""Options that several verbs share, and the settings they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cvid.settings import Settings

Decorated = Callable[..., Any]

archive_option = click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
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
        type=click.Path(path_type=Path),
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
    """--models, --detector, --embedder and --model-dir."""
    options = (
        click.option(
            "--models",
            metavar="NAME",
            shell_complete=_complete_models,
            help="Model set: embedded, light or auto (default: auto, the best whose files are present).",
        ),
        click.option("--detector", metavar="NAME", help="A face detector by name instead of the set's."),
        click.option("--embedder", metavar="NAME", help="A face embedder by name instead of the set's."),
        click.option(
            "--model-dir", metavar="DIR", help="Folder with downloaded weights (environment: CVID_MODEL_DIR)."
        ),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


def settings_from(config: Path | None, assignments: tuple[str, ...], **named: Any) -> Settings:
    """Settings out of flags: `named` are settings by name, two underscores for a dot; None means not given."""
    from cvid.settings import load_settings

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


def _complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from cvid.models import SETS

    return [name for name in ("auto", *SETS) if name.startswith(incomplete)]

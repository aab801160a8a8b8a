"""Where settings come from, TOML file < environment < flags, and what is said of those that are wrong."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableSource

from cvid.errors import SettingsError
from cvid.settings import Section, Settings
from cvid.speeds import under

_KINDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_CLOSE = 0.7
"""Likeness of two names, 0..1, from which on one may be meant by the other: `flor_s` is floor_s, but not flow."""


def load_settings(config: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings: defaults < TOML file < environment < flags.

    Args:
        config: a TOML file; without one `CVID_CONFIG`, then `cvid.toml` in the working directory, if it exists.
        flags: dotted names → values, such as {"selection.flow": "false"}; they win over everything.

    Environment names are `CVID_` + the setting, sections joined by two underscores: `CVID_SELECTION__FLOW=false`.

    Raises:
        SettingsError: an unknown name or a value out of range, with the choices or the limits; a file that
            cannot be read or is no TOML.
    """
    path = config or (Path(os.environ["CVID_CONFIG"]) if os.environ.get("CVID_CONFIG") else Path("cvid.toml"))
    _refuse_unknown_sections(os.environ)
    try:
        if path.is_dir():
            raise SettingsError(f"{path}: is a folder; name a settings file, such as {path / 'cvid.toml'}")
        if not path.is_file() and (config or os.environ.get("CVID_CONFIG")):
            raise SettingsError(f"{path}: there is no such settings file; check --config and CVID_CONFIG")
        chosen = _loader(path)(**_nested(flags or {})).model_dump(exclude_unset=True)
        settings = Settings.model_validate(under(chosen, chosen.get("speed", "balanced")))
    except ValidationError as exc:
        raise SettingsError(_sentence(exc)) from exc
    except UnreadableSource as exc:
        raise SettingsError(
            "a section cannot be set as a whole by the environment; set single settings, such as "
            "CVID_SELECTION__FLOOR_S=0.5"
        ) from exc
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{path}: not a readable TOML file ({exc})") from exc
    _refuse_unknown_method(settings.clustering.method)
    return settings


def _refuse_unknown_sections(environment: Mapping[str, str]) -> None:
    """Pydantic passes over `CVID_SELECTOIN__FLOW`; whoever wrote that meant something by it."""
    for variable in environment:
        section, joined, name = variable.lower().removeprefix("cvid_").partition("__")
        known = Settings.model_fields.get(section)
        if variable.lower().startswith("cvid_") and joined and not (known and isinstance(known.default, Section)):
            raise SettingsError(f"{variable}: {_unknown(f'{section}.{name}'.replace('__', '.'))}")


def _refuse_unknown_method(method: str) -> None:
    """Before hours of indexing, not after."""
    from cvid.clustering import CLUSTERERS

    if method not in CLUSTERERS.names():
        names = ", ".join(CLUSTERERS.names())
        raise SettingsError(f"setting 'clustering.method': there is none named '{method}'; choose one of: {names}")


def _loader(path: Path) -> type[BaseSettings]:
    """A settings class that reads flags, environment and `path`, in that order of weight."""

    class Loader(BaseSettings, Settings):
        model_config = SettingsConfigDict(
            env_prefix="CVID_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=path
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            assert isinstance(init_settings, InitSettingsSource)
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    return Loader


def _nested(flags: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for dotted, value in flags.items():
        *sections, name = dotted.split(".")
        branch: Any = tree
        for section in sections:
            branch = branch.setdefault(section, {})
            if not isinstance(branch, dict):
                raise SettingsError(f"setting '{dotted}' contradicts the value given for '{section}'")
        branch[name] = value
    return tree


def _sentence(exc: ValidationError) -> str:
    """What is wrong, setting by setting."""
    parts = []
    for error in exc.errors():
        name, value = _named(error["loc"]), error["input"]
        if error["type"] == "extra_forbidden":
            parts.append(_unknown(".".join([name, *list(value)[:1]]) if isinstance(value, dict) else name))
        else:
            parts.append(f"setting '{name}': {reprlib.repr(value)} is not allowed; {_allowed(name)}")
    return "; ".join(dict.fromkeys(parts))


def _named(place: tuple[int | str, ...]) -> str:
    """The setting where an error is; of one that may be of several kinds pydantic names each kind behind it."""
    name = ".".join(str(part) for part in place)
    return next((known for known in _fields() if name.startswith(f"{known}.")), name)


def _unknown(name: str) -> str:
    """That there is no such setting, and which ones come close; they may stand in another section."""
    section, _, end = name.rpartition(".")
    ends = {known: known.rpartition(".")[2] for known in _fields()}
    near = [
        known for close in get_close_matches(end, ends.values(), 2, _CLOSE) for known in ends if ends[known] == close
    ]
    inside = [known for known in ends if section and known.startswith(f"{section}.")]
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"choose one of: {', '.join(inside)}" if inside else "docs/settings.md lists them"
    return f"there is no setting '{name}'; {hint}"


def _allowed(name: str) -> str:
    """What a setting takes: "it must be a number, at least 0 and below 1"."""
    field = _fields().get(name)
    if field is None:
        first = next(known for known in _fields() if known.startswith(f"{name}."))
        return f"it is a section: set one of its settings, such as {first}"
    return f"it must be {_described(field.annotation, field.metadata)}"


def _described(kind: Any, limits: Sequence[Any]) -> str:
    """A kind of value in words."""
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(get_args(kind))}"
    if get_origin(kind) is Annotated:
        kind, *fields = get_args(kind)
        return _described(kind, [limit for field in fields for limit in field.metadata])
    if kind not in _KINDS:
        return "; or ".join(_described(each, ()) for each in get_args(kind))
    words = [f"{word} {getattr(m, key):g}" for m in limits for key, word in _LIMITS.items() if hasattr(m, key)]
    return ", ".join(filter(None, (_KINDS[kind], " and ".join(words))))


def _fields() -> dict[str, FieldInfo]:
    """Every setting by its dotted name."""
    fields: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        inner = type(field.default).model_fields if isinstance(field.default, Section) else {}
        fields |= {f"{name}.{n}": f for n, f in inner.items()} or {name: field}
    return fields

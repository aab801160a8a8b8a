"""Which models there are, and which of them are here: what `cvid models` shows."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from os.path import commonpath
from pathlib import Path
from typing import Any

from cvid.errors import MissingDependency
from cvid.models.sets import SETS, missing
from cvid.models.store import located
from cvid.models.table import MODELS, Model
from cvid.packaged import packaged_file


@dataclass(frozen=True)
class Listed:
    """A model, and whether its weights are here."""

    model: Model
    present: bool
    path: str  # of the file, or of the folder where there are several; "" when absent
    bytes: int  # on the disk if present, else as upstream says; 0 where it does not
    sets: tuple[str, ...]
    lacks: str  # a Python package that it needs and that is not installed, else ""

    def as_json(self) -> dict[str, Any]:
        """As in the JSON of `cvid models`."""
        return {
            "name": self.model.name,
            "kind": self.model.kind,
            "licence": self.model.licence,
            "commercial": self.model.commercial,
            "present": self.present,
            "path": self.path or None,
            "bytes": self.bytes,
            "source": self.model.source,
        }


def listed(model_dir: str = "") -> list[Listed]:
    """All models in the order of the table."""
    return [_listed(model, model_dir) for model in MODELS.values()]


def listed_sets(model_dir: str = "") -> dict[str, dict[str, Any]]:
    """All sets as in the JSON of `cvid models`: their parts, and the files that are not here."""
    found: dict[str, dict[str, Any]] = {}
    for name, parts in SETS.items():
        absent = missing(name, model_dir)
        found[name] = {
            "detectors": list(parts.detectors),
            "embedders": list(parts.embedders),
            "present": not absent,
            "missing": absent,
        }
    return found


def sets_with(name: str) -> tuple[str, ...]:
    """The sets that a model is part of."""
    return tuple(one for one, parts in SETS.items() if name in parts.detectors + parts.embedders)


def _listed(model: Model, model_dir: str) -> Listed:
    files = _files(model, model_dir)
    path = commonpath(files) if files else ""
    size = sum(file.stat().st_size for file in files) if files else model.weights.size if model.weights else 0
    lacks = "" if not model.package or _installed(model.package) else model.package
    return Listed(model, bool(files), path, size, sets_with(model.name), lacks)


def _files(model: Model, model_dir: str) -> list[Path]:
    if model.weights:
        path = located(model, model_dir)
        return [path] if path else []
    try:
        return [packaged_file(model.package, relative) for relative in model.packaged]
    except MissingDependency:
        return []


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True

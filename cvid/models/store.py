"""Find the weights of a model, and make sure that they are what they should be."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from cvid.errors import ModelError
from cvid.models.table import MODELS, Weights


def find(name: str, model_dir: str = "") -> Path:
    """The file of a model that is not inside a package.

    Raises:
        ModelError: it is in none of the folders, with the file's name and where it comes from.
    """
    model = MODELS[name]
    assert model.weights is not None
    path = where(model.weights, model_dir)
    if path:
        return path
    known = f"; sha256 {model.weights.sha256[:12]}…" if model.weights.sha256 else ""
    fetch = f"run `cvid models download {name}`, or " if model.weights.url else ""
    raise ModelError(
        f"the weights of '{name}' are not here: {fetch}put {model.weights.file} ({model.source}{known}; licence: "
        f"{model.licence}) into {search_path(model_dir)[0]}; --models embedded needs no download"
    )


def where(weights: Weights, model_dir: str = "") -> Path | None:
    """Where a file lies: in a folder that is searched, or in the cache of another library; None if nowhere."""
    places = [folder / weights.file for folder in search_path(model_dir)]
    if weights.cached_as:
        places.append(_expanded("~") / weights.cached_as)
    return next((place for place in places if place.is_file()), None)


def is_present(name: str, model_dir: str = "") -> bool:
    """Are the weights of a model here? Those inside a package of the requirements always are."""
    weights = MODELS[name].weights
    return weights is None or where(weights, model_dir) is not None


def search_path(model_dir: str = "") -> list[Path]:
    """The folders that are searched for weights, first one first; downloads go into the last."""
    named = [model_dir, os.environ.get("CVID_MODEL_DIR", "")]
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return [_expanded(folder) for folder in named if folder] + [_expanded(cache_home) / "cvid" / "models"]


@cache
def verified(path: Path, sha256: str) -> str:
    """The first 12 hex digits of a weights file's hash, after comparing it with the expected one.

    Args:
        sha256: the expected hash; empty where none is known.

    Raises:
        ModelError: the file is another one, or was cut short.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check its rights") from exc
    if sha256 and found != sha256:
        raise ModelError(
            f"{path}: damaged or another file (sha256 {found[:12]}…, expected {sha256[:12]}…); fetch it again"
        )
    return found[:12]


def _expanded(folder: str) -> Path:
    """With `~` replaced by the home folder, where there is one: a container's user may have none."""
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        return Path(folder)

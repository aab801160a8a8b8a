"""Find the weights of a model, and make sure that they are what they should be."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from stat import S_ISREG

from cvid.errors import ModelError
from cvid.homes import cache_folder, expanded
from cvid.models.table import MODELS, Model, Weights


def find(name: str, model_dir: str = "") -> Path:
    """The file of a model that is not inside a package.

    Raises:
        ModelError: it is in none of the folders, with the file's name and where it comes from.
    """
    model = MODELS[name]
    assert model.weights is not None
    path = located(model, model_dir)
    if path:
        return path
    known = f"; sha256 {model.weights.sha256[:12]}…" if model.weights.sha256 else ""
    fetch = f"run `cvid models download {name}`, or " if fetched_as(model).url else ""
    raise ModelError(
        f"the weights of '{name}' are not here: {fetch}put {model.weights.file} ({model.source}{known}; licence: "
        f"{model.licence}) into {search_path(model_dir)[0]}; --models embedded needs no download"
    )


def located(model: Model, model_dir: str = "") -> Path | None:
    """Where the file of a model lies, or that of its other export; None if nowhere."""
    places = (where(weights, model_dir) for weights in (model.weights, model.instead) if weights)
    return next((place for place in places if place), None)


def fetched_as(model: Model) -> Weights:
    """The file of a model that can be fetched: its own, or where that has no address its other export's."""
    assert model.weights is not None
    return model.weights if model.weights.url or not model.instead else model.instead


def sha256_of(model: Model, path: Path) -> str:
    """The hash that a model's file must have, by its name; empty where none is known."""
    variants = [weights for weights in (model.weights, model.instead) if weights]
    return next((w.sha256 for w in variants if w.file == path.name), variants[0].sha256)


def where(weights: Weights, model_dir: str = "") -> Path | None:
    """Where a file lies: in a folder that is searched, or in the cache of another library; None if nowhere."""
    places = [folder / weights.file for folder in search_path(model_dir)]
    if weights.cached_as:
        places.append(expanded("~") / weights.cached_as)
    return next((place for place in places if _is_file(place, weights)), None)


def is_present(name: str, model_dir: str = "") -> bool:
    """Are the weights of a model here? Those inside a package of the requirements always are."""
    return MODELS[name].weights is None or located(MODELS[name], model_dir) is not None


def search_path(model_dir: str = "") -> list[Path]:
    """The folders that are searched for weights, first one first; downloads go into the last."""
    named = [model_dir, os.environ.get("CVID_MODEL_DIR", "")]
    return [expanded(folder) for folder in named if folder] + [cache_folder()]


@cache
def verified(path: Path, sha256: str) -> str:
    """The first 12 hex digits of a weights file's hash, after comparing it with the expected one.

    Args:
        sha256: the expected hash; empty where none is known: then that of the download, if there was one.

    Raises:
        ModelError: the file is another one, or was cut short.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check its rights") from exc
    expected = sha256 or _recorded(path)
    if expected and found != expected:
        record = "" if sha256 else f" and {record_of(path).name}"
        raise ModelError(
            f"{path}: damaged or another file (sha256 {found[:12]}…, expected {expected[:12]}…); remove it{record} and "
            "fetch it again"
        )
    return found[:12]


def record_of(path: Path) -> Path:
    """Where a download keeps the hash of a file whose hash nobody knew before."""
    return path.with_name(path.name + ".sha256")


def _recorded(path: Path) -> str:
    """The hash that the download of a file kept; empty if none did."""
    record = record_of(path)
    try:
        said = record.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise ModelError(f"{record}: cannot be read ({exc.strerror}); check its rights") from exc
    except ValueError:
        said = []
    if not said or not re.fullmatch("[0-9a-f]{64}", said[0]):
        raise ModelError(f"{record}: not the record of a hash; remove it and {path.name}, and fetch that again")
    return said[0]


def _is_file(place: Path, weights: Weights) -> bool:
    """Is there a file? A folder of ours that may not be looked into is an error, another library's is passed over."""
    try:
        return S_ISREG(place.stat().st_mode)
    except PermissionError as exc:
        if weights.cached_as and place.match(weights.cached_as):
            return False
        raise ModelError(f"{place.parent}: cannot be looked into ({exc.strerror}); check its rights") from exc
    except (OSError, ValueError):
        return False

"""What a node needs beside the code: the driver's weights and calibration, carried to it once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archive.engines import OpenParts
from cvid.calibration import own_file
from cvid.errors import ModelError
from cvid.homes import expanded
from cvid.models.sets import Choice
from cvid.models.store import find, sha256_of, verified
from cvid.models.table import MODELS

_WEIGHTS, _CONFIG = "weights", "config"


@dataclass(frozen=True)
class Item:
    """One file: where it goes below the node's folder, its sha256, and how to get its bytes."""

    place: str
    sha256: str
    content: Any  # bytes, or a handle to them in the cluster's object store


def packed(open_parts: OpenParts) -> list[Item]:
    """The files that what opens the parts here needs; none where it is no `Choice` and finds its own.

    Raises:
        ModelError: a file is missing or damaged.
    """
    choice = _choice_of(open_parts)
    if choice is None:
        return []
    items = []
    for name in choice.detectors + choice.embedders:
        if MODELS[name].weights is not None:
            path = find(name, choice.model_dir)
            verified(path, sha256_of(MODELS[name], path))
            items.append(_item(f"{_WEIGHTS}/{path.name}", path))
    if own_file().is_file():
        items.append(_item(f"{_CONFIG}/cvid/{own_file().name}", own_file()))
    return items


def stored(items: Sequence[Item], put: Callable[[bytes], Any]) -> list[Item]:
    """The same with every content put into the object store, so that a node fetches it once."""
    return [replace(item, content=put(item.content)) for item in items]


def unpack(items: Sequence[Item], get: Callable[[Any], bytes]) -> str:
    """Write the files that this node lacks; the folder they lie in, empty where there are none.

    Raises:
        ModelError: they cannot be written.
    """
    if not items:
        return ""
    listing = "\n".join(f"{item.sha256} {item.place}" for item in items)
    folder = _home() / hashlib.sha256(listing.encode()).hexdigest()[:16]
    try:
        for item in items:
            path = folder / item.place
            if not _holds(path, item.sha256):
                _write(path, get(item.content))
            if not _holds(path, item.sha256):
                raise ModelError(f"{path}: damaged as soon as it was written; check the disk of this node")
    except OSError as exc:
        raise ModelError(
            f"{folder}: the model files cannot be written ({exc.strerror}); make room or check its rights"
        ) from exc
    return str(folder)


def opening(open_parts: OpenParts, folder: str) -> OpenParts:
    """What opens the parts on a node whose files lie in `folder`."""
    choice = _choice_of(open_parts)
    if choice is None or not folder:
        return open_parts
    return replace(choice, model_dir=str(Path(folder, _WEIGHTS))).open


def config_home(folder: str) -> str:
    """Where a node's processes look for a calibration: the driver's or none, never one of the node's own."""
    return str(Path(folder, _CONFIG))


def _choice_of(open_parts: OpenParts) -> Choice | None:
    owner = getattr(open_parts, "__self__", None)
    return owner if isinstance(owner, Choice) else None


def _item(place: str, path: Path) -> Item:
    content = path.read_bytes()
    return Item(place, hashlib.sha256(content).hexdigest(), content)


def _home() -> Path:
    """A folder of this node's user, or below the temporary folder where there is no home to write to."""
    for folder in (
        expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "cvid" / "cluster",
        Path(tempfile.gettempdir()) / f"cvid-cluster-{_user()}",
    ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if folder.stat().st_uid == _user() and os.access(folder, os.W_OK):
            return folder
    raise ModelError("there is no folder on this node that the model files can be written to; set XDG_CACHE_HOME there")


def _holds(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    """Beside it first, then renamed: another process of this node never reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0

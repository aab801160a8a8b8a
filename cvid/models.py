"""The model store: which weights exist, where their files are, and which of them make a set."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cvid.analyse import Parts
from cvid.detectors import DETECTORS, Detector
from cvid.embedders import EMBEDDERS, Embedder
from cvid.errors import ModelError, UnknownBackend
from cvid.registry import Registry


@dataclass(frozen=True)
class ModelFile:
    """Weights that a user fetches: one file, known by its hash."""

    file: str
    sha256: str
    licence: str
    source: str


@dataclass(frozen=True)
class ModelSet:
    """A detector and an embedder that were measured together."""

    detector: str
    embedder: str


FILES = {
    "scrfd_500m": ModelFile(
        "scrfd_500m_kps.onnx",
        "517cb1980c72422e676738fc45431700fb7cbee56d0f825b623ee427b3e5ce58",
        "non-commercial research (InsightFace models)",
        "insightface, detection/scrfd: SCRFD_500M_KPS",
    ),
    "scrfd_2.5g": ModelFile(
        "scrfd_2.5g_kps.onnx",
        "32d20c77b9e2dc1d07e94c2ab9d25bdd5cd05eddbe0b46e7b38e7a1eca22e99a",
        "non-commercial research (InsightFace models)",
        "insightface, detection/scrfd: SCRFD_2.5G_KPS",
    ),
    "mobilefacenet": ModelFile(
        "MobileFaceNet.onnx",
        "b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
        "Apache-2.0",
        "foamliu/MobileFaceNet, weights/MobileFaceNet.onnx",
    ),
}

SETS = {
    "light": ModelSet("scrfd_500m", "mobilefacenet"),
    "embedded": ModelSet("mtcnn", "dlib_resnet"),
}
AUTO_ORDER = ("light", "embedded")
"""The sets that `auto` tries, best first."""


@dataclass(frozen=True)
class Choice:
    """What will run, and why: printed at the start of a run and stored with it."""

    detector: str
    embedder: str
    set_name: str  # "" where parts were named singly
    reason: str
    model_dir: str

    def open_detector(self) -> Detector:
        """Load the detector's weights."""
        detector: Detector = _open(DETECTORS, self.detector, self.model_dir)
        return detector

    def open_embedder(self) -> Embedder:
        """Load the embedder's weights."""
        embedder: Embedder = _open(EMBEDDERS, self.embedder, self.model_dir)
        return embedder

    def open(self) -> Parts:
        """Load both."""
        return Parts(self.open_detector(), self.open_embedder())


def choose(models: str = "auto", detector: str = "", embedder: str = "", model_dir: str = "") -> Choice:
    """Settle which detector and embedder run.

    Args:
        models: a set's name, or "auto" for the best whose files are present.
        detector: a detector by name instead of the set's; likewise `embedder`.
        model_dir: folder with downloaded weights; else `CVID_MODEL_DIR`, else the user's cache.

    Raises:
        UnknownBackend: no such set, detector or embedder; the message lists the choices.
        ModelError: a named set lacks a file; the message names it.
    """
    if models != "auto" and models not in SETS:
        raise UnknownBackend("model set", models, ["auto", *SETS])
    for registry, name in ((DETECTORS, detector), (EMBEDDERS, embedder)):
        if name and name not in registry.names():
            raise UnknownBackend(registry.kind, name, registry.names())
    name, reason = (models, "asked for") if models != "auto" else _best_present(model_dir)
    parts = SETS[name]
    choice = Choice(detector or parts.detector, embedder or parts.embedder, name, reason, model_dir)
    if detector or embedder:
        choice = Choice(choice.detector, choice.embedder, "", "parts named singly", model_dir)
    for part in (choice.detector, choice.embedder):
        if part in FILES:
            find(part, model_dir)
    return choice


def find(name: str, model_dir: str = "") -> Path:
    """The file of a downloaded model.

    Raises:
        ModelError: it is in none of the folders, with the file's name and where it comes from.
    """
    entry = FILES[name]
    folders = search_path(model_dir)
    for folder in folders:
        if (folder / entry.file).is_file():
            return folder / entry.file
    raise ModelError(
        f"the weights of '{name}' are not here: put {entry.file} ({entry.source}; sha256 {entry.sha256[:12]}…; "
        f"licence: {entry.licence}) into {folders[0]}, or use --models embedded, which needs no download"
    )


def search_path(model_dir: str = "") -> list[Path]:
    """The folders that are searched for weights, first one first."""
    named = [model_dir, os.environ.get("CVID_MODEL_DIR", "")]
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return [_expanded(folder) for folder in named if folder] + [_expanded(cache_home) / "cvid" / "models"]


def _expanded(folder: str) -> Path:
    """With `~` replaced by the home folder, where there is one: a container's user may have none."""
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        return Path(folder)


@cache
def verified(path: Path, sha256: str) -> str:
    """The first 12 hex digits of a weights file's hash, after comparing it with the expected one.

    Raises:
        ModelError: the file is another one, or was cut short.
    """
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check its rights") from exc
    if found != sha256:
        raise ModelError(
            f"{path}: damaged or another file (sha256 {found[:12]}…, expected {sha256[:12]}…); fetch it again"
        )
    return found[:12]


def missing(set_name: str, model_dir: str = "") -> list[str]:
    """The files that a set would need and that are not here."""
    parts = SETS[set_name]
    absent = []
    for part in (parts.detector, parts.embedder):
        entry = FILES.get(part)
        if entry and not any((folder / entry.file).is_file() for folder in search_path(model_dir)):
            absent.append(entry.file)
    return absent


def _best_present(model_dir: str) -> tuple[str, str]:
    lacking: list[str] = []
    for name in AUTO_ORDER:
        absent = missing(name, model_dir)
        if not absent:
            return name, "the best set whose files are present" + (f"; {'; '.join(lacking)}" if lacking else "")
        lacking.append(f"'{name}' would be better and needs {', '.join(absent)} in {search_path(model_dir)[0]}")
    raise AssertionError("the embedded set needs no file")


def _open(registry: Registry, name: str, model_dir: str) -> Any:
    if name in FILES:
        path = find(name, model_dir)
        return registry.create(name, name=name, path=path, weights=verified(path, FILES[name].sha256))
    return registry.create(name)

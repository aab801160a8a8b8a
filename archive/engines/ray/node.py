"""What runs on a node of a cluster: a look at what is installed there, and the worker that does the tasks."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import archive
import cvid
from archive.engines import Job, Opened, OpenParts
from archive.engines.ray.luggage import Item, config_home, opening, unpack
from archive.engines.tasks import Advanced, Outcome, Seen, Task, do, opened
from archive.engines.worker import Crashed, Refused
from archive.found import Stamp
from cvid.analyse import Parts, Progress
from cvid.errors import CvidError
from cvid.sessions import DEVICES, providers_for
from cvid.settings import Settings

_PACKAGES = {"av": ("av",), "numpy": ("numpy",), "onnxruntime": ("onnxruntime", "onnxruntime-gpu")}


@dataclass(frozen=True)
class Prepared:
    """A node's versions, and where it keeps the files of the luggage; it unpacks none if it has other versions."""

    versions: dict[str, str]
    folder: str = ""
    gpu: bool = False  # the networks would run on one, if the node has one
    error: CvidError | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a task, and what is wrong with the file on this node, if it is not the one that was hashed."""

    outcome: Outcome | Crashed
    blind: str = ""


def versions() -> dict[str, str]:
    """What decides a result on this machine: releases of packages, and a digest of cvid's own code."""
    found = {"cvid": cvid.__version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name, distributions in _PACKAGES.items():
        found[name] = next((known for known in map(_version, distributions) if known), "missing")
    return found | {"cvid's code": _code()}


def prepare(expected: dict[str, str], items: Sequence[Item], device: str, get: Callable[[Any], bytes]) -> Prepared:
    """Compare the versions of this node with the driver's, look for the device and unpack the luggage."""
    own = versions()
    if own != expected:
        return Prepared(own)
    try:
        return Prepared(own, unpack(items, get), providers_for(device)[0] != DEVICES["cpu"])
    except CvidError as exc:
        return Prepared(own, error=exc)


class Worker:
    """The actor: opens the networks once, then does one task after the other."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    def open(self, open_parts: OpenParts, settings: Settings, folder: str) -> Opened | Refused | Crashed:
        """Load the networks."""
        self._settings = settings
        if folder:
            os.environ["XDG_CONFIG_HOME"] = config_home(folder)
        try:
            self._parts: Parts = opening(open_parts, folder)()
        except CvidError as exc:
            return Refused(exc)
        except BaseException as exc:  # noqa: BLE001 - the edge of the process, as in worker.py
            return _crashed(exc)
        return opened(self._parts)

    def do(self, task: Task) -> bytes:
        """Do a task; the pickled `Answer`.

        Pickled here, it leaves the object store as soon as it was fetched; arrays would be views that pin it there.
        """
        self._progress = None
        try:
            outcome: Outcome | Crashed = do(task, self._parts, self._settings, self._tell)
        except BaseException as exc:  # noqa: BLE001
            outcome = _crashed(exc)
        return pickle.dumps(Answer(outcome, "" if isinstance(outcome, Seen) else oddity(task.job)))

    def progress(self) -> Progress | None:
        """How far the task is; asked for while `do` runs."""
        return self._progress

    def _tell(self, advanced: Advanced) -> None:
        self._progress = advanced.progress


def oddity(job: Job) -> str:
    """What is wrong with a file as this machine sees it, to be said after the machine's name; empty if nothing is."""
    try:
        return "" if Stamp.of(job.path.stat()) == job.stamp else "sees another file there"
    except FileNotFoundError:
        return "does not see it"
    except (OSError, CvidError) as exc:
        return f"cannot read it ({getattr(exc, 'strerror', None) or exc})"


def _crashed(exc: BaseException) -> Crashed:
    return Crashed(f"{type(exc).__name__}: {exc}", traceback.format_exc())


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _code() -> str:
    """A digest of all that is executed on a node."""
    digest = hashlib.sha256()
    for package in (cvid, archive):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]

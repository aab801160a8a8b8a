"""Fetches weights: only when asked, only under an accepted licence, and nothing half-written under its final name."""

from __future__ import annotations

import hashlib
import lzma
import os
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile

from cvid.errors import ModelError, UnknownBackend
from cvid.models.licences import accepted
from cvid.models.sets import SETS
from cvid.models.store import fetched_as, located, record_of, search_path, sha256_of, verified
from cvid.models.table import FAMILIES, MODELS, Model, Weights
from cvid.models.transfer import Hook, Patience, Transfer, looks_like_a_page
from cvid.sessions import open_session

_CHUNK = 1 << 20
_WAIT_S = 0.2


@dataclass(frozen=True)
class Fetch:
    """One file on the network, and the models that come out of it."""

    url: str
    models: tuple[Model, ...]

    @property
    def file(self) -> str:
        """Its name."""
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def size(self) -> int:
        """Bytes of the wanted models; 0 where upstream does not say. A zip holds more."""
        sizes = [fetched_as(model).size for model in self.models]
        return sum(sizes) if all(sizes) else 0


@dataclass(frozen=True)
class Plan:
    """What a download would do."""

    present: Mapping[str, Path]  # model → its file, which was verified
    packaged: tuple[Model, ...]
    fetches: tuple[Fetch, ...]
    by_hand: tuple[Model, ...]  # upstream has no lasting address for them

    @property
    def to_accept(self) -> tuple[str, ...]:
        """The licences for non-commercial use that must be accepted first."""
        wanted = (model for fetch in self.fetches for model in fetch.models)
        licences = dict.fromkeys(model.licence for model in wanted if not model.commercial)
        return tuple(licence for licence in licences if not accepted(licence))


def models_named(names: Sequence[str]) -> tuple[str, ...]:
    """The models that sets, families and models stand for; of a family the first that `--detectors` would take.

    Raises:
        UnknownBackend: there is no such name; the message lists the choices.
    """
    found: dict[str, None] = {}
    for name in (name.strip().lower() for name in names):
        if name in SETS:
            found |= dict.fromkeys(SETS[name].detectors + SETS[name].embedders)
        elif name in FAMILIES:
            found[FAMILIES[name][0]] = None
        elif name in MODELS:
            found[name] = None
        else:
            raise UnknownBackend("model, family or set", name, [*SETS, *FAMILIES, *MODELS])
    return tuple(found)


def plan(names: Sequence[str], model_dir: str = "", models: Mapping[str, Model] = MODELS) -> Plan:
    """What has to be done to have these models.

    Args:
        names: keys of `models`, see `models_named`.
        model_dir: searched first, see `cvid.models.store`.
        models: the table.

    Raises:
        ModelError: a file that is here is damaged or another one.
    """
    present: dict[str, Path] = {}
    packaged: list[Model] = []
    by_hand: list[Model] = []
    wanted: dict[str, list[Model]] = {}
    for model in (models[name] for name in dict.fromkeys(names)):
        path = located(model, model_dir)
        if model.weights is None:
            packaged.append(model)
        elif path:
            verified(path, sha256_of(model, path))
            present[model.name] = path
        elif fetched_as(model).url:
            wanted.setdefault(fetched_as(model).url, []).append(model)
        else:
            by_hand.append(model)
    fetches = tuple(Fetch(url, tuple(members)) for url, members in wanted.items())
    return Plan(present, tuple(packaged), fetches, tuple(by_hand))


def download(plan: Plan, folder: Path, hook: Hook, patience: Patience | None = None) -> dict[str, Path]:
    """Fetch what a plan wants into a folder; model → file. What another download brought meanwhile is taken.

    Raises:
        ModelError: a licence is not accepted, or a file cannot be had, verified or written. Those fetched before stay.
    """
    if plan.to_accept:
        raise ModelError(f"not downloaded: {' and '.join(plan.to_accept)} has to be accepted first (--accept-licence)")
    made: dict[str, Path] = {}
    if not plan.fetches:
        return made
    with _alone_in(folder, hook):
        for fetch in plan.fetches:
            lacking = tuple(m for m in fetch.models if not (folder / fetched_as(m).file).is_file())
            if lacking:
                _bring(Fetch(fetch.url, lacking), folder, hook, patience or Patience())
            for model in fetch.models:
                path = folder / fetched_as(model).file
                verified(path, fetched_as(model).sha256)
                made[model.name] = path
    return made


def download_folder(model_dir: str = "") -> Path:
    """Where downloads go: the folder that was named, else cvid's own cache."""
    return search_path(model_dir)[0] if model_dir else search_path()[-1]


def by_hand(model: Model, folder: Path) -> str:
    """The sentence for a model that cannot be downloaded."""
    weights = fetched_as(model)
    known = f"; sha256 {weights.sha256}" if weights.sha256 else ""
    return (
        f"'{model.name}' has no address to download from: get {weights.file} ({model.source}{known}; licence: "
        f"{model.licence}) and put it into {folder}"
    )


def _bring(fetch: Fetch, folder: Path, hook: Hook, patience: Patience) -> None:
    """Fetch, verify, unpack and put into place."""
    files = [fetched_as(model) for model in fetch.models]
    zipped = any(weights.member for weights in files)
    transfer = Transfer(
        fetch.url,
        folder,
        _remedy(fetch, folder),
        size=0 if zipped else fetch.size,
        room=fetch.size if zipped else 0,
        patience=patience,
    )
    while True:
        part, continued = transfer.run(hook)
        try:
            if zipped:
                _unpack(part, files, folder, hook)
                part.unlink()
            else:
                _place(part, files[0], folder)
            return
        except _Wrong as exc:
            part.unlink()
            if not continued:  # else two versions may have been patched together: once more from the start
                raise ModelError(f"{fetch.file} was fetched and thrown away: {exc}; {transfer.remedy}") from exc
        except OSError as exc:
            raise ModelError(
                f"{folder} cannot be written to ({exc.strerror or exc}); make room or check its rights, or name "
                "another folder with --model-dir"
            ) from exc


class _Wrong(Exception):
    """What was fetched is not what it should be."""


def _unpack(archive: Path, files: Sequence[Weights], folder: Path, hook: Hook) -> None:
    """Take the wanted files out of a zip."""
    try:
        with ZipFile(archive) as zipped:
            for weights in files:
                part = folder / f"{weights.file}.part"
                try:
                    _extract(zipped, weights, part, hook)
                    _place(part, weights, folder)
                finally:
                    part.unlink(missing_ok=True)
    except (BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError) as exc:
        raise _Wrong(f"it is no zip file that can be read ({exc})") from exc


def _extract(zipped: ZipFile, weights: Weights, part: Path, hook: Hook) -> None:
    named = weights.member.rpartition("/")[2]
    infos = [info for info in zipped.infolist() if info.filename.rpartition("/")[2] == named]
    if not infos:
        raise _Wrong(f"it holds no {named}")
    info = next((info for info in infos if info.filename == weights.member), infos[0])
    if weights.size and info.file_size != weights.size:
        raise _Wrong(f"its {weights.member} has {info.file_size:,} bytes where {weights.size:,} are expected")
    done = 0
    with zipped.open(info) as packed, part.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            hook(f"unpacking {weights.file}", done, info.file_size)


def _place(part: Path, weights: Weights, folder: Path) -> None:
    """Give a complete file its name, if it is the right one; keep its hash beside it if none was known."""
    digest = _checked(part, weights)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    path = folder / weights.file
    part.replace(path)
    if not weights.sha256:
        record = record_of(path)
        beside = record.with_name(record.name + ".part")
        beside.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
        beside.replace(record)


def _checked(part: Path, weights: Weights) -> str:
    """The hash of a file, which is the expected one or that of a graph which runs."""
    with part.open("rb") as file:
        start = file.read(512)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not start:
        raise _Wrong("it is empty")
    if looks_like_a_page(start):
        raise _Wrong("it is a web page, as from a proxy or a login page")
    if weights.sha256:
        if digest != weights.sha256:
            raise _Wrong(f"{weights.file} has the sha256 {digest[:12]}… where {weights.sha256[:12]}… is expected")
        return digest
    try:
        open_session(part, device="cpu")
    except ModelError as exc:
        raise _Wrong(f"it is no model that ONNX Runtime can load ({exc.__cause__ or exc})") from exc
    return digest


def _remedy(fetch: Fetch, folder: Path) -> str:
    files = [fetched_as(model) for model in fetch.models]
    named = " and ".join(f"{w.file}{f' (sha256 {w.sha256})' if w.sha256 else ''}" for w in files)
    inside = " out of it" if any(weights.member for weights in files) else ""
    return f"try again, or fetch {fetch.url} by hand and put {named}{inside} into {folder}"


@contextmanager
def _alone_in(folder: Path, hook: Hook) -> Iterator[None]:
    """Make the folder, and wait until no other download is at work in it; the lock dies with its process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder cannot be opened on Windows.
        file = os.open(*((folder / "download.lock", os.O_RDWR | os.O_CREAT) if _WINDOWS else (folder, os.O_RDONLY)))
    except OSError as exc:
        raise ModelError(
            f"{folder} cannot be used for downloads ({exc.strerror}); check its rights, or name another folder with "
            "--model-dir"
        ) from exc
    try:
        while not _try_lock(file, folder):
            hook("waiting for another download", 0, 0)
            time.sleep(_WAIT_S)
        yield
    finally:
        os.close(file)


_WINDOWS = sys.platform == "win32"

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int, folder: Path) -> bool:
        with suppress(OSError):
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _try_lock(file: int, folder: Path) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as exc:
            raise ModelError(
                f"{folder} lies where files cannot be locked ({exc.strerror}); name another folder with --model-dir"
            ) from exc
        return True

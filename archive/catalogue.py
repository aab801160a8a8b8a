"""The catalogue of one archive: opened for reading by anybody, for writing by one process at a time."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

import cvid
from archive import queries, sources
from archive.database import atomic, connect, told
from archive.forgetting.scrubbing import finish_scrub
from archive.found import Found, Known, Scope, Unreadable
from archive.generated import identity_of
from archive.lock import ArchiveLock
from archive.migrate import LAYOUT, layout, migrate, refuse_newer
from archive.records import Appearance, Changing, Failure, Person, Status
from archive.saving import save_video
from archive.schema import files, identities, meta, runs
from cvid.errors import CatalogueError, UnknownName
from cvid.speeds import at_least
from cvid.types import VideoAnalysis

FILE = "catalogue.sqlite"


class Catalogue:
    """Footage, tracks and identities of one archive. A context manager: leaving it closes the file and the lock."""

    def __init__(self, folder: Path, connection: Connection, lock: ArchiveLock | None = None) -> None:
        self.folder = folder
        self.connection = connection
        self._lock = lock

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open for reading; a writer may be at work.

        Raises:
            CatalogueError: there is no archive, it is damaged, or made by a newer cvid.
        """
        path = folder / FILE
        if not path.is_file():
            raise CatalogueError(f"there is no archive at {folder}; `index` makes one, --archive names another")
        connection = connect(path, create=False)
        try:
            refuse_newer(path, connection)
            if layout(connection) == LAYOUT:
                return cls(folder, connection)
        except BaseException:
            connection.close()
            raise
        connection.close()
        with cls.create_or_open(folder):  # an older layout: brought up to date under the lock, then read
            pass
        return cls(folder, connect(path, create=False))

    @classmethod
    def create_or_open(cls, folder: Path) -> Self:
        """Open for writing; a new archive's folder is made for its owner alone.

        Raises:
            CatalogueError: another process writes to it, it cannot be written to, is damaged, or made by a newer cvid.
        """
        path = folder / FILE
        with told(folder):
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True)
            lock = ArchiveLock(folder)
        try:
            with told(folder):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = connect(path, create=True)
            try:
                _refuse_lost(folder, connection)
                migrate(path, connection)
                finish_scrub(path, connection)
                connection.execute(update(runs).where(runs.c.outcome == "").values(outcome="stopped"))
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise
        return cls(folder, connection, lock)

    def close(self) -> None:
        """Close the file; let others write."""
        self.connection.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def atomic(self) -> AbstractContextManager[None]:
        """All of the block or nothing of it, whatever ends it."""
        return atomic(self.connection)

    # reading

    def people(self) -> list[Person]:
        """All identities, by id."""
        return queries.people(self.connection)

    def person(self, identity: str) -> Person:
        """One identity.

        Raises:
            UnknownName: there is none of that id; the message names the closest.
        """
        for person in queries.people(self.connection, [identity.upper()]):
            return person
        ids = [person.id for person in self.people()]
        close = difflib.get_close_matches(identity.upper(), ids, n=3, cutoff=0.5)
        hint = f"closest: {', '.join(close)}" if close else f"it holds {len(ids)} identities"
        raise UnknownName(f"the archive {self.folder} has no identity '{identity}'; {hint}")

    def names(self) -> dict[str, str]:
        """Identity → its name, of those that have one."""
        query = select(identities.c.id, identities.c.name).where(identities.c.name != "")
        return {row.id: row.name for row in self.connection.execute(query)}

    def appearances(self, identity: str | None = None) -> Iterator[Appearance]:
        """All appearances by video and time, one identity's, or with "" those that are nobody's."""
        return queries.appearances(self.connection, identity)

    def status(self) -> Status:
        """What the archive holds."""
        videos, tracks, identities, unassigned = queries.counts(self.connection)
        return Status(
            sources=videos,
            missing=len(self.missing()),
            failed=sources.count_failed(self.connection),
            damaged=len(self.damages()),
            tracks=tracks,
            identities=identities,
            unassigned=unassigned,
            models=self.models(),
            runs=queries.all_runs(self.connection),
            bytes=_bytes_below(self.folder),
            crop_bytes=queries.crop_bytes(self.connection),
            changing=self._changing(),
        )

    def _changing(self) -> Changing | None:
        to = self.fact("changing")
        return Changing(to, *queries.revectored(self.connection, to["embedder"])) if to else None

    def track_count(self) -> int:
        """How many tracks there are."""
        return queries.counts(self.connection)[1]

    def damages(self) -> dict[str, str]:
        """The sha256 of every indexed video that could not be read to its end → why."""
        return sources.damages(self.connection)

    def failures(self) -> list[Failure]:
        """What could not be read, or not to its end, when it was last tried."""
        return sources.failures(self.connection)

    def missing(self) -> list[str]:
        """The paths of indexed videos that no longer lie where they were."""
        return sources.missing(self.connection)

    def models(self) -> dict[str, str]:
        """The archive's model set: "detector" and "embedder" as name:hash, "set"; empty before the first video."""
        return dict(self.fact("models") or {})

    # footage

    def roots(self) -> list[str]:
        """The folders that paths are relative to."""
        return list(sources.known_roots(self.connection))

    def known_files(self, speed: str = "skim") -> dict[str, Known]:
        """Absolute path → what is known of it; indexed is what was looked at as closely as at that speed."""
        return sources.known_files(self.connection, self.indexed(speed))

    def indexed(self, speed: str = "skim") -> set[str]:
        """The sha256 of every video that is wholly in the catalogue, looked at as closely as at that speed."""
        return sources.indexed(self.connection, at_least(speed))

    def record(self, items: Sequence[Found | Unreadable]) -> None:
        """Take in a part of a scan."""
        with self.atomic():
            sources.record(self.connection, items)

    def close_scan(self, scope: Scope, seen: Collection[str]) -> None:
        """Settle what a whole scan did not meet."""
        with self.atomic(), self._losing_appearances():
            sources.close_scan(self.connection, scope, seen)

    def save(self, run_id: int, analysis: VideoAnalysis, speed: str = "balanced") -> None:
        """Store a video with all that was seen in it at a speed of `cvid.speeds`."""
        replaces = queries.may_replace(self.connection, analysis.info.sha256)
        with self.atomic(), self._losing_appearances() if replaces else nullcontext():
            save_video(self.connection, run_id, analysis, speed)
            self.set_fact("settled", False)

    @contextmanager
    def _losing_appearances(self) -> Iterator[None]:
        """Note which identities lose appearances in the block: they are to be sorted again."""
        before = queries.sizes(self.connection)
        yield
        after = queries.sizes(self.connection)
        lost = {identity for identity, size in before.items() if after.get(identity, 0) < size}
        if lost:
            self.set_fact("affected", sorted(lost.union(self.fact("affected") or ())))
            self.set_fact("settled", False)

    def fail(self, sha256: str, reason: str) -> list[str]:
        """Record why a content could not be indexed; the paths it lies at."""
        with self.atomic():
            sources.fail(self.connection, sha256, reason)
        query = select(files.c.path).where(files.c.sha256 == sha256).order_by(files.c.root_id, files.c.path)
        return list(self.connection.execute(query).scalars())

    # models and runs

    def settle_models(self, models: Mapping[str, str]) -> None:
        """Record the model set at the first video; refuse another one ever after (invariant 10).

        Raises:
            CatalogueError: the archive was made with other models; both are named.
        """
        own = self.models()
        if not own:
            self.set_fact("models", dict(models))
            return
        for part in ("detector", "embedder"):
            if own[part] != models[part]:
                raise CatalogueError(other_models(self.folder, own, models))

    def start_run(self, settings: Mapping[str, Any]) -> int:
        """Open the record of a run; its id."""
        row = {
            "started_utc": _now(),
            "version": cvid.__version__,
            "settings": dict(settings),
            "models": {},
            "providers": [],
            "outcome": "",
        }
        return int(self.connection.execute(insert(runs).values(row).returning(runs.c.id)).scalar_one())

    def finish_run(self, run_id: int, outcome: str, models: Mapping[str, str], providers: Sequence[str]) -> None:
        """Close the record of a run, with what it ran on."""
        done = {"finished_utc": _now(), "outcome": outcome, "models": dict(models), "providers": list(providers)}
        self.connection.execute(update(runs).where(runs.c.id == run_id).values(done))

    def fact(self, key: str) -> Any:
        """A fact of the archive as a whole; None where it was never set."""
        return self.connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    def set_fact(self, key: str, value: Any) -> None:
        """Set a fact of the archive as a whole."""
        statement = upsert(meta).values(key=key, value=value)
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"value": statement.excluded.value})
        )


def _refuse_lost(folder: Path, connection: Connection) -> None:
    """Stop before an empty catalogue takes the place of a lost one.

    Raises:
        CatalogueError: it is empty, and folders of people lie beside it.
    """
    with told(folder):
        home = folder / "identities"
        if not layout(connection) and home.is_dir() and any(identity_of(entry) for entry in home.iterdir()):
            raise CatalogueError(
                f"the catalogue {folder / FILE} is missing or empty, but the people it held lie in {home}: "
                "put a backup of it in its place, or move that folder away to begin anew"
            )


def other_models(folder: Path, own: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """The sentence for an archive that was made with other models."""
    use = (
        f"--models {own['set']}"
        if own.get("set")
        else f"--detectors {names_of(own['detector'])} --embedders {names_of(own['embedder'])}"
    )
    return (
        f"the archive {folder} was made with {own['detector']} and {own['embedder']}, not with {wanted['detector']} "
        f"and {wanted['embedder']}: vectors of different models cannot be compared; use {use}, or another "
        "--archive, or change the archive's models with `cvid models use`"
    )


def names_of(model: str) -> str:
    """The names in a recorded model, "a+b:hash", as `--detectors` and `--embedders` take them."""
    return model.partition(":")[0].replace("+", ",")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _bytes_below(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(at, name).lstat().st_size
            except OSError:
                continue  # a writer may be replacing it
    return total

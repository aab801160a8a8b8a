"""index_footage: from a folder of footage to people. What is new is analysed, then all tracks are sorted anew."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive.catalogue import Catalogue, names_of, other_models
from archive.engines import ENGINES, Advances, Began, Broke, Done, Engine, Job, Message, Opened, OpenParts
from archive.events import Advanced, Clustering, Event, Failed, Finished, Note, Scanned, Started
from archive.folders import write_folders
from archive.found import Found, PassedOver, Unreadable
from archive.records import Failure, Person
from archive.runlog import RunLog
from archive.saving import damage_reason
from archive.scan import scan, scope_of
from archive.sorting.ready import get_ready
from cvid.calibration import lacking
from cvid.errors import CatalogueError, VideoError
from cvid.frames import SKIPPED
from cvid.models.sets import Choice, choose_for
from cvid.places import Address, Place
from cvid.settings import Settings

Hook = Callable[[Event], None]
_RECORD_EVERY_S = 2.0


@dataclass
class IndexSummary:
    """What one run did. `frames`, `faces` and `tracks` are of the videos indexed by it, `identities` of the archive.

    `videos["skipped"]` counts what was known already and the `duplicates`, which are the same file twice among what is
    new; `damaged` files are among those indexed or skipped, and among the failures.
    """

    archive: Path
    videos: dict[str, int]
    duplicates: int
    damaged: int
    video_seconds: float
    seconds: float
    frames: dict[str, int]
    faces: int
    tracks: int
    identities: int
    models: dict[str, str]
    providers: list[str]
    failures: list[Failure]
    people: list[Person]

    def as_json(self) -> dict[str, Any]:
        """The object of `index --json`."""
        return {
            "schema_version": 1,
            "videos": self.videos,
            "duplicates": self.duplicates,
            "damaged": self.damaged,
            "video_seconds": round(self.video_seconds, 3),
            "seconds": round(self.seconds, 3),
            "frames": self.frames,
            "faces": self.faces,
            "tracks": self.tracks,
            "identities": self.identities,
            "models": self.models,
            "providers": self.providers,
            "failures": [failure.as_json() for failure in self.failures],
        }


def index_footage(
    archive: Path,
    footage: Sequence[Place],
    settings: Settings,
    hook: Hook,
    *,
    choice: Choice | None = None,
    open_parts: OpenParts | None = None,
    engine: str = "",
) -> IndexSummary:
    """Index what is new in the footage, sort all tracks of the archive into people, and write their folders.

    Args:
        archive: the archive's folder; made if it is missing.
        footage: folders and files, of this machine or at addresses; never written to.
        hook: told of every step, in this thread.
        choice: the models to use; without one those that the settings name, or those the archive was made with.
        open_parts: gives the networks, picklable; instead of the choice's own.
        engine: a name of `archive.engines.ENGINES`, instead of the settings'.

    Raises:
        CatalogueError: the archive is in use, damaged, on a full disk, or was made with other models.
        VideoError: something in `footage` is not there. Files that cannot be read raise nothing, they are counted.
        ModelError, MissingDependency, UnknownBackend: the models cannot be used.
        KeyboardInterrupt: after the workers have ended; what was finished is kept, the next run goes on from there.
    """
    _refuse_footage(archive, footage)
    with Catalogue.create_or_open(archive) as catalogue, RunLog(archive) as log:

        def told(event: Event) -> None:
            log.event(event)
            hook(event)

        models: dict[str, str] = {}
        if open_parts is None:
            choice = choice or choose_models(catalogue, settings)
            _refuse_other_models(catalogue, choice)
            open_parts, models = choice.open, {"set": choice.set_name, "reason": choice.reason}
        run = _Run(catalogue, settings, told, models, catalogue.start_run(settings.model_dump()))
        log.write("run", id=run.id, settings=settings.model_dump(), footage=[str(path) for path in footage])
        try:
            run.scan(footage)
            run.analyse(ENGINES.create(engine or settings.engine, open_parts=open_parts, settings=settings))
            summary = run.sort_and_show()
        except BaseException as exc:
            run.stopped(f"{type(exc).__name__}: {exc}".rstrip(": "))
            log.write("stopped", reason=repr(exc))
            raise
        log.write("summary", **summary.as_json())
        return summary


@dataclass
class _Run:
    """One run under way, and what it has counted so far."""

    catalogue: Catalogue
    settings: Settings
    hook: Hook
    models: dict[str, str]
    id: int
    started: float = field(default_factory=time.perf_counter)
    videos: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    places: dict[str, list[Found]] = field(default_factory=dict)
    providers: list[str] = field(default_factory=list)
    video_seconds: float = 0.0
    damaged: int = 0
    duplicates: int = 0
    faces: int = 0
    tracks: int = 0

    def scan(self, footage: Sequence[Place]) -> None:
        """Look through the footage; what was found is recorded every few seconds, so that no hash is lost."""
        scope = scope_of(footage, self.catalogue.roots())
        done, damages = self.catalogue.indexed(self.settings.speed), self.catalogue.damages()
        seen: set[str] = set()
        unread: set[str] = set()
        batch: list[Found | Unreadable] = []
        recorded = time.monotonic()
        known = self.catalogue.known_files(self.settings.speed)
        items = scan(scope, known, done.__contains__, self.catalogue.folder, self.hook)
        for item in items:
            if isinstance(item, Found | Unreadable):
                (unread if isinstance(item, Unreadable) else seen).add(str(item.absolute))
                batch.append(item)
                self._count(item, done, damages)
            elif isinstance(item, PassedOver):
                self.hook(Note(f"{item.path} is an archive of cvid and is not looked through"))
            else:
                self.videos["ignored"] += 1
            if time.monotonic() - recorded > _RECORD_EVERY_S:
                self.catalogue.record(batch)
                batch, recorded = [], time.monotonic()
        self.catalogue.record(batch)
        self.catalogue.close_scan(scope.but_for(unread), seen | unread)
        self.duplicates = sum(len(places) - 1 for places in self.places.values())
        self.hook(
            Scanned(
                found=self.videos["found"],
                to_index=len(self.places),
                skipped=self.videos["skipped"],
                duplicates=self.duplicates,
                ignored=self.videos["ignored"],
                video_seconds=sum(_duration_s(places) for places in self.places.values()),
            )
        )

    def _count(self, item: Found | Unreadable, done: set[str], damages: Mapping[str, str]) -> None:
        self.videos["found"] += 1
        if isinstance(item, Unreadable):
            self._failed(item.path, item.reason)
        elif item.sha256 in done:
            self.videos["skipped"] += 1
            if item.sha256 in damages:
                self._told_of_damage(item.path, damages[item.sha256])
        else:
            self.places.setdefault(item.sha256, []).append(item)

    def analyse(self, engine: Engine) -> None:
        """Analyse what is new, the longest first, so that no worker is left alone with a long one at the end."""
        order = sorted(self.places.items(), key=lambda pair: (-_duration_s(pair[1]), pair[0]))
        if order:
            get_ready(self.settings.clustering)
        engine.run([_job(sha256, places[0]) for sha256, places in order], self._receive)

    def _receive(self, message: Message) -> None:
        if isinstance(message, Opened):
            self._opened(message)
            return
        places = self.places[message.job.sha256]
        path = places[0].path
        if isinstance(message, Began):
            self.hook(Started(path, _duration_s(places)))
        elif isinstance(message, Advances):
            self.hook(Advanced(path, message.progress))
        elif isinstance(message, Broke):
            self.catalogue.fail(message.job.sha256, message.reason)
            for place in places:
                self._failed(place.path, message.reason)
        else:
            self._done(message, places)

    def _opened(self, message: Opened) -> None:
        """A worker is ready: the archive's models are settled before its first result."""
        if self.providers:
            return
        self.models |= {"detector": message.detector, "embedder": message.embedder}
        self.providers = list(message.providers)
        self.catalogue.settle_models({k: self.models[k] for k in ("detector", "embedder", "set") if k in self.models})
        why = f" ({self.models['reason']})" if self.models.get("reason") else ""
        self.hook(Note(f"models: {message.detector}, {message.embedder}{why}; run on {', '.join(self.providers)}"))
        if why and (unmeasured := lacking(message.embedder.partition(":")[0])):
            self.hook(Note(unmeasured))

    def _done(self, message: Done, places: list[Found]) -> None:
        analysis = message.analysis
        self.catalogue.save(self.id, analysis, self.settings.speed)
        self.videos["indexed"] += 1
        self.videos["skipped"] += len(places) - 1
        self.video_seconds += analysis.duration_s
        self.faces += analysis.faces
        self.tracks += len(analysis.tracks)
        self.frames["decoded"] += analysis.counts.decoded
        for reason, number in analysis.counts.reasons.items():
            self.frames[reason if reason in SKIPPED else "analysed"] += number
        self.hook(Finished(places[0].path, analysis.faces, len(analysis.tracks), analysis.duration_s, analysis.counts))
        if analysis.damage:
            self._told_of_damage(places[0].path, damage_reason(analysis.damage))

    def _told_of_damage(self, path: str, reason: str) -> None:
        self.damaged += 1
        self._told_of(path, reason)

    def _failed(self, path: str, reason: str) -> None:
        self.videos["failed"] += 1
        self._told_of(path, reason)

    def _told_of(self, path: str, reason: str) -> None:
        self.failures.append(Failure(path, reason))
        self.hook(Failed(path, reason))

    def sort_and_show(self) -> IndexSummary:
        """Sort all tracks into people, bring the folders up to date, and close the run."""
        from archive.sorting.settle import settle  # `get_ready` has loaded it meanwhile

        self.hook(Clustering(self.catalogue.track_count()))
        settled = settle(self.catalogue, self.settings)
        if settled.differences.remark:
            self.hook(Note(settled.differences.remark))
        write_folders(self.catalogue, self.catalogue.folder, self.hook)
        people = self.catalogue.people()
        summary = IndexSummary(
            archive=self.catalogue.folder,
            videos={k: self.videos[k] for k in ("found", "indexed", "skipped", "failed", "ignored")},
            duplicates=self.duplicates,
            damaged=self.damaged,
            video_seconds=self.video_seconds,
            seconds=time.perf_counter() - self.started,
            frames={k: self.frames[k] for k in ("decoded", "analysed", "still", "dark", "soon")},
            faces=self.faces,
            tracks=self.tracks,
            identities=len(people),
            models=self.catalogue.models() | self.models,
            providers=self.providers,
            failures=sorted(self.failures, key=lambda failure: failure.path),
            people=people,
        )
        self.catalogue.finish_run(self.id, "failures" if self.failures else "done", self.models, self.providers)
        return summary

    def stopped(self, why: str) -> None:
        """Note that the run did not come to its end, if the catalogue can still be written; else the next run does."""
        if self.catalogue.connection.invalidated:
            return
        try:
            self.catalogue.finish_run(self.id, f"stopped by {why}", self.models, self.providers)
        except CatalogueError:
            return  # the error that stopped the run is on its way


def choose_models(catalogue: Catalogue, settings: Settings) -> Choice:
    """The models that the settings name; where they name none, those that the archive was made with."""
    own = catalogue.models()
    asked = settings.models != "auto" or settings.detectors or settings.embedders
    if not own or asked:
        return choose_for(settings)
    chosen = choose_for(settings, detectors=names_of(own["detector"]), embedders=names_of(own["embedder"]))
    return replace(chosen, set_name=own.get("set", ""), reason="as the archive was made")


def _refuse_footage(archive: Path, footage: Sequence[Place]) -> None:
    """Stop before an archive is made for footage that is not there, or in the middle of it.

    Raises:
        VideoError: a file or folder is not there, or the storage that it lies on cannot be asked.
        MissingDependency: a package for its address is not installed.
        CatalogueError: a folder is footage and archive at once.
    """
    for path in footage:
        if isinstance(path, Address):
            path.is_folder()  # or it says why this cannot be told
            continue
        if not os.path.lexists(path):
            raise VideoError(path, "there is no such file or folder")
        if path.resolve() == archive.resolve():
            raise CatalogueError(f"{archive} cannot be footage and archive at once; name another folder with --archive")


def _refuse_other_models(catalogue: Catalogue, choice: Choice) -> None:
    """Stop before anything is opened if already the names differ.

    Raises:
        CatalogueError: naming both sets.
    """
    own = catalogue.models()
    wanted = {"detector": "+".join(choice.detectors), "embedder": "+".join(choice.embedders)}
    if own and any(own[part].partition(":")[0] != name for part, name in wanted.items()):
        raise CatalogueError(other_models(catalogue.folder, own, wanted))


def _job(sha256: str, found: Found) -> Job:
    assert found.info is not None  # what is not indexed was probed
    return Job(found.absolute, sha256, found.stamp, found.info)


def _duration_s(places: Sequence[Found]) -> float:
    info = places[0].info
    return info.duration_s if info else 0.0

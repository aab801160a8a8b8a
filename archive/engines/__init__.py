"""How the work on many videos is done: in this process, or spread over several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from archive.found import Stamp
from cvid.analyse import Parts, Progress
from cvid.places import Place
from cvid.registry import Registry
from cvid.settings import Settings
from cvid.types import VideoAnalysis, VideoInfo


@dataclass(frozen=True)
class Job:
    """One content to analyse, where it lies, and what its file looked like when it was hashed."""

    path: Place
    sha256: str
    stamp: Stamp
    info: VideoInfo = field(compare=False)  # what the file says of itself


@dataclass(frozen=True)
class Opened:
    """The networks are loaded: the detector and the embedder as name:hash, and where they run."""

    detector: str
    embedder: str
    providers: tuple[str, ...]


@dataclass(frozen=True)
class Began:
    """A job was taken up."""

    job: Job


@dataclass(frozen=True)
class Advances:
    """A job has come further."""

    job: Job
    progress: Progress


@dataclass(frozen=True, eq=False)
class Done:
    """A job's result."""

    job: Job
    analysis: VideoAnalysis


@dataclass(frozen=True)
class Broke:
    """A job has no result, and why."""

    job: Job
    reason: str


Message = Opened | Began | Advances | Done | Broke
OpenParts = Callable[[], Parts]


class Engine(Protocol):
    """Analyses jobs and tells `receive` of each step, always in the calling thread.

    Every job ends in `Done` or `Broke`; `Opened` comes before the first `Began`. Whatever `receive` raises, and Ctrl-C,
    ends all work and propagates. Errors of opening the parts (`CvidError`) propagate too.
    """

    def __init__(self, open_parts: OpenParts, settings: Settings) -> None: ...

    def run(self, jobs: Sequence[Job], receive: Callable[[Message], None]) -> None:
        """Do all jobs; the first ones are begun first."""
        ...


ENGINES = Registry(
    "engine",
    {
        "inline": "archive.engines.inline:InlineEngine",
        "local": "archive.engines.local:LocalEngine",
        "ray": "archive.engines.ray.engine:RayEngine",
    },
    extras={"ray": "pip install 'cvid[ray]'"},
)

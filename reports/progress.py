"""Folds the events of an index run into the figures that a display shows; knows no screen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive.events import (
    Advanced,
    Clustering,
    Event,
    Failed,
    Finished,
    Note,
    Scanned,
    Scanning,
    Started,
    WritingFolders,
)
from archive.records import Failure
from cvid.frames import KEPT

if TYPE_CHECKING:
    from cvid.analyse import Progress


_FILE_S = 1.0
"""A file costs about as much work as so many seconds of footage, whatever its length; a photograph has none."""
_SETTLED_S = 0.5
"""No pace is told before."""


@dataclass
class Current:
    """A file in work."""

    duration_s: float
    time_s: float = 0.0
    decoded: int = 0
    analysed: int = 0
    faces: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def advance(self, progress: Progress) -> None:
        """Take over a worker's report."""
        self.time_s, self.decoded, self.analysed = progress.time_s, progress.decoded, progress.analysed
        self.faces, self.reasons = progress.faces, dict(progress.reasons)
        self.duration_s = progress.duration_s or self.duration_s


class RunProgress:
    """Where an index run stands.

    Args:
        clock: seconds that only grow; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun_s = clock()
        self._work_begun_s: float | None = None
        self._work_ended_s: float | None = None
        self._done = Current(0.0)
        self._reasons: Counter[str] = Counter()
        self.stage = "looking through the footage"
        self.scanned = Scanned(0, 0, 0, 0, 0, 0.0)
        self.finished = 0
        self.current: dict[str, Current] = {}
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.failed_in_work = 0

    def take(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case Scanning(files, hashed):
                self.stage = f"looking through the footage: {files:,} files, {hashed / 1e6:,.0f} MB read"
            case Scanned():
                self.scanned, self.stage = event, "loading the models" if event.to_index else "nothing new"
            case Started(path, duration_s):
                self.stage = "indexing"
                self._work_begun_s = self._clock() if self._work_begun_s is None else self._work_begun_s
                self.current[path] = Current(duration_s)
            case Advanced(path, progress):
                self.current.setdefault(path, Current(progress.duration_s)).advance(progress)
            case Finished():
                self._finish(event)
            case Failed(path, reason):
                self.failed_in_work += self.current.pop(path, None) is not None
                self.failures.append(Failure(path, reason))
            case Clustering(tracks):
                self._work_ended_s = self._clock()
                self.stage = f"sorting {tracks:,} tracks into people"
            case WritingFolders(done, total):
                self.stage = f"writing the folders of the people: {done:,} of {total:,}"
            case Note(text):
                self.notes.append(text)

    def _finish(self, event: Finished) -> None:
        self.current.pop(event.path, None)
        self.finished += 1
        self._done.time_s += event.duration_s
        self._done.decoded += event.counts.decoded
        self._done.faces += event.faces
        self._reasons.update(event.counts.reasons)
        self._done.analysed = sum(self._reasons[reason] for reason in KEPT)

    @property
    def done(self) -> int:
        """Files of this run that need no more work, failed ones included."""
        return self.finished + self.failed_in_work

    @property
    def total(self) -> int:
        """Files of this run."""
        return max(self.scanned.to_index, self.done + len(self.current))

    @property
    def footage_s(self) -> float:
        """Footage seen so far."""
        return self._done.time_s + sum(c.time_s for c in self.current.values())

    @property
    def decoded(self) -> int:
        """Frames decoded so far."""
        return self._done.decoded + sum(c.decoded for c in self.current.values())

    @property
    def analysed(self) -> int:
        """Frames in which faces were looked for."""
        return self._done.analysed + sum(c.analysed for c in self.current.values())

    @property
    def faces(self) -> int:
        """Faces found so far."""
        return self._done.faces + sum(c.faces for c in self.current.values())

    @property
    def skipped(self) -> dict[str, int]:
        """Frames that were not analysed, by reason, most first."""
        reasons = self._reasons.copy()
        for current in self.current.values():
            reasons.update(current.reasons)
        return {reason: n for reason, n in reasons.most_common() if n and reason not in KEPT}

    @property
    def elapsed_s(self) -> float:
        """Since the run began."""
        return self._clock() - self._begun_s

    @property
    def speed(self) -> float:
        """Seconds of footage a second, since the first file was started; 0 while unknown."""
        return self.footage_s / self._worked_s if self._worked_s > _SETTLED_S else 0.0

    @property
    def left_s(self) -> float | None:
        """Time left for what is being indexed, by the pace so far; None while unknown."""
        if self._worked_s <= _SETTLED_S or not self.share:
            return None
        return self._worked_s * (1 - self.share) / self.share

    @property
    def share(self) -> float:
        """How much of the work is done, 0..1."""
        total = self.scanned.video_seconds + _FILE_S * self.total
        return min((self.footage_s + _FILE_S * self.done) / total, 1.0) if total else 0.0

    @property
    def _worked_s(self) -> float:
        """Since the first file was started, without the sorting at the end."""
        if self._work_begun_s is None:
            return 0.0
        return (self._work_ended_s or self._clock()) - self._work_begun_s

"""What engines hand out: a whole file, or a span of a long video; and how the outcomes of one file come together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archive.engines import Advances, Began, Broke, Done, Job, Message, Opened
from archive.found import Stamp
from archive.scan import CHANGED
from cvid.analyse import Parts, Progress, analyse_span
from cvid.errors import VideoError
from cvid.pieces import Piece
from cvid.seams import Joining
from cvid.settings import Settings
from cvid.spans import WHOLE, IndivisibleError, Span, spans_of
from cvid.types import FrameCounts


@dataclass(frozen=True)
class Task:
    """One span of one job's file."""

    job: Job
    span: Span
    place: int = 0  # among the spans of the file
    count: int = 1


@dataclass(frozen=True)
class Advanced:
    """A task has come further."""

    task: Task
    progress: Progress


@dataclass(frozen=True, eq=False)
class Seen:
    """What a task has found."""

    task: Task
    piece: Piece


@dataclass(frozen=True)
class Unseen:
    """A file cannot be analysed, and why; trying again would not help."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Indivisible:
    """The file cannot be looked through in spans."""

    task: Task


Outcome = Seen | Unseen | Indivisible


def opened(parts: Parts) -> Opened:
    """What the loaded networks are."""
    providers = dict.fromkeys(parts.detector.providers + parts.embedder.providers)
    return Opened(f"{parts.detector.name}:{parts.detector.weights}", parts.embedder.model, tuple(providers))


def do(task: Task, parts: Parts, settings: Settings, tell: Callable[[Advanced], None]) -> Outcome:
    """Do one task; a file that changed since it was hashed has no result, for the key would be wrong."""
    job = task.job
    try:
        info = replace(job.info, sha256=job.sha256, path=str(job.path))
        piece = analyse_span(job.path, info, parts, settings, task.span, lambda p: tell(Advanced(task, p)))
        if Stamp.of(job.path.stat()) != job.stamp:
            return Unseen(task, CHANGED)
    except IndivisibleError:
        return Indivisible(task)
    except VideoError as exc:
        return Unseen(task, exc.reason if job.path.exists() else "it vanished before it was read to its end")
    except FileNotFoundError:
        return Unseen(task, "it vanished before it was read to its end")
    return Seen(task, piece)


class Assembly:
    """Gives out the tasks of many jobs, in order, and tells of each job as engines have to.

    Engines do the tasks wherever and in whatever order they like; they call `next`, and for each task `took` with
    what comes of it, or `lost` if nothing ever will.
    """

    def __init__(self, jobs: Sequence[Job], settings: Settings, receive: Callable[[Message], None]) -> None:
        self._settings, self._receive = settings, receive
        self._jobs = deque(jobs)
        self._waiting: deque[Task] = deque()
        self._open: dict[Job, _Open] = {}

    def next(self) -> Task | None:
        """The task to be done next; None while there is none to be given out (more may come, see `done`)."""
        while not self._waiting and self._jobs:
            job = self._jobs.popleft()
            spans = self._spans(job)
            self._waiting += [Task(job, span, place, len(spans)) for place, span in enumerate(spans)]
            self._open[job] = _Open(self._settings, len(spans))
        if not self._waiting:
            return None
        task = self._waiting.popleft()
        if not self._open[task.job].begun:
            self._open[task.job].begun = True
            self._receive(Began(task.job))
        return task

    @property
    def left(self) -> int:
        """How many tasks there are to be given out, as far as is known."""
        return len(self._waiting) + sum(len(self._spans(job)) for job in self._jobs)

    def _spans(self, job: Job) -> list[Span]:
        return spans_of(job.info, self._settings.selection.span_s)

    @property
    def done(self) -> bool:
        """Every job has ended in `Done` or `Broke`."""
        return not (self._jobs or self._open)

    def took(self, message: Advanced | Outcome) -> None:
        """A task has come further, or has ended. Of a job that has ended already nothing more is told."""
        if not self.wants(message.task):
            return
        job = message.task.job
        being = self._open[job]
        if isinstance(message, Unseen):
            self._end(job, Broke(job, message.reason))
        elif isinstance(message, Indivisible):
            self._in_one_go(job)
        elif isinstance(message, Advanced):
            being.progress[message.task.place] = message.progress
            self._receive(Advances(job, being.so_far()))
        else:
            being.pieces[message.task.place] = message.piece
            self._put_together(job, being)

    def wants(self, task: Task) -> bool:
        """Is what comes of this task still of use? Its job may have failed, or be done in one go."""
        being = self._open.get(task.job)
        return being is not None and task.count == being.count

    def lost(self, task: Task, how: str) -> None:
        """A task has broken down whatever was tried: its file has failed."""
        self.took(Unseen(task, how))

    def _put_together(self, job: Job, being: _Open) -> None:
        """Join the pieces whose predecessors are all here."""
        try:
            while being.joined in being.pieces:
                being.joining.add(being.pieces.pop(being.joined))
                being.joined += 1
            if being.joined == being.count:
                self._end(job, Done(job, being.joining.analysis()))
        except IndivisibleError:
            self._in_one_go(job)
        except VideoError as exc:
            self._end(job, Broke(job, exc.reason))

    def _in_one_go(self, job: Job) -> None:
        """Once more without spans, which the file's timestamps do not allow."""
        self._open[job] = _Open(self._settings, 1, begun=True)
        self._waiting = deque([Task(job, WHOLE), *(task for task in self._waiting if task.job != job)])

    def _end(self, job: Job, message: Done | Broke) -> None:
        del self._open[job]
        self._waiting = deque(task for task in self._waiting if task.job != job)
        self._receive(message)


class _Open:
    """A job that has begun: pieces that wait for an earlier one, those joined already, and how far each is."""

    def __init__(self, settings: Settings, count: int, begun: bool = False) -> None:
        self.count, self.begun = count, begun
        self.pieces: dict[int, Piece] = {}
        self.joining, self.joined = Joining(settings), 0
        self.progress: dict[int, Progress] = {}

    def so_far(self) -> Progress:
        """How far the whole file is."""
        each = [self.progress[place] for place in sorted(self.progress)]
        counts = FrameCounts.summed(FrameCounts(p.decoded, p.reasons) for p in each)
        return replace(
            each[-1],
            time_s=sum(p.time_s for p in each),
            decoded=counts.decoded,
            analysed=sum(p.analysed for p in each),
            faces=sum(p.faces for p in each),
            reasons=counts.reasons,
        )

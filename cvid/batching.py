"""One session for many callers: requests that wait at the same time are run as one batch.

A GPU is hardly slower on sixteen pictures than on one. No caller has sixteen: a worker looks at one frame at a time.
But many workers wait together.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvid.sessions import DEVICES, Session

log = logging.getLogger(__name__)

Feed = dict[str, NDArray[Any]]
Answer = list[NDArray[Any]] | Exception

MOST = 16
"""Pictures in one batch: 16 of 640×384 are 47 MB on the way in."""
PATIENCE_S = 0.002
"""How long the first request of a batch waits for more. Not measured: there was no GPU to measure on."""


_COMPILING = {DEVICES["tensorrt"], DEVICES["migraphx"]}
"""Providers that compile a graph anew for each new shape: every size of batch would cost that again."""


class BatchingSession:
    """A session that any number of threads may run at once; see `cvid.sessions.Session`.

    Requests of one shape but for their first axis are put together along it, run once, and taken apart again. The one
    that comes first leads: it waits a little for others, or until as many have come as there are callers, then runs
    them all. While it runs, the next ones gather. A graph that does not take several pictures at once, or does not
    keep them apart in what it gives, is run on each request alone. So is every request of a batch that failed: an
    error reaches only whom it belongs to.

    Args:
        session: what runs the graph.
        most: pictures in one batch at most; a request that has more is run alone.
        patience_s: how long the first request waits for others.
        callers: how many there are now; when that many wait, nobody waits for more.
    """

    def __init__(
        self,
        session: Session,
        most: int = MOST,
        patience_s: float = PATIENCE_S,
        callers: Callable[[], int] = lambda: 1 << 30,
    ) -> None:
        self._session, self._most, self._patience_s, self._callers = session, most, patience_s, callers
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []
        self._led = False
        self._together = takes_batches(session)

    def run(self, outputs: list[str] | None, feed: Feed) -> list[NDArray[Any]]:
        """Run the graph; see `Session.run`."""
        mine = _Request(outputs, feed)
        with self._changed:
            self._waiting.append(mine)
            self._changed.notify_all()
            self._changed.wait_for(lambda: mine.answer is not None or self._leads(mine))
            batch = [] if mine.answer is not None else self._gathered(mine)
        if batch:
            self._lead(batch)
        if isinstance(mine.answer, list):
            return mine.answer
        raise mine.answer or RuntimeError("a request was left without an answer")

    def get_inputs(self) -> list[Any]:
        """The graph's inputs; see `Session.get_inputs`."""
        return self._session.get_inputs()

    def get_outputs(self) -> list[Any]:
        """The graph's outputs, likewise."""
        return self._session.get_outputs()

    def get_providers(self) -> list[str]:
        """What it runs on; see `Session.get_providers`."""
        return self._session.get_providers()

    def _leads(self, request: _Request) -> bool:
        return not self._led and self._waiting[0] is request

    def _gathered(self, leader: _Request) -> list[_Request]:
        """Wait for others, and take the leader's batch out of those that wait."""
        self._led = True
        if self._together:
            left_s = leader.came_s + self._patience_s - time.monotonic()
            self._changed.wait_for(lambda: self._enough(leader), timeout=max(left_s, 0))
        batch = self._batch(leader)
        self._waiting = [request for request in self._waiting if request not in batch]
        return batch

    def _enough(self, leader: _Request) -> bool:
        rows = sum(request.rows for request in self._waiting if request.kind == leader.kind)
        return rows >= self._most or len(self._waiting) >= self._callers()

    def _batch(self, leader: _Request) -> list[_Request]:
        """The leader, and as many of its kind as fit in, in the order they came."""
        batch, rows = [leader], leader.rows
        for request in self._waiting:
            fits = self._together and request.kind == leader.kind and rows + request.rows <= self._most
            if request is not leader and fits:
                batch.append(request)
                rows += request.rows
        return batch

    def _lead(self, batch: list[_Request]) -> None:
        """Run a batch, and hand out what came of it; whatever happens, nobody is left waiting."""
        answers: Sequence[Answer] = [RuntimeError("the run was interrupted")] * len(batch)
        try:
            answers = self._answers(batch)
        finally:
            with self._changed:
                for request, answer in zip(batch, answers, strict=True):
                    request.answer = answer
                self._led = False
                self._changed.notify_all()

    def _answers(self, batch: list[_Request]) -> Sequence[Answer]:
        outputs, feeds = batch[0].outputs, [request.feed for request in batch]
        if len(batch) > 1:
            together = _run(self._session, outputs, _joined(feeds))
            if not isinstance(together, Exception) and (parts := _parted(together, [r.rows for r in batch])):
                return parts
        alone = [_run(self._session, outputs, feed) for feed in feeds]
        if len(batch) > 1 and not any(isinstance(answer, Exception) for answer in alone):
            log.warning("a graph does not run on several pictures at once; from now on it gets one at a time")
            self._together = False
        return alone


def takes_batches(session: Session) -> bool:
    """Whether a graph says that it takes any number of pictures at once, and what runs it does so gladly."""
    free = all(entry.shape and not isinstance(entry.shape[0], int) for entry in session.get_inputs())
    return free and session.get_providers()[0] not in _COMPILING


class _Request:
    """What one caller wants, and later the answer."""

    def __init__(self, outputs: list[str] | None, feed: Feed) -> None:
        self.outputs, self.feed = outputs, feed
        self.came_s = time.monotonic()
        self.answer: Answer | None = None
        lengths = {len(array) if array.ndim else 0 for array in feed.values()}
        self.rows = lengths.pop() if len(lengths) == 1 else 0
        shapes = tuple((name, array.dtype.str, array.shape[1:]) for name, array in sorted(feed.items()))
        # What has no rows, or several numbers of them, is of a kind of its own.
        self.kind: Any = (tuple(outputs or ()), shapes) if self.rows else self


def _run(session: Session, outputs: list[str] | None, feed: Feed) -> Answer:
    try:
        return session.run(outputs, feed)
    except Exception as exc:  # noqa: BLE001  # onnxruntime has no public base class for its errors
        return exc


def _joined(feeds: list[Feed]) -> Feed:
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}


def _parted(outputs: list[NDArray[Any]], rows: list[int]) -> list[Answer] | None:
    """Each request's share of every output; None if an output has no row for each picture."""
    if any(not output.ndim or len(output) != sum(rows) for output in outputs):
        return None
    ends = np.cumsum(rows)
    return [[output[end - n : end] for output in outputs] for end, n in zip(ends, rows, strict=True)]

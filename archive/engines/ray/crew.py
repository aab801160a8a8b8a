"""The workers on the nodes of a cluster: they are hired, given tasks, listened to and replaced."""

from __future__ import annotations

import pickle
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from archive.engines import Message, Opened, OpenParts
from archive.engines.ray.cluster import Cluster, Failed, Host, blameless, how
from archive.engines.ray.luggage import Item
from archive.engines.ray.messages import RESUME, Patience
from archive.engines.ray.node import Answer, Prepared, oddity, versions
from archive.engines.ray.queue import Queue
from archive.engines.tasks import Advanced, Assembly, Task
from archive.engines.worker import Crashed, Refused
from cvid.errors import CvidError
from cvid.settings import Settings

_LOOK_EVERY_S = 2.0
_WAIT_S = 0.2
_ASK_EVERY_S = 0.4
_ASKED_A_SECOND = 100
"""All workers together are asked for their progress so often at most."""
_FALSE_STARTS = 3
"""A node on which so many processes died before they had work is refused."""
_A_GPU = 4
"""Workers that share a GPU: each holds the networks in its memory."""


@dataclass(eq=False)
class _Node:
    """A node of the cluster: being prepared, ready, or refused."""

    host: Host
    preparing: Any  # handle; None when that is over
    folder: str = ""
    gpu: bool = False
    ready: bool = False
    refused: CvidError | None = None
    false_starts: int = 0

    @property
    def slots(self) -> int:
        """How many workers fit on it."""
        return min(int(self.host.cpus), int(self.host.gpus * _A_GPU)) if self.gpu else int(self.host.cpus)

    @property
    def gpu_share(self) -> float:
        """What a worker takes of its GPUs; from one that takes nothing Ray hides them."""
        return min(int(self.host.gpus / self.slots * 1000) / 1000, 1.0) if self.gpu else 0.0


@dataclass(eq=False)
class _Worker:
    """An actor, and what it was asked."""

    node: _Node
    actor: Any
    answer: Any  # handle of what `open` or `do` gives; None while it is idle
    opened: bool = False
    task: Task | None = None
    asked: Any = None  # handle of what `progress` gives
    ask_at: float = 0.0
    progress: Any = None
    moved_at: float = field(default_factory=time.monotonic)


class Crew:
    """Does the tasks of an assembly on a cluster.

    Args:
        items: the files that `open_parts` needs, stored.
        receive: told of each `Opened`; the assembly tells the rest.
        remark: told in a sentence what the user should know, such as a node that is refused.
        go_on: called several times a second; ends the work by raising.
    """

    def __init__(
        self,
        cluster: Cluster,
        items: Sequence[Item],
        open_parts: OpenParts,
        settings: Settings,
        assembly: Assembly,
        receive: Callable[[Message], None],
        remark: Callable[[str], None],
        go_on: Callable[[], None],
        patience: Patience,
    ) -> None:
        self._cluster, self._items, self._open_parts = cluster, items, open_parts
        self._settings, self._assembly = settings, assembly
        self._receive, self._remark, self._go_on, self._patience = receive, remark, go_on, patience
        self._queue = Queue(assembly)
        self._versions = versions()
        self._nodes: dict[str, _Node] = {}
        self._workers: list[_Worker] = []
        self._first: Opened | None = None
        self._looked_at = -_LOOK_EVERY_S
        self._peopled_at = time.monotonic()

    def work(self) -> None:
        """Do all tasks.

        Raises:
            CvidError: no node is left that could do them.
        """
        while not self._assembly.done:
            self._go_on()
            if time.monotonic() - self._looked_at > _LOOK_EVERY_S:
                self._look_around()
                self._looked_at = time.monotonic()
            self._hire()
            self._hand_out()
            self._ask()
            self._hear()
            self._end_stalled()

    def dismiss(self) -> None:
        """End all workers."""
        for worker in list(self._workers):
            self._drop(worker)

    def _look_around(self) -> None:
        """Greet nodes that are new, and forget those that are gone."""
        hosts = {host.id: host for host in self._cluster.hosts() if host.cpus >= 1}
        for gone in [node for node in self._nodes.values() if node.host.id not in hosts]:
            self._remark(f"{gone.host.name} has left the cluster; what it did is done elsewhere")
            self._forget(gone)
        for host in hosts.values():
            if host.id not in self._nodes:
                self._nodes[host.id] = _Node(host, self._prepare(host))
        self._queue.give_up_unseen(self._usable())
        if self._usable():
            self._peopled_at = time.monotonic()
        elif refused := [node.refused for node in self._nodes.values() if node.refused]:
            raise refused[0]
        elif time.monotonic() - self._peopled_at > self._patience.nodes_s:
            raise CvidError(f"{self._cluster.name} has no node with a CPU; start one, {RESUME}")

    def _prepare(self, host: Host) -> Any:
        return self._cluster.prepare(host, self._versions, self._items, self._settings.device)

    def _usable(self) -> list[str]:
        return [node.host.id for node in self._nodes.values() if not node.refused]

    def _forget(self, node: _Node) -> None:
        del self._nodes[node.host.id]
        self._clear(node)
        self._queue.forget(node.host.id)

    def _hire(self) -> None:
        """Start workers where there is room, evenly over the nodes, but no more than there are tasks."""
        wanted = self._queue.left + sum(worker.task is not None for worker in self._workers)
        crew = Counter(worker.node.host.id for worker in self._workers)
        while len(self._workers) < min(self._settings.jobs or wanted, wanted):
            open_to = [node for node in self._nodes.values() if node.ready and crew[node.host.id] < node.slots]
            if not open_to:
                return
            node = min(open_to, key=lambda node: crew[node.host.id])
            crew[node.host.id] += 1
            actor = self._cluster.hire(node.host, node.gpu_share)
            opening = actor.open.remote(self._open_parts, self._settings, node.folder)
            self._workers.append(_Worker(node, actor, opening))

    def _hand_out(self) -> None:
        running = {worker: worker.task for worker in self._workers if worker.task}
        for worker in self._workers:
            if worker.answer is not None:
                continue
            here = [task for other, task in running.items() if other.node is worker.node]
            task = self._queue.next(worker.node.host.id, list(running.values()), here)
            if task:
                running[worker] = task
                worker.task, worker.progress = task, None
                worker.moved_at = worker.ask_at = time.monotonic()
                worker.answer = worker.actor.do.remote(task)

    def _ask(self) -> None:
        """Ask workers how far they are; never twice before the answer."""
        now = time.monotonic()
        pause_s = max(_ASK_EVERY_S, len(self._workers) / _ASKED_A_SECOND)
        for worker in self._workers:
            if worker.task and worker.asked is None and now - worker.ask_at > pause_s:
                worker.ask_at = now
                worker.asked = worker.actor.progress.remote()

    def _hear(self) -> None:
        """Take what has come in."""
        heard: dict[Any, Callable[[Any], None]] = {}
        for node in self._nodes.values():
            if node.preparing is not None:
                heard[node.preparing] = partial(self._prepared, node)
        for worker in self._workers:
            if worker.asked is not None:
                heard[worker.asked] = partial(self._advanced, worker)
            if worker.answer is not None:
                heard[worker.answer] = partial(self._answered, worker)
        if not heard:
            time.sleep(_WAIT_S)
            return
        for handle in self._cluster.ready(list(heard), _WAIT_S):
            heard[handle](handle)

    def _prepared(self, node: _Node, handle: Any) -> None:
        """A node has been looked at: it is ready, or refused."""
        node.preparing = None
        try:
            prepared: Prepared = self._cluster.get(handle)
        except Failed as exc:
            self._false_start(node, f"has no cvid {self._versions['cvid']} that runs ({how(exc)})")
            if not node.refused:
                node.preparing = self._prepare(node.host)
            return
        differing = [name for name, own in self._versions.items() if prepared.versions.get(name) != own]
        if differing:
            theirs = ", ".join(f"{name} {prepared.versions.get(name)}" for name in differing)
            ours = ", ".join(f"{name} {self._versions[name]}" for name in differing)
            self._refuse(node, f"has {theirs}, and this machine {ours}: install the same there")
        elif prepared.error:
            self._refuse(node, f"cannot run the models: {prepared.error}", prepared.error)
        elif prepared.gpu and not node.host.gpus and self._settings.device != "auto":
            self._refuse(node, f"declares no GPU to Ray, and --device {self._settings.device} was asked for")
        else:
            node.ready, node.folder, node.gpu = True, prepared.folder, prepared.gpu and node.host.gpus > 0

    def _false_start(self, node: _Node, why: str) -> None:
        """Something died on a node before it had work: if the node does not go, it is refused at last."""
        node.false_starts += 1
        self._looked_at = -_LOOK_EVERY_S
        if node.false_starts >= _FALSE_STARTS:
            self._refuse(node, why)

    def _refuse(self, node: _Node, why: str, error: CvidError | None = None) -> None:
        """Leave a node out; its error is the user's if no other node is left."""
        node.ready, node.preparing = False, None
        node.refused = error or CvidError(f"{self._cluster.name} has no node that will do: {node.host.name} {why}")
        self._remark(f"the node {node.host.name} is left out: it {why}")
        self._looked_at = -_LOOK_EVERY_S  # it may have been the last
        self._clear(node)

    def _clear(self, node: _Node) -> None:
        """End the workers of a node; what they did is done elsewhere."""
        for worker in [worker for worker in self._workers if worker.node is node]:
            self._drop(worker)
            if worker.task:
                self._queue.node_lost(worker.task)

    def _advanced(self, worker: _Worker, handle: Any) -> None:
        worker.asked = None
        try:
            progress = self._cluster.get(handle)
        except Failed:
            return  # what `do` gives says why
        if worker.task and progress and progress != worker.progress:
            worker.progress, worker.moved_at = progress, time.monotonic()
            self._assembly.took(Advanced(worker.task, progress))

    def _answered(self, worker: _Worker, handle: Any) -> None:
        """A worker has opened its parts, or done its task, or is gone."""
        worker.answer = None
        try:
            said = self._cluster.get(handle)
        except Failed as exc:
            self._gone(worker, exc)
            return
        if worker.opened:
            self._took(worker, pickle.loads(said))
        else:
            self._opened(worker, said)

    def _opened(self, worker: _Worker, said: Opened | Refused | Crashed) -> None:
        if isinstance(said, Refused):
            self._refuse(worker.node, f"cannot run the models: {said.error}", said.error)
        elif isinstance(said, Crashed):
            self._refuse(worker.node, f"cannot run the models: {said.reason}")
        elif self._first and (said.detector, said.embedder) != (self._first.detector, self._first.embedder):
            self._refuse(worker.node, "has other models than the nodes before it")
        else:
            self._first, worker.opened = self._first or said, True
            self._receive(said)

    def _took(self, worker: _Worker, answer: Answer) -> None:
        task, node = worker.task, worker.node
        assert task
        worker.task = None
        if isinstance(answer.outcome, Crashed):
            self._drop(worker)
        if answer.blind and not oddity(task.job):
            said = f"the node {node.host.name} {answer.blind}"
            if self._queue.not_seen(task, node.host.id, said, self._usable()):
                self._remark(f"{task.job.path}: {said}; another one tries")
        elif isinstance(answer.outcome, Crashed):
            self._broke(task, node, answer.outcome.reason)
        else:
            self._assembly.took(answer.outcome)

    def _gone(self, worker: _Worker, exc: Exception) -> None:
        """A worker broke down, on its task or while it opened its parts."""
        self._drop(worker)
        node = worker.node
        if worker.task and blameless(exc):
            self._queue.node_lost(worker.task)
        elif worker.task:
            self._broke(worker.task, node, how(exc))
        elif not node.refused:
            self._false_start(node, f"cannot load the models: {how(exc)}")
        self._looked_at = -_LOOK_EVERY_S  # its node may be gone

    def _broke(self, task: Task, node: _Node, reason: str) -> None:
        if self._queue.broke(task, node.host.id, reason):
            self._remark(f"{task.job.path}: {reason} on {node.host.name}; it is tried once more, alone")

    def _end_stalled(self) -> None:
        """End workers whose task comes no further."""
        for worker in list(self._workers):
            if worker.task and time.monotonic() - worker.moved_at > self._patience.stalled_s:
                self._drop(worker)
                self._assembly.lost(worker.task, "the decoder hangs on it")

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._cluster.dismiss(worker.actor)

"""What is to be done next on a cluster, and what is tried again: alone, elsewhere, or not at all."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection

from archive.engines.tasks import Assembly, Task

NODE_LOSSES = 5
"""A task that so many nodes went away under is given up: it may be what ends them."""
SIGHTINGS = 3
"""A file that a node does not see is tried on so many nodes."""


class Queue:
    """The tasks of an assembly, and those that come back.

    One that a process died on is tried once more when nothing else runs on the node, for it may have been another's
    hunger for memory. One whose node went away, or whose file that node does not see, is tried on another at once.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._again: deque[Task] = deque()
        self._suspects: deque[tuple[Task, str]] = deque()
        self._on_trial: set[Task] = set()
        self._losses: Counter[Task] = Counter()
        self._blind: defaultdict[Task, dict[str, str]] = defaultdict(dict)

    @property
    def left(self) -> int:
        """How many tasks there are to be given out, as far as is known."""
        return self._assembly.left + len(self._again) + len(self._suspects)

    def next(self, node: str, running: Collection[Task], here: Collection[Task]) -> Task | None:
        """A task for a worker of this node; `running` are all that are under way, `here` those on the node."""
        self._again = type(self._again)(task for task in self._again if self._assembly.wants(task))
        self._suspects = deque(suspect for suspect in self._suspects if self._assembly.wants(suspect[0]))
        trial = any(task in self._on_trial for task in running)
        if not trial:
            task = self._elsewhere(node) or self._assembly.next()
            if task:
                return task
        if not self._suspects or here or any(task not in self._on_trial for task in running):
            return None
        suspect = self._suspects.popleft()[0]
        self._on_trial.add(suspect)
        return suspect

    def broke(self, task: Task, node: str, how: str) -> bool:
        """A process died on a task, or the program did; True if the task is tried once more."""
        if task in self._on_trial:
            self._on_trial.remove(task)
            self._assembly.lost(task, f"the analysis broke down on it twice: {how}")
            return False
        self._suspects.append((task, node))
        return True

    def node_lost(self, task: Task) -> None:
        """The node of a task went away."""
        self._on_trial.discard(task)
        self._losses[task] += 1
        if self._losses[task] >= NODE_LOSSES:
            self._assembly.lost(task, f"{NODE_LOSSES} nodes of the cluster went away while they analysed it")
        else:
            self._again.append(task)

    def forget(self, node: str) -> None:
        """A node is gone: it, and not the task, may be what processes on it died of."""
        gone = [task for task, where in self._suspects if where == node]
        self._suspects = deque(suspect for suspect in self._suspects if suspect[1] != node)
        for task in gone:
            self.node_lost(task)

    def not_seen(self, task: Task, node: str, said: str, nodes: Collection[str]) -> bool:
        """A node does not see the file of a task as it is; True if another of `nodes` is to try it."""
        self._on_trial.discard(task)
        self._blind[task][node] = said
        if len(self._blind[task]) < SIGHTINGS and self._may_be_seen(task, nodes):
            self._again.append(task)
            return True
        self._give_up(task)
        return False

    def give_up_unseen(self, nodes: Collection[str]) -> None:
        """Give up what none of the nodes that are left sees."""
        for task in [task for task in self._again if self._blind.get(task) and not self._may_be_seen(task, nodes)]:
            self._again.remove(task)
            self._give_up(task)

    def _elsewhere(self, node: str) -> Task | None:
        task = next((task for task in self._again if node not in self._blind.get(task, ())), None)
        if task:
            self._again.remove(task)
        return task

    def _may_be_seen(self, task: Task, nodes: Collection[str]) -> bool:
        return any(node not in self._blind[task] for node in nodes)

    def _give_up(self, task: Task) -> None:
        said = "; ".join(self._blind[task].values())
        self._assembly.lost(task, f"{said}: mount its storage there under the same path, and index again")

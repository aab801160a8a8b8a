"""The one door to Ray: join a cluster, look at its nodes, run things on them, leave it as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from archive.engines.local import cores
from archive.engines.ray.luggage import Item
from archive.engines.ray.messages import RESUME
from archive.engines.ray.node import Prepared, Worker, prepare
from cvid.errors import CvidError

_STORE_BYTES = 512 << 20
"""The object store of a cluster of one's own: weights, and results until they are fetched."""
Failed = exceptions.RayError
"""What `Cluster.get` raises where something broke down on the way."""


@dataclass(frozen=True)
class Host:
    """A node that is alive: what it is called, and what it declares to have."""

    id: str
    name: str
    cpus: float
    gpus: float


class Cluster:
    """A cluster that this process has joined, or started where the address is "local".

    Raises:
        CvidError: there is none at that address, or it is of another Ray or Python.
    """

    def __init__(self, address: str, jobs: int, folder: str) -> None:
        self.name = f"the Ray cluster at {address}"
        try:
            if address == "local":
                self._start(jobs, folder)
            else:
                ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        except (OSError, ValueError, RuntimeError, AssertionError, Failed) as exc:
            raise CvidError(refusal(self.name, address, exc)) from exc
        self._own = "" if address.startswith("ray://") else ray.get_runtime_context().get_node_id()

    def _start(self, jobs: int, folder: str) -> None:
        """A cluster of this machine alone, whose logs and sockets lie in `folder`."""
        ray.init(
            "local",
            num_cpus=jobs or cores(),
            object_store_memory=_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            _temp_dir=folder,
        )

    def hosts(self) -> list[Host]:
        """The nodes that are alive.

        Raises:
            CvidError: Ray has ended on this machine, so that nothing more can be asked of the cluster.
        """
        alive = [node for node in ray.nodes() if node["Alive"]]
        if self._own and all(node["NodeID"] != self._own for node in alive):
            raise CvidError(f"{self.name} is gone: Ray has ended on this machine; {RESUME}")
        return [_host(node) for node in alive]

    def put(self, content: bytes) -> Any:
        """A handle to bytes in the object store."""
        return ray.put(content)

    def prepare(self, host: Host, expected: dict[str, str], items: Sequence[Item], device: str) -> Any:
        """Begin to prepare a node; the handle of a `Prepared`."""
        there = NodeAffinitySchedulingStrategy(host.id, soft=False)
        task = ray.remote(_prepare).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
        return task.remote(expected, items, device)

    def hire(self, host: Host, gpus: float) -> Any:
        """Begin to start a worker on a node, with one of its CPUs and a share of its GPUs."""
        there = NodeAffinitySchedulingStrategy(host.id, soft=False)
        actor = ray.remote(Worker).options(
            num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0, max_concurrency=2, scheduling_strategy=there
        )
        return actor.remote()

    def dismiss(self, actor: Any) -> None:
        """End a worker at once, whatever it does."""
        ray.kill(actor, no_restart=True)

    def ready(self, handles: Sequence[Any], timeout_s: float) -> list[Any]:
        """Those handles that `get` gives at once; waits for the first of them so long."""
        if not ray.wait(list(handles), num_returns=1, timeout=timeout_s)[0]:
            return []
        found: list[Any] = ray.wait(list(handles), num_returns=len(handles), timeout=0)[0]
        return found

    def get(self, handle: Any) -> Any:
        """What a handle stands for.

        Raises:
            Failed: it broke down on the way; see `blameless` and `how`.
        """
        return ray.get(handle)

    def leave(self) -> None:
        """Leave the cluster; one that was started here ends."""
        ray.shutdown()


def blameless(failed: Exception) -> bool:
    """Did a task break down for what happened to its node, or between it and here?"""
    network = (exceptions.ActorUnavailableError, exceptions.ObjectLostError, exceptions.NodeDiedError)
    return isinstance(failed, network) or "node has died" in str(failed) or "node was terminated" in str(failed)


def how(failed: Exception) -> str:
    """How something broke down, in few words."""
    if isinstance(failed, exceptions.RayTaskError):
        return str(failed).strip().splitlines()[-1]
    memory = isinstance(failed, exceptions.OutOfMemoryError) or "memory monitor" in str(failed)
    return "its process was ended for want of memory" if memory else "its process ended"


def refusal(name: str, address: str, exc: Exception) -> str:
    """What to say of a cluster that cannot be joined, and what to do."""
    said = str(exc).strip()
    if "AuthToken" in f"{exc} {exc.__cause__}" or "AuthenticationError" in f"{exc} {exc.__cause__}":
        return (
            f"{name} wants another token than this machine has: copy ~/.ray/auth_token of its head, see docs/cluster.md"
        )
    if "Version mismatch" in said:
        return f"{name} is of another version: {' '.join(said.split())}"
    if address == "auto":
        return (
            "no Ray cluster is running that this machine belongs to: join one with `ray start --address HEAD:6379`, "
            "name it with --ray-address HOST:PORT, or start one here with --ray-address local"
        )
    reason = " ".join(said.split())[:200] or type(exc).__name__
    return f"{name} cannot be joined ({reason}); see docs/cluster.md"


def _prepare(expected: dict[str, str], items: Sequence[Item], device: str) -> Prepared:
    get: Callable[[Any], bytes] = ray.get
    return prepare(expected, items, device, get)


def _host(node: dict[str, Any]) -> Host:
    name, address = node["NodeManagerHostname"], node["NodeManagerAddress"]
    declared = node["Resources"]
    return Host(node["NodeID"], f"{name} ({address})", declared.get("CPU", 0.0), declared.get("GPU", 0.0))

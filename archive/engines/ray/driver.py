"""The process that speaks with a cluster for the engine.

Ray ends the process that drives it when the cluster is gone for a minute, and writes to the terminal whatever it is
told; so it gets a process of its own, whose messages come through a pipe and whose output goes nowhere.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cvid
from archive.engines.ray.luggage import Item, packed, stored
from archive.engines.ray.messages import Finished, Joined, Order, Remark
from archive.engines.tasks import Assembly
from archive.engines.worker import Crashed, Refused
from cvid.errors import CvidError

_GRACE_S = 5.0


class _LeftAlone(Exception):
    """The engine has closed its end of the pipe."""


def main(pipe: Connection[Any, Any], order: Order) -> None:
    """Do the jobs on the cluster that the settings name, and send messages of it; ends when the pipe is closed."""
    _be_silent()
    alone = threading.Event()
    threading.Thread(target=_watch, args=(pipe, alone), daemon=True).start()
    try:
        items = packed(order.open_parts)
        _stand_in(order.folder)
        _drive(pipe, order, items, alone)
        pipe.send(Finished())
    except (_LeftAlone, BrokenPipeError, ConnectionResetError):
        return
    except CvidError as exc:
        pipe.send(Refused(exc))
    except BaseException as exc:  # noqa: BLE001 - the edge of the process: whatever it is, the engine must learn of it
        pipe.send(Crashed(f"{type(exc).__name__}: {exc}", traceback.format_exc()))


def _drive(pipe: Connection[Any, Any], order: Order, items: Sequence[Item], alone: threading.Event) -> None:
    settings = order.settings
    _set_environment(settings.ray_address)
    from archive.engines.ray.cluster import Cluster  # Ray is imported in this process alone
    from archive.engines.ray.crew import Crew

    def go_on() -> None:
        if alone.is_set():
            raise _LeftAlone

    cluster = Cluster(settings.ray_address, settings.jobs, order.folder)
    try:
        pipe.send(Joined())
        crew = Crew(
            cluster,
            stored(items, cluster.put),
            order.open_parts,
            settings,
            Assembly(order.jobs, settings, pipe.send),
            pipe.send,
            lambda text: pipe.send(Remark(text)),
            go_on,
            order.patience,
        )
        try:
            crew.work()
        finally:
            crew.dismiss()
    finally:
        cluster.leave()


def _set_environment(address: str) -> None:
    """What Ray reads when it is first imported.

    It reports how clusters are used, unless told not to. A cluster that it starts listens to the whole network, so one
    for this run gets a token that nobody else has; its workers import the cvid that runs here.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == "local":
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        code = [str(Path(str(cvid.__file__)).parent.parent), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, code))


def _be_silent() -> None:
    """Ray's C++ parts write to file descriptors, which no setting of Ray keeps them from."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _stand_in(folder: str) -> None:
    """Ray lets workers import first from where the driver stands and its script lies: no footage may lie there.

    So nodes run the cvid that is installed there, which `prepare` compares with this one.
    """
    os.chdir(folder)
    sys.argv[:1] = ["cvid"]


def _watch(pipe: Connection[Any, Any], alone: threading.Event) -> None:
    """End with the engine: within a moment on its own accord, else by force."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        alone.set()
    threading.Event().wait(_GRACE_S)
    os._exit(1)

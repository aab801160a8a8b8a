"""A worker process: opens the networks once, then does one task after the other until its parent is gone."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from archive.engines import OpenParts
from archive.engines.inference.remote import use_networks_at
from archive.engines.tasks import Task, do, opened
from cvid.errors import CvidError
from cvid.settings import Settings


@dataclass(frozen=True)
class Refused:
    """The networks cannot be opened: an error for the user, which ends the run."""

    error: CvidError


@dataclass(frozen=True)
class Crashed:
    """An error of the program; the worker ends after it."""

    reason: str
    trace: str


def main(pipe: Connection[Any, Any], open_parts: OpenParts, settings: Settings, networks: str = "") -> None:
    """Take tasks from the pipe and send messages back; None ends it.

    Args:
        networks: the address of the process that runs the networks; "" to run them here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if networks:
            use_networks_at(networks)
        _serve(pipe, open_parts, settings)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent closed its end
    except CvidError as exc:
        pipe.send(Refused(exc))
    except BaseException as exc:  # the edge of the process: whatever it is, the parent must learn of it
        pipe.send(Crashed(f"{type(exc).__name__}: {exc}", traceback.format_exc()))
        raise SystemExit(1) from exc


def _serve(pipe: Connection[Any, Any], open_parts: OpenParts, settings: Settings) -> None:
    parts = open_parts()
    pipe.send(opened(parts))
    while True:
        task: Task | None = pipe.recv()
        if task is None:
            return
        pipe.send(do(task, parts, settings, pipe.send))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""What holds while processes are started: which environment they get, and that Ctrl-C does not reach them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def environment(extra: dict[str, str], wins: bool = False) -> Iterator[None]:
    """The environment of processes started inside the block; what the user has set stays unless `extra` wins."""
    before = {name: os.environ.get(name) for name in extra if wins or name not in os.environ}
    os.environ.update({name: extra[name] for name in before})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started inside the block never see Ctrl-C, not even while they start; this one sees it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # else started inside, where it would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

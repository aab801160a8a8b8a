"""The process that workers are forked from: it has loaded what each of them needs, once and while others scan.

Forking is safe from a process that never had a second thread, which this one is; where the system's own libraries
forbid it (macOS) or cannot do it (Windows), every worker starts from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.context import BaseContext
from typing import Any

from archive.starting import deaf_to_ctrl_c, environment

_LOADED = ["archive.engines.worker", "cvid.models.sets", "onnxruntime", "onnx"]
"""What a worker imports, in an order that keeps ONNX Runtime's telemetry off (`cvid.sessions`)."""
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""A worker is one of as many as there are cores."""


def begin() -> None:
    """Start it, so that it has loaded everything when the first worker is wanted; it ends with this process."""
    if sys.platform == "linux":
        from multiprocessing import forkserver

        multiprocessing.get_context("forkserver").set_forkserver_preload(_LOADED)
        found_as_here = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}
        with environment(_ONE_THREAD), environment(found_as_here, wins=True), deaf_to_ctrl_c():
            forkserver.ensure_running()


def start(target: Any, *args: Any) -> tuple[Any, Any]:
    """Start a worker process that calls `target(pipe, *args)`; the process, and this end of its pipe.

    It never sees Ctrl-C. Its environment is that of this process, with one thread for libraries unless the user has
    said how many.
    """
    begin()
    context: BaseContext = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    ours, theirs = context.Pipe()
    with environment(_ONE_THREAD), deaf_to_ctrl_c():
        process = context.Process(  # type: ignore[attr-defined]
            target=_run, args=(dict(os.environ), target, theirs, *args), name="cvid worker", daemon=True
        )
        process.start()
    theirs.close()
    return process, ours


def _run(environ: dict[str, str], target: Any, *args: Any) -> None:
    os.environ.clear()  # it has that of the process that it was forked from, which may be older
    os.environ.update(environ)
    target(*args)

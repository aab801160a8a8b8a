"""Load what sorting needs while the workers are still busy, so that nobody waits for it at the end."""

from __future__ import annotations

import logging
from importlib import import_module
from threading import Thread

import numpy as np

from cvid.clustering import CLUSTERERS
from cvid.settings import ClusteringSettings
from cvid.types import TrackSet

log = logging.getLogger(__name__)


def get_ready(settings: ClusteringSettings) -> Thread:
    """Begin to load the clustering method in a thread of its own; what fails here fails again, and is told, later."""
    thread = Thread(target=_sort_two, args=(settings,), name="get ready", daemon=True)
    thread.start()
    return thread


def _sort_two(settings: ClusteringSettings) -> None:
    """Sort two tracks of one person: that loads libraries and compiled code."""
    vectors = np.tile(np.array([[1, 0]], np.float32), (2, 1))
    two = TrackSet(
        template=vectors,
        exemplars=vectors,
        owner=np.arange(2, dtype=np.int32),
        quality=np.ones(2, np.float32),
        founding=np.full(2, 2, np.uint8),
        cannot=np.zeros((0, 2), np.int32),
        person=np.full(2, -1, np.int32),
        size=2,
        others=np.zeros((0, 2), np.float32),
        model="",
    )
    try:
        import_module("archive.sorting.settle")
        CLUSTERERS.create(settings.method, settings=settings).cluster(two)
    except Exception as exc:  # noqa: BLE001 - the run itself will meet it, with its own tracks
        log.info("not made ready: %s", exc)

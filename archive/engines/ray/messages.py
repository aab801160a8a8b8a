"""What the engine and the process that drives a cluster for it say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive.engines import Job, OpenParts
from cvid.settings import Settings

RESUME = "what was finished is kept, and the same command goes on from there (docs/cluster.md)"


@dataclass(frozen=True)
class Patience:
    """How long is waited, s."""

    join_s: float = 60.0  # until the cluster is joined
    nodes_s: float = 30.0  # until there is a node again
    stalled_s: float = 900.0  # until a task that comes no further is given up


@dataclass(frozen=True)
class Order:
    """What the driver is to do, and an empty folder for what it and Ray leave behind; it is removed in the end."""

    open_parts: OpenParts
    settings: Settings
    jobs: Sequence[Job]
    patience: Patience
    folder: str


@dataclass(frozen=True)
class Joined:
    """The cluster is joined."""


@dataclass(frozen=True)
class Remark:
    """What the user should know of the cluster, in a sentence."""

    text: str


@dataclass(frozen=True)
class Finished:
    """All jobs are done."""

"""What every engine does with one job."""

from __future__ import annotations

from collections.abc import Callable

from archive.engines import Advances, Broke, Done, Job, Opened
from archive.scan import CHANGED, Stamp
from cvid.analyse import Parts, analyse
from cvid.errors import VideoError
from cvid.settings import Settings


def opened(parts: Parts) -> Opened:
    """What the loaded networks are."""
    providers = dict.fromkeys(parts.detector.providers + parts.embedder.providers)
    return Opened(f"{parts.detector.name}:{parts.detector.weights}", parts.embedder.model, tuple(providers))


def do(job: Job, parts: Parts, settings: Settings, tell: Callable[[Advances], None]) -> Done | Broke:
    """Analyse one file; one that changed since it was hashed has no result, for the key would be wrong."""
    try:
        analysis = analyse(job.path, job.sha256, parts, settings, lambda progress: tell(Advances(job, progress)))
        if Stamp.of(job.path.stat()) != job.stamp:
            return Broke(job, CHANGED)
    except VideoError as exc:
        return Broke(job, exc.reason if job.path.exists() else "it vanished before it was read to its end")
    except FileNotFoundError:
        return Broke(job, "it vanished before it was read to its end")
    return Done(job, analysis)

#!/usr/bin/env python3
"""Every detector alone, and several in tandem, on the frames that the selector keeps: found, extra, cost.

    CVID_BENCH_DATA=… python benchmarks/detectors.py [--kinds composed,lookalikes,room] [--step 1]
        [--detectors scrfd_500m,mtcnn] [--tandems scrfd_500m+mtcnn]

found: share of the people of truth, frame by frame, whose box holds the centre of a detection that may begin a track
(and the other way round); dim: the same in frames of a mean brightness below 60; extra: other detections a frame,
bystanders among them; ms: a frame, one thread, all in one run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from data import KINDS, data_folder, videos_of
from score import holds, read, truth_box

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cvid.analyse import look
from cvid.detectors import DETECTORS, TANDEMS, Detector
from cvid.errors import MissingDependency, ModelError
from cvid.frames import FrameSelector
from cvid.models.sets import choose
from cvid.settings import Settings
from cvid.tracking import Tracker
from cvid.types import Faces, Frame
from cvid.video import frames, probe

_DIM = 60


@dataclass
class Tally:
    """What one detector did so far."""

    seconds: float = 0.0
    frames: int = 0
    extra: int = 0
    seen: list[bool] = field(default_factory=list)
    dim: list[bool] = field(default_factory=list)

    def add(self, faces: Faces, truth: list[list[float]], is_dim: bool, seconds: float) -> None:
        boxes = [list(map(float, box)) for box in faces.xyxy]
        hits = [[holds(t, b) and holds(b, t) for b in boxes] for t in truth]
        found = [any(row) for row in hits]
        self.seen += found
        self.dim += found if is_dim else []
        self.extra += len(boxes) - int(np.any(hits, axis=0).sum() if boxes and truth else 0)
        self.seconds += seconds
        self.frames += 1

    def row(self) -> list[float]:
        dim = float(np.mean(self.dim)) if self.dim else float("nan")
        return [float(np.mean(self.seen)), dim, self.extra / self.frames, 1000 * self.seconds / self.frames]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="composed,lookalikes,room")
    parser.add_argument("--sets", help="single sets instead of kinds")
    parser.add_argument("--step", type=int, default=1, help="only every n-th video")
    parser.add_argument("--detectors", default=",".join(DETECTORS.names()))
    parser.add_argument("--tandems", default="", help="joined by +, the fast one first; without: all pairs")
    a = parser.parse_args()
    data = data_folder()
    singles = opened(a.detectors.split(","), data)
    tandems = [t.split("+") for t in a.tandems.split(",") if t] or [list(p) for p in combinations(singles, 2)]
    parts = dict(singles)
    for names in tandems:
        for way in TANDEMS.names():
            parts[f"{'+'.join(names)} {way}"] = TANDEMS.create(way, detectors=[singles[name] for name in names])
    tallies: dict[str, dict[str, Tally]] = {}
    for kind in a.sets.split(",") if a.sets else a.kinds.split(","):
        tallies[kind] = defaultdict(Tally)
        for name in [kind] if a.sets else KINDS[kind]:
            folder = data / "footage" / name
            truth = read(folder / "truth.csv")
            for video in videos_of(folder)[:: a.step]:
                watch(video, [t for t in truth if t["video"] == video.name], parts, tallies[kind])
        show(kind, tallies[kind])


def opened(names: list[str], data: Path) -> dict[str, Detector]:
    """The detectors whose weights are here."""
    found = {}
    for name in names:
        try:
            found[name] = choose("embedded", detectors=name, model_dir=str(data / "models")).open_detector()
        except (ModelError, MissingDependency) as exc:
            print(f"left out: {exc}"[:110])
    return found


def watch(video: Path, truth: list[dict[str, str]], parts: dict[str, Detector], tallies: dict[str, Tally]) -> None:
    """Run every detector over the kept frames of one video, each with a tracker of its own."""
    settings = Settings()
    trackers = {name: Tracker(settings.tracking, settings.faces) for name in parts}
    for frame, decision in FrameSelector(settings.selection).select(frames(video, probe(video, ""))):
        if decision.cut:
            for tracker in trackers.values():
                tracker.end_shot()
        if decision.keep:
            here = [t for t in truth if float(t["start_s"]) <= frame.time_s <= float(t["end_s"])]
            boxes = [truth_box(t, frame.time_s) for t in here]
            for name, detector in parts.items():
                judge(frame, detector, trackers[name], boxes, tallies[name], settings)


def judge(
    frame: Frame, detector: Detector, tracker: Tracker, truth: list[list[float]], tally: Tally, settings: Settings
) -> None:
    started = time.perf_counter()
    faces = detector.detect(frame.bgr, tracker.last_seen())
    seconds = time.perf_counter() - started

    class Given:
        name, weights, providers = "given", "", ()

        def detect(self, bgr: object, expected: object = None) -> Faces:
            return faces

    _, chips, quality = look(frame, Given())
    tracker.update(frame.time_s, frame.index, faces, chips, quality)
    sure = faces[faces.score >= settings.tracking.high_score]
    tally.add(sure, truth, float(frame.luma.mean()) < _DIM, seconds)


def show(kind: str, tallies: dict[str, Tally]) -> None:
    print(f"\n{kind:44}{'found':>8}{'dim':>8}{'extra':>8}{'ms':>8}")
    for name, tally in tallies.items():
        found, dim, extra, ms = tally.row()
        print(f"{name:44}{found:8.4f}{dim:8.4f}{extra:8.3f}{ms:8.1f}", flush=True)


if __name__ == "__main__":
    main()

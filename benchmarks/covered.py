#!/usr/bin/env python3
"""Which faces a cover misses: a detector looks at every frame of the source and of its copy with all faces covered.

    CVID_BENCH_DATA=… python benchmarks/covered.py [--sets real,composed-11] [--detector NAME] [--look NAME]

A face of the source is hidden if nine tenths of its box lie under covers in that frame. Of the others it is said where
they are: beside a track of the index in time (before it, after it, or in it but elsewhere), or far from any. "found in
the copy" counts what the detector still takes for a face where one was in the source. The first column covers what the
index found; the second also what a second look finds, by the detectors of the index or those of --look.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from annotate import cast_of
from data import data_folder, videos_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from archive.index import index_footage
from cvid.detectors import Detector
from cvid.detectors.boxes import overlap
from cvid.models.sets import SETS, choose_detector
from cvid.settings_sources import load_settings
from cvid.types import Track
from cvid.video import frames, probe
from reports.annotating.annotate import Cast, annotate
from reports.annotating.scene import Wish

_SURE = 0.6
_NEAR_S = 2.0
_FACE = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="real,composed-11")
    parser.add_argument("--detector", default="retinaface_mnet", help="that judges")
    parser.add_argument("--models", default="light", help="of the index")
    parser.add_argument("--speed", default="balanced", help="of the index")
    parser.add_argument("--look", default="", help="detectors of the second look")
    parser.add_argument("--videos", type=int, default=0, help="at most so many of each set; 0 is all")
    a = parser.parse_args()
    data = data_folder()
    settings = load_settings(flags={"models": a.models, "speed": a.speed})
    judge = choose_detector(a.detector, settings)
    second = choose_detector(a.look or ",".join(SETS[a.models].detectors), settings)
    for name in a.sets.split(","):
        videos = videos_of(data / "footage" / name)
        videos = videos[:: max(len(videos) // a.videos, 1)] if a.videos else videos
        counts: list[Counter[str]] = [Counter(), Counter()]
        with tempfile.TemporaryDirectory() as folder:
            archive, output = Path(folder) / "archive", Path(folder) / "out.mp4"
            index_footage(archive, videos, settings, lambda event: None)
            for video in videos:
                cast = cast_of(video, archive)
                there = [judged(judge, frame.bgr) for frame in frames(video, probe(video))]
                for column, detector in zip(counts, (None, second), strict=True):
                    annotate(video, cast, Wish("all"), output, detector=detector)
                    column += compared(video, output, cast, judge, there)
        faces = counts[0]["faces"]
        print(f"{name}: {faces:,} faces in {counts[0]['frames']:,} frames, looked for in every frame by {a.detector}")
        print(f"    {'':20}{'as indexed':>18}{'second look':>18}")
        for what in ("hidden", "before a track", "after a track", "in a track", "never found", "found in the copy"):
            told = "".join(f"{column[what]:>8,} {column[what] / max(faces, 1):>9.2%}" for column in counts)
            print(f"    {what:20}{told}", flush=True)


def judged(detector: Detector, bgr: np.ndarray) -> np.ndarray:
    """The boxes of the faces that a detector is sure of, float32 (n, 4)."""
    faces = detector.detect(bgr)
    return faces.xyxy[faces.score >= _SURE]


def compared(source: Path, copy: Path, cast: Cast, judge: Detector, there: list[np.ndarray]) -> Counter[str]:
    """Count the faces of a source by what became of them; `there` are their boxes, a frame."""
    counts: Counter[str] = Counter()
    tracks = [trail.track for trail in cast.trails]
    pairs = zip(frames(source, probe(source)), frames(copy, probe(copy)), there, strict=True)
    for old, new, before in pairs:
        high, wide = old.bgr.shape[:2]
        changed = np.abs(old.bgr.astype(int) - new.bgr[:high, :wide]).max(axis=2)
        counts["frames"] += 1
        counts["faces"] += len(before)
        for box in before:
            counts[place_of(box, old.time_s, changed, tracks)] += 1
        after = judged(judge, new.bgr)
        if len(before) and len(after):
            counts["found in the copy"] += int((overlap(before, after).max(axis=1) > _FACE).sum())
    return counts


def place_of(box: np.ndarray, time_s: float, changed: np.ndarray, tracks: list[Track]) -> str:
    """Is the face hidden, by what is left of its picture, and if not, where is it?"""
    x1, y1, x2, y2 = box.round().astype(int)
    part = changed[max(y1, 0) : y2, max(x1, 0) : x2]
    cells = part[: part.shape[0] // 4 * 4, : part.shape[1] // 4 * 4].reshape(part.shape[0] // 4, 4, -1, 4)
    if not cells.size or (cells.max(axis=(1, 3)) >= 8).mean() >= 0.9:
        return "hidden"
    near = [track for track in tracks if track.time_s[0] - _NEAR_S <= time_s <= track.time_s[-1] + _NEAR_S]
    beside = [track for track in near if overlap(box[None], track.xyxy).max() > 0.05]
    if not beside:
        return "never found"
    if any(track.time_s[0] <= time_s <= track.time_s[-1] for track in beside):
        return "in a track"
    return "before a track" if any(time_s < track.time_s[0] for track in beside) else "after a track"


if __name__ == "__main__":
    main()

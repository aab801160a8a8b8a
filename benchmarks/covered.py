#!/usr/bin/env python3
"""Which faces a cover misses: a detector looks at every frame of the source and of its copy with all faces covered.

    CVID_BENCH_DATA=… python benchmarks/covered.py [--sets real,composed-11] [--detector NAME]

A face of the source is hidden if nine tenths of its box lie under covers in that frame. Of the others it is said where
they are: beside a track of the index in time (before it, after it, or in it but elsewhere), or far from any. "found in
the copy" counts what the detector still takes for a face where one was in the source.
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
from cvid.detectors.boxes import overlap
from cvid.models.sets import choose_for
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
    parser.add_argument("--detector", default="retinaface_mnet")
    parser.add_argument("--models", default="light")
    parser.add_argument("--speed", default="balanced")
    parser.add_argument("--videos", type=int, default=0, help="at most so many of each set; 0 is all")
    a = parser.parse_args()
    data = data_folder()
    settings = load_settings(flags={"models": a.models, "speed": a.speed})
    detector = choose_for(load_settings(flags={"models": a.models, "detectors": a.detector})).open().detector
    for name in a.sets.split(","):
        videos = videos_of(data / "footage" / name)
        videos = videos[:: max(len(videos) // a.videos, 1)] if a.videos else videos
        counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            archive, output = Path(folder) / "archive", Path(folder) / "out.mp4"
            index_footage(archive, videos, settings, lambda event: None)
            for video in videos:
                cast = cast_of(video, archive)
                annotate(video, cast, Wish("all"), output)
                counts += compared(video, output, cast, detector)
        faces = counts["faces"]
        print(f"{name}: {faces:,} faces in {counts['frames']:,} frames, looked for in every frame by {a.detector}")
        for what in ("hidden", "before a track", "after a track", "in a track", "never found", "found in the copy"):
            print(f"    {what:20}{counts[what]:>8,} {counts[what] / max(faces, 1):>8.2%}")


def compared(source: Path, copy: Path, cast: Cast, detector: object) -> Counter[str]:
    counts: Counter[str] = Counter()
    tracks = [trail.track for trail in cast.trails]
    for old, new in zip(frames(source, probe(source)), frames(copy, probe(copy)), strict=True):
        before, after = detector.detect(old.bgr), detector.detect(new.bgr)
        before, after = before[before.score >= _SURE], after[after.score >= _SURE]
        high, wide = old.bgr.shape[:2]
        changed = np.abs(old.bgr.astype(int) - new.bgr[:high, :wide]).max(axis=2)
        counts["frames"] += 1
        counts["faces"] += len(before)
        for box in before.xyxy:
            counts[place_of(box, old.time_s, changed, tracks)] += 1
        if len(before) and len(after):
            counts["found in the copy"] += int((overlap(before.xyxy, after.xyxy).max(axis=1) > _FACE).sum())
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

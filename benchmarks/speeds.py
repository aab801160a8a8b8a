#!/usr/bin/env python3
"""How fast footage of known kinds is indexed, beside decoding alone: every speed, with all cores, in one run.

    CVID_BENCH_DATA=… python benchmarks/speeds.py [--minutes 10] [--scenes heads-1080p,still-1080p] [--rounds 3]

Each film is a scene of benchmarks/scenes.py, one after another without re-encoding. "decode" is FFmpeg alone with as
many threads as there are cores, every frame. Prints video seconds a second (median), the ratio to decoding, and the
peak memory of the largest process.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import av
from accuracy import MAIN
from data import data_folder
from memory import join
from scenes import SIZES, scene, write
from usage import measured

SPEEDS = ("thorough", "balanced", "skim")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default="heads-360p,heads-1080p,still-1080p,crowd-1080p,heads-4k")
    parser.add_argument("--speeds", default=",".join(SPEEDS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="light")
    parser.add_argument("--films", type=Path, help="keep the films here, and use those that are there")
    a = parser.parse_args()
    stills = data_folder() / "stills" / "lfw"
    with tempfile.TemporaryDirectory() as folder:
        films = a.films or Path(folder)
        films.mkdir(parents=True, exist_ok=True)
        print(f"{'film':14}{'speed':>10}{'video s/s':>11}{'× decode':>10}{'× balanced':>12}{'MiB':>7}  all rounds")
        for name in a.scenes.split(","):
            video, seconds = film(name, a.minutes, films, stills)
            rates: dict[str, list[float]] = {}
            peaks: dict[str, float] = {}
            for _ in range(a.rounds):
                rates.setdefault("decode", []).append(seconds / decoding(video))
                for speed in a.speeds.split(","):
                    took, peak = indexing(video, speed, a.models)
                    rates.setdefault(speed, []).append(seconds / took)
                    peaks[speed] = max(peak, peaks.get(speed, 0.0))
            for speed, rounds in rates.items():
                ratios = [
                    f"{median(r / base for r, base in zip(rounds, rates[of], strict=True)):.2f}" if of in rates else "–"
                    for of in ("decode", "balanced")
                ]
                print(
                    f"{name:14}{speed:>10}{median(rounds):>11.1f}{ratios[0]:>10}{ratios[1]:>12}"
                    f"{peaks.get(speed, 0):>7.0f}  {' '.join(f'{r:.1f}' for r in rounds)}",
                    flush=True,
                )


def film(name: str, minutes: float, folder: Path, stills: Path) -> tuple[Path, float]:
    """A film of so many minutes of one scene, and its length in seconds."""
    kind, size = name.split("-")
    shot = folder / f"{name}.mp4"
    if not shot.exists():
        write(shot, scene(kind, SIZES[size], 40, stills), SIZES[size])
    target = folder / f"{name}-{minutes:g}min.mp4"
    if not target.exists():
        join([shot], target, 60 * minutes)
    with av.open(str(target)) as container:
        return target, float(container.duration or 0) / av.time_base


def decoding(video: Path) -> float:
    """Seconds that FFmpeg takes to decode every frame with all cores."""
    begun = time.perf_counter()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass
    return time.perf_counter() - begun


def indexing(video: Path, speed: str, models: str, *flags: str) -> tuple[float, float]:
    """Wall seconds of a whole `cvid index`, and the peak of its largest process, MiB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(MAIN), "index", str(video), "--archive", str(Path(folder, "archive"))]
        usage = measured([*command, "--models", models, "--speed", speed, "--json", *flags])
    if usage.exit or json.loads(usage.out)["failures"]:
        sys.exit(f"{video.name} could not be indexed: {usage.reason}")
    return usage.seconds, usage.largest_mib


if __name__ == "__main__":
    main()

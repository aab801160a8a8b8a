#!/usr/bin/env python3
"""What more workers give: a folder of videos and one long film with one worker and with two; Ray beside them.

    CVID_BENCH_DATA=… python benchmarks/workers.py [--jobs 1,2] [--minutes 20] [--rounds 3] [--ray]

Wall seconds of whole runs of `cvid index`, start-up and folders included, in turn; the median of the ratios of each
round to the first of `--jobs`. With --ray the last number of jobs runs on a Ray cluster of this machine too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from accuracy import MAIN
from data import KINDS, data_folder, videos_of
from memory import join


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="light")
    parser.add_argument("--what", default="folder,film")
    parser.add_argument("--ray", action="store_true")
    a = parser.parse_args()
    data = data_folder()
    clips = [v for name in KINDS["composed"] for v in videos_of(data / "footage" / name)]
    ways = {f"{n} workers" if n != "1" else "1 worker": ["--jobs", n] for n in a.jobs.split(",")}
    if a.ray:
        most = a.jobs.split(",")[-1]
        ways[f"ray, {most} workers"] = ["--jobs", most, "--engine", "ray", "--ray-address", "local"]
    with tempfile.TemporaryDirectory() as folder:
        footage = {"folder": clips}
        if "film" in a.what.split(","):
            footage["film"] = [Path(folder, "film.mp4")]
            join(clips, footage["film"][0], 60 * a.minutes)
        print(f"{'footage':10}{'engine':16}{'seconds':>9}{'video s/s':>11}{'× first':>9}{'tracks':>8}  all rounds, s")
        for what in a.what.split(","):
            took: dict[str, list[float]] = {way: [] for way in ways}
            tracks: dict[str, int] = {}
            seconds = 0.0
            for _ in range(a.rounds):
                for way, flags in ways.items():
                    spent, summary = indexing(footage[what], a.models, flags)
                    took[way].append(spent)
                    tracks[way], seconds = summary["tracks"], summary["video_seconds"]
            first = next(iter(took.values()))
            for way, rounds in took.items():
                gain = median(base / mine for base, mine in zip(first, rounds, strict=True))
                print(
                    f"{what:10}{way:16}{median(rounds):>9.1f}{seconds / median(rounds):>11.1f}{gain:>9.2f}"
                    f"{tracks[way]:>8}  {' '.join(f'{r:.1f}' for r in rounds)}",
                    flush=True,
                )


def indexing(videos: list[Path], models: str, flags: list[str]) -> tuple[float, dict]:
    """Wall seconds of one whole run, and its summary."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(MAIN), "index", "--archive", str(Path(folder, "archive")), "--models", models]
        begun = time.perf_counter()
        done = subprocess.run(
            [*command, "--json", *flags, "--", *map(str, videos)],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - begun, json.loads(done.stdout)


if __name__ == "__main__":
    main()

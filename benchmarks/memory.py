#!/usr/bin/env python3
"""Does memory stay flat with the length of a video? Index one short and one long video, show the peak of each.

    CVID_BENCH_DATA=… python benchmarks/memory.py [--minutes 3,30] [--models light] [--jobs 1]

The videos are the clips of the composed footage, one after another without re-encoding.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import cycle
from pathlib import Path

import av
from accuracy import MAIN
from data import KINDS, data_folder, videos_of
from usage import measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", default="3,30")
    parser.add_argument("--models", default="light")
    parser.add_argument("--jobs", default="1")
    a = parser.parse_args()
    data = data_folder()
    clips = [v for name in KINDS["composed"] for v in videos_of(data / "footage" / name)]
    for minutes in a.minutes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder, "long.mp4")
            seconds = join(clips, video, 60 * float(minutes))
            command = [sys.executable, str(MAIN), "index", str(video), "--archive", str(Path(folder, "archive"))]
            usage = measured([*command, "--models", a.models, "--jobs", a.jobs, "--json"])
            together = f", {usage.together_mib:.0f} MiB all together" if usage.together_mib else ""
            peak = f"peak of the largest process {usage.largest_mib:.0f} MiB{together}"
            print(f"{seconds / 60:5.1f} min  {peak}  exit {usage.exit}", flush=True)


def join(clips: list[Path], target: Path, wanted_s: float) -> float:
    """Write clips one after another until `wanted_s` is reached; returns the length in seconds."""
    done_s = 0.0
    with av.open(str(target), "w") as out:
        stream = None
        for clip in cycle(clips):
            with av.open(str(clip)) as source:
                inner = source.streams.video[0]
                stream = stream or out.add_stream_from_template(inner)
                base = inner.time_base
                shift, last = round(done_s / base), 0
                for packet in source.demux(inner):
                    if packet.dts is None:
                        continue
                    last = max(last, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    out.mux(packet)
            done_s += float(last * base)
            if done_s >= wanted_s:
                return done_s
    raise AssertionError("no clips")


if __name__ == "__main__":
    main()

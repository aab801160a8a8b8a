#!/usr/bin/env python3
"""Annotating against decoding and encoding the same video alone, in one run.

    CVID_BENCH_DATA=… python benchmarks/annotate.py [VIDEO…] [--rounds 3] [--clips 3]

Each video is indexed once (light models), then decoded and encoded as annotating does it, with the same coding and the
same threads, but nothing is drawn; annotated; annotated with every face covered as it was indexed; and so with a second
look. They take turns; what is printed is the median of each in seconds of video a second, and of the ratios to the
first. Without VIDEO it is the first clips of composed-11 and of the real footage, each set as one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import av
from data import data_folder, videos_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from archive.catalogue import Catalogue
from archive.index import index_footage
from archive.trails import content_of, erased_from, indexed, trails_of
from cvid.models.sets import choose_detector
from cvid.settings_sources import load_settings
from reports.annotating.annotate import Cast, annotate
from reports.annotating.film import CODING
from reports.annotating.scene import Wish

_WAYS = ("alone", "annotated", "covered", "second look")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=3)
    a = parser.parse_args()
    data = data_folder()
    groups = {video.stem: [video] for video in a.videos} or {
        name: videos_of(data / "footage" / name)[: a.clips] for name in ("composed-11", "real")
    }
    print(f"{'':20}{'faces':>8}" + "".join(f"{way + ' ×':>14}" for way in _WAYS) + f"{'ratios':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, videos in groups.items():
            measured(name, videos, Path(folder), a.rounds)


def measured(name: str, videos: list[Path], folder: Path, rounds: int) -> None:
    """Print the line of one video, or of several as one."""
    archive, output = folder / f"{name}-archive", folder / "out.mp4"
    index_footage(archive, videos, load_settings(flags={"models": "light"}), lambda event: None)
    casts = {video: cast_of(video, archive) for video in videos}
    seconds = sum(cast.indexed.duration_s for cast in casts.values())
    ways: dict[str, Callable[[Path], object]] = {
        "alone": lambda video: alone(video, output),
        "annotated": lambda video: annotate(video, casts[video], Wish(), output),
        "covered": lambda video: annotate(video, casts[video], Wish("all"), output),
        "second look": lambda video: annotate(video, casts[video], Wish("all"), output, detector=detector),
    }
    detector = choose_detector("scrfd_500m", load_settings())
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, work in ways.items():
            begun = time.perf_counter()
            for video in videos:
                work(video)
            speeds[way].append(seconds / (time.perf_counter() - begun))
    faces = sum(len(trail.track) for cast in casts.values() for trail in cast.trails)
    figures = "".join(f"{median(speeds[way]):>14.1f}" for way in _WAYS)
    ratios = [median(x / y for x, y in zip(speeds[way], speeds["alone"], strict=True)) for way in _WAYS[1:]]
    print(f"{name:20}{faces:>8,}{figures}" + "".join(f"{ratio:>8.2f}" for ratio in ratios), flush=True)


def cast_of(video: Path, archive: Path) -> Cast:
    with Catalogue.open(archive) as catalogue:
        connection = catalogue.connection
        sha256 = content_of(connection, video)
        found = indexed(connection, sha256)
        assert found
        return Cast(found, trails_of(connection, sha256), erased_from(connection, sha256))


def alone(video: Path, output: Path) -> None:
    """Decode and encode, and nothing else: all that is not needed for that is left out, the sound too."""
    with (
        av.open(str(video)) as source,
        av.open(str(output), "w", format="mp4", container_options={"movflags": "+faststart"}) as target,
    ):
        stream = source.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", 0
        own = target.add_stream("libx264", rate=stream.average_rate, options=dict(CODING))
        own.width, own.height, own.pix_fmt = stream.width, stream.height, "yuv420p"
        own.codec_context.time_base = stream.time_base
        own.codec_context.thread_type, own.codec_context.thread_count = "AUTO", 0
        for frame in source.decode(stream):
            frame.pict_type = 0
            target.mux(own.encode(frame))
        target.mux(own.encode(None))


if __name__ == "__main__":
    main()

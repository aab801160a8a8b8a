#!/usr/bin/env python3
"""How time and memory grow with hours of footage, with the number of files, and with tracks and people.

    CVID_BENCH_DATA=… python benchmarks/footage_growth.py [--hours 0.1 0.25 0.5 1] [--files 50 200 500]
        [--tracks 1e3 1e4 1e5] [--models light] [--speed balanced] [--jobs 0] [--plot FILE]

Hours: one film of the clips of the composed footage, joined without re-encoding. Files: so many of a few seconds each,
cut from the same clips, indexed once and then a second time, when nothing is new. Tracks: clustering alone, of
templates as alike as faces of LFW (benchmarks/clustering_scale.py). A list may be empty: `--files`. With the defaults
ten to fifteen minutes on two cores; every further hour of film takes some three minutes, a million tracks five.

"largest" is the peak of the largest process, "all" that of all processes together, where /proc tells. The clips last
17 minutes: a longer film shows the same people again, so its tracks grow and its people do not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path

import av
from data import KINDS, data_folder, videos_of
from memory import join
from usage import measured

MAIN = Path(__file__).resolve().parent.parent / "main.py"
PIECE_S = 4.0

Row = dict[str, float]


def main() -> None:
    a = parse()
    data = data_folder()
    clips = [video for name in KINDS["composed"] for video in videos_of(data / "footage" / name)]
    indexed = ("video s", "seconds", "video s/s", "CPU s", "largest MiB", "all MiB", "tracks", "people")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        hours = grown("hours of one film", a.hours, indexed, lambda hours: of_film(clips, hours, place, a))
        again = ("files", *indexed[:-2], "again s")
        files = grown("files", a.files, again, lambda count: of_files(clips, int(count), place, a))
        sorting = ("tracks", "people", "seconds", "largest MiB", "B-cubed F")
        tracks = grown("tracks to cluster", a.tracks, sorting, lambda count: of_tracks(int(count), place, a))
    if a.plot and (hours or files or tracks):
        plot(a.plot, hours, files, tracks)
    wanted = len(a.hours) + len(a.files) + len(a.tracks)
    if len(hours) + len(files) + len(tracks) < wanted:
        sys.exit(1)


def parse() -> Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="*", default=[0.1, 0.25, 0.5, 1])
    parser.add_argument("--files", type=float, nargs="*", default=[50, 200, 500])
    parser.add_argument("--tracks", type=float, nargs="*", default=[1e3, 1e4, 1e5])
    parser.add_argument("--models", default="light")
    parser.add_argument("--speed", default="balanced")
    parser.add_argument("--jobs", default="0")
    parser.add_argument("--limit-s", type=float, default=7200, help="for one row")
    parser.add_argument("--limit-gib", type=float, default=8, help="for the clustering")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def grown(title: str, sizes: Iterable[float], columns: Sequence[str], row_of: Callable[[float], Row]) -> list[Row]:
    """One table, a line a size; what failed is said and left out."""
    rows: list[Row] = []
    for size in sizes:
        if not rows:
            print(f"\n{title}\n{'':10}" + "".join(f"{name:>13}" for name in columns), flush=True)
        try:
            rows.append(row_of(size) | {"size": size})
        except Failed as exc:
            print(f"{size:<10,g}{exc}", flush=True)
        else:
            print(f"{size:<10,g}" + "".join(f"{shown(rows[-1][name]):>13}" for name in columns), flush=True)
    return rows


class Failed(Exception):
    """A size could not be measured; the message says why."""


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


# --- hours and files


def of_film(clips: Sequence[Path], hours: float, place: Path, a: Namespace) -> Row:
    film = place / "film.mp4"
    join(list(clips), film, 3600 * hours)
    row = index(film, place / f"archive-{hours}-h", a)
    film.unlink()
    return row


def of_files(clips: Sequence[Path], count: int, place: Path, a: Namespace) -> Row:
    folder = place / f"{count}-files"
    folder.mkdir()
    for number, clip in enumerate(islice(cycle(clips), count)):
        cut(clip, folder / f"{number:06}.mp4", str(number))
    first = index(folder, place / f"archive-{count}-files", a)
    second = index(folder, place / f"archive-{count}-files", a)
    return first | {"files": float(count), "again s": second["seconds"]}


def cut(clip: Path, target: Path, mark: str) -> None:
    """The first seconds of a clip without re-encoding; the mark makes each file another one."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        inner = source.streams.video[0]
        stream = out.add_stream_from_template(inner)
        out.metadata["comment"] = mark
        for packet in source.demux(inner):
            if packet.dts is None or packet.dts * inner.time_base >= PIECE_S:
                break
            packet.stream = stream
            out.mux(packet)


def index(footage: Path, archive: Path, a: Namespace) -> Row:
    """What `cvid index` takes, start-up included, and what it finds."""
    command = [sys.executable, str(MAIN), "index", str(footage), "--archive", str(archive), "--json"]
    usage = measured([*command, "--models", a.models, "--speed", a.speed, "--jobs", a.jobs], a.limit_s)
    if usage.exit:
        raise Failed(f"exit {usage.exit} after {usage.seconds:.0f} s: {usage.reason}")
    said = json.loads(usage.out)
    return {
        "video s": said["video_seconds"],
        "seconds": usage.seconds,
        "video s/s": said["video_seconds"] / usage.seconds,
        "CPU s": usage.cpu_s,
        "largest MiB": usage.largest_mib,
        "all MiB": usage.together_mib or float("nan"),
        "tracks": float(said["tracks"]),
        "people": float(said["identities"]),
    }


# --- tracks and people


def of_tracks(count: int, place: Path, a: Namespace) -> Row:
    import numpy as np
    from clustering_scale import limited, templates

    from cvid.settings import ClusteringSettings

    data = place / "templates.npz"
    vectors, person = templates(count, seed=1)
    np.savez(data, vectors=vectors, person=person)
    people = len(np.unique(person))
    del vectors, person  # the process that is started begins with the memory of this one
    found = limited(ClusteringSettings().method, data, a)
    if "failed" in found:
        raise Failed(found["failed"])
    return {
        "tracks": float(count),
        "people": float(people),
        "seconds": found["seconds"],
        "largest MiB": found["mib"],
        "B-cubed F": found["f"],
    }


def plot(target: Path, hours: Sequence[Row], files: Sequence[Row], tracks: Sequence[Row]) -> None:
    from plots import Panel, draw_curves

    def of(rows: Sequence[Row], *columns: str) -> dict[str, list[tuple[float, float]]]:
        return {column: [(row["size"], row[column]) for row in rows] for column in columns}

    panels = [
        Panel("seconds of one film", "hours", of(hours, "seconds", "CPU s")),
        Panel("seconds of many files", "files", of(files, "seconds", "again s")),
        Panel("seconds of clustering", "tracks", of(tracks, "seconds"), "xy"),
        Panel("MiB of one film", "hours", of(hours, "largest MiB", "all MiB")),
        Panel("MiB of many files", "files", of(files, "largest MiB", "all MiB")),
        Panel("MiB of clustering", "tracks", of(tracks, "largest MiB"), "x"),
    ]
    drawn = [panel for panel in panels if any(panel.curves.values())]
    draw_curves(target, drawn, columns=len(drawn) // 2)  # seconds above, memory below


if __name__ == "__main__":
    main()

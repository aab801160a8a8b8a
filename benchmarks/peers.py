#!/usr/bin/env python3
"""cvid beside what its users would run instead, on the same footage, in one run, each in a process of its own.

    CVID_BENCH_DATA=… python benchmarks/peers.py [--sets composed-11] [--rounds 1] [--plot FILE]
        [--peers insightface,face_recognition,deepface,facenet-pytorch] [--models light,embedded]
        [--speeds thorough,balanced,skim] [--python-of PEER=PYTHON …]

A peer sees two frames a second and gives all its faces to one DBSCAN, with the radius that it recommends
(benchmarks/recipe.py). Seconds are those of the whole command, start-up included, "× insightface" how many times faster
that is, "in CPU s" by computing alone; CPU seconds and "all MiB" hold all processes of the command; linked F and
precision are benchmarks/score.py's. Below stands each peer's linked F with the best of all radii: the truth chose it,
so nobody can know it beforehand.

A peer whose package is missing is a line with the reason and the pip line. Packages that disagree with cvid's live in
environments of their own: --python-of face_recognition=/venv/bin/python names one, or $CVID_PEER_PYTHONS several, with
commas between.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from statistics import mean, median
from typing import Any

from data import data_folder, videos_of
from recipe import UNAVAILABLE
from recipes import PEERS, recipe_of
from score import read, score
from usage import Usage, measured

HERE = Path(__file__).resolve().parent
MAIN = HERE.parent / "main.py"
COLUMNS = {
    "seconds": 9,
    "CPU s": 9,
    "largest MiB": 13,
    "all MiB": 9,
    "video s/s": 11,
    "× insightface": 15,
    "in CPU s": 10,
    "linked F": 10,
    "precision": 11,
    "found": 8,
}
DIGITS = {"linked F": 3, "precision": 3, "found": 3, "× insightface": 2, "in CPU s": 2, "largest MiB": 0, "all MiB": 0}
REFERENCE = "insightface"
RADII = {"cosine": [x / 50 for x in range(1, 41)], "euclidean": [x / 40 for x in range(8, 49)]}

Row = dict[str, float]


@dataclass(frozen=True)
class Way:
    """One program with its settings; `peer` is empty for cvid."""

    name: str
    peer: str = ""
    python: str = sys.executable
    flags: tuple[str, ...] = ()


class NotRun(Exception):
    """A way gave no figures; the message says why."""


def main() -> None:
    a = parse()
    data, ways, sets = data_folder(), ways_of(a), a.sets.split(",")
    with tempfile.TemporaryDirectory() as name:
        kept = Path(name)
        table, missing = gathered(ways, [data / "footage" / name for name in sets], a.rounds, a.limit_s, kept)
        report(table, missing, ways, sets, data, kept)
    if a.plot:
        plot(a.plot, table, sets)
    if a.json:
        a.json.write_text(json.dumps([{"way": w, "set": s, **row} for (w, s), row in table.items()], indent=1))
    if any(not way.peer and way.name in missing for way in ways):
        sys.exit(1)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="composed-11")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--models", default="light,embedded")
    parser.add_argument("--speeds", default="thorough,balanced,skim")
    parser.add_argument("--python-of", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--rounds", type=int, default=1, help="each way so often, in turn; the median counts")
    parser.add_argument("--limit-s", type=float, default=3600, help="for one way and set")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path, help="write all figures here too")
    return parser.parse_args()


def ways_of(a: argparse.Namespace) -> list[Way]:
    named = [*filter(None, os.environ.get("CVID_PEER_PYTHONS", "").split(",")), *a.python_of]
    pythons = dict(pair.split("=", 1) for pair in named)
    peers = [Way(peer, peer, pythons.get(peer, sys.executable)) for peer in listed(a.peers)]
    cvid = [
        Way(f"cvid {models}, {speed}", flags=("--models", models, "--speed", speed))
        for models in listed(a.models)
        for speed in listed(a.speeds)
    ]
    return [*peers, *cvid]


def listed(names: str) -> Iterable[str]:
    return filter(None, names.split(","))


# --- what is measured


def gathered(
    ways: Sequence[Way], sets: Sequence[Path], rounds: int, limit_s: float, kept: Path
) -> tuple[dict[tuple[str, str], Row], dict[str, str]]:
    """The median row of each way and set, all ways in turn in every round; and why a way gave none."""
    rows: dict[tuple[str, str], list[Row]] = {}
    missing: dict[str, str] = {}
    for turn, footage, way in product(range(rounds), sets, ways):
        if way.name not in missing:
            try:
                row = run(way, footage, kept / way.name / footage.name / str(turn), limit_s)
            except NotRun as exc:
                missing[way.name] = str(exc)
            else:
                rows.setdefault((way.name, footage.name), []).append(row)
    table = {key: settled(several) for key, several in rows.items() if key[0] not in missing}
    return table, missing


def run(way: Way, footage: Path, place: Path, limit_s: float) -> Row:
    """The figures of one way on one set; what it saw stays at `place`."""
    place.mkdir(parents=True)
    usage = run_peer(way, footage, place, limit_s) if way.peer else run_cvid(way, footage, place, limit_s)
    figures = score(read(footage / "truth.csv"), read(place / "sightings.csv"))
    print(f"{footage.name} {way.name}: {usage.seconds:.1f} s", file=sys.stderr, flush=True)
    return {
        "seconds": usage.seconds,
        "CPU s": usage.cpu_s,
        "largest MiB": usage.largest_mib,
        "all MiB": usage.together_mib or float("nan"),
        "video s/s": length_s(footage) / usage.seconds,
        "linked F": figures["linked_f"],
        "precision": figures["linked_p"],
        "found": figures["found"],
    }


def run_peer(way: Way, footage: Path, place: Path, limit_s: float) -> Usage:
    script = str(HERE / "recipe.py")
    command = [way.python, script, "--peer", way.peer, "--sets", footage.name, "--keep", str(place)]
    try:
        usage = measured(command, limit_s)
    except OSError as exc:
        raise NotRun(f"{way.python}: {exc.strerror}") from exc
    if usage.exit == UNAVAILABLE:
        raise NotRun(f"{usage.reason}\n    {recipe_of(way.peer).PIP}")
    if usage.exit:
        raise NotRun(reason_of(usage, limit_s))
    return usage


def run_cvid(way: Way, footage: Path, place: Path, limit_s: float) -> Usage:
    common = ["--archive", str(place / "archive")]
    videos = map(str, videos_of(footage))
    usage = measured([sys.executable, str(MAIN), "index", *common, *way.flags, "--json", "--", *videos], limit_s)
    if usage.exit:
        raise NotRun(reason_of(usage, limit_s))
    export = ["export", *common, "--format", "csv", "-o", str(place / "sightings.csv")]
    exported = measured([sys.executable, str(MAIN), *export])
    if exported.exit:
        raise NotRun(exported.reason)
    return usage


def reason_of(usage: Usage, limit_s: float) -> str:
    return f"more than {limit_s:g} s" if usage.seconds > limit_s else f"exit {usage.exit}: {usage.reason}"


@cache
def length_s(footage: Path) -> float:
    import av

    def seconds(video: Path) -> float:
        with av.open(str(video)) as container:
            return (container.duration or 0) / av.time_base

    return sum(map(seconds, videos_of(footage)))


def settled(rows: Sequence[Row]) -> Row:
    """The median of each figure over the rounds."""
    return {name: median(row[name] for row in rows) for name in rows[0]}


# --- what is shown


def report(
    table: dict[tuple[str, str], Row],
    missing: dict[str, str],
    ways: Sequence[Way],
    sets: Sequence[str],
    data: Path,
    kept: Path,
) -> None:
    for name in sets:
        footage = data / "footage" / name
        print(f"\n{name}: {len(videos_of(footage))} videos, {length_s(footage):.0f} s, {os.cpu_count()} cores")
        show({way: row for (way, where), row in table.items() if where == name})
    if len(sets) > 1:
        print(f"\nall {len(sets)} sets: means, the highest memory")
        show(together(table, sets))
    print()
    for way in ways:
        if way.name in missing:
            print(f"{way.name}: not run here: {missing[way.name]}")
        elif way.peer:
            recipe = recipe_of(way.peer)
            print(f"{way.name}: {recipe.WHAT}; DBSCAN {recipe.METRIC} {recipe.EPS:g}, {recipe.FROM}")
    for way in ways:
        if way.peer and way.name not in missing:
            best_radius(way, sets, data, kept)


def show(rows: dict[str, Row]) -> None:
    print(f"{'':28}" + "".join(f"{name:>{width}}" for name, width in COLUMNS.items()))
    reference = rows.get(REFERENCE, {"seconds": float("nan"), "CPU s": float("nan")})
    for way, row in rows.items():
        ratios = {"× insightface": reference["seconds"] / row["seconds"], "in CPU s": reference["CPU s"] / row["CPU s"]}
        shown = row | ratios
        cells = (f"{shown[name]:>{width}.{DIGITS.get(name, 1)}f}" for name, width in COLUMNS.items())
        print(f"{way:28}" + "".join(cells), flush=True)


def together(table: dict[tuple[str, str], Row], sets: Sequence[str]) -> dict[str, Row]:
    """Each way over all sets, where it managed all."""
    found = {}
    for way in dict.fromkeys(way for way, _ in table):
        rows = [table[way, name] for name in sets if (way, name) in table]
        if len(rows) == len(sets):
            highest = {name: max(row[name] for row in rows) for name in ("largest MiB", "all MiB")}
            found[way] = {name: mean(row[name] for row in rows) for name in rows[0]} | highest
    return found


def best_radius(way: Way, sets: Sequence[str], data: Path, kept: Path) -> None:
    """One line: the radius with the highest mean linked F, which a user cannot know."""
    import numpy as np
    from recipe import name_them

    metric = recipe_of(way.peer).METRIC
    seen: list[tuple[Any, list[dict[str, str]], Any]] = [
        (
            read(data / "footage" / name / "truth.csv"),
            read(kept / way.name / name / "0" / "sightings.csv"),
            np.load(kept / way.name / name / "0" / "vectors.npy"),
        )
        for name in sets
    ]
    scores = {}
    for radius in RADII[metric]:
        for _, rows, vectors in seen:
            name_them(rows, vectors, radius, metric)
        scores[radius] = mean(score(truth, rows)["linked_f"] for truth, rows, _ in seen)
    best = max(scores, key=scores.__getitem__)
    print(f"{way.name}: with the best of all radii, {metric} {best:g}, linked F {scores[best]:.3f}", flush=True)


def plot(target: Path, table: dict[tuple[str, str], Row], sets: Sequence[str]) -> None:
    """Seconds against linked F, one colour a way, one point a set."""
    from plots import Panel, draw_points

    curves = {
        way: [(table[way, name]["seconds"], table[way, name]["linked F"]) for name in sets if (way, name) in table]
        for way in dict.fromkeys(way for way, _ in table)
    }
    draw_points(target, Panel("what it costs, what it finds: " + ", ".join(sets), "seconds", curves, "x"), "linked F")


if __name__ == "__main__":
    main()

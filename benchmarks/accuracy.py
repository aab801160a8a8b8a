#!/usr/bin/env python3
"""Index the footage sets with the real command and score what it exports.

    CVID_BENCH_DATA=… python benchmarks/accuracy.py [--models light] [--kinds composed] [--strangers 1500] [-- FLAGS…]

Prints one line a set and one a kind: linked F, precision, macro F, found, mixed, ratio, video seconds a second.
FLAGS go to `index` as they are, such as `--set selection.flow=false`. --strangers indexes so many photographs of
people who do not appear in the footage beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

from data import KINDS, data_folder, videos_of
from score import read, score

MAIN = Path(__file__).resolve().parent.parent / "main.py"
FIGURES = ("linked_f", "linked_p", "linked_macro_f", "found", "mixed", "b3_f", "ratio", "extra", "unassigned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="light")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--sets", help="single sets instead of kinds, such as composed-11")
    parser.add_argument("--footage", type=Path, help="folder of sets instead of $CVID_BENCH_DATA/footage")
    parser.add_argument("--strangers", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all figures here too")
    parser.add_argument("flags", nargs="*", help="for `index`, after --")
    a = parser.parse_args()
    data = data_folder()
    footage = a.footage or data / "footage"
    groups = {"sets": a.sets.split(",")} if a.sets else {k: KINDS[k] for k in a.kinds.split(",")}
    print(f"{'set':16}" + "".join(f"{name:>15}" for name in (*FIGURES, "analysed", "video s/s")))
    everything: dict[str, dict[str, float]] = {}
    for kind, sets in groups.items():
        results = {}
        for name in sets:
            results[name] = run(footage / name, data, a.models, a.strangers, a.flags)
            show(name, results[name])
        everything |= results
        if len(sets) > 1:
            show(f"{kind} mean", {k: mean(r[k] for r in results.values()) for k in results[sets[0]]})
            show(f"{kind} min", {k: min(r[k] for r in results.values()) for k in results[sets[0]]})
    if a.json:
        a.json.write_text(json.dumps(everything, indent=1))


def run(footage: Path, data: Path, models: str, strangers: int, flags: list[str]) -> dict[str, float]:
    """Index one set in a fresh archive, export it and score it."""
    truth = read(footage / "truth.csv")
    with tempfile.TemporaryDirectory() as folder:
        archive, export = Path(folder, "archive"), Path(folder, "sightings.csv")
        sources = [str(video) for video in videos_of(footage)]
        if strangers:
            sources.append(str(crowd(data, Path(folder, "crowd"), {row["person"] for row in truth}, strangers)))
        common = ["--archive", str(archive)]
        said = subprocess.run(
            [sys.executable, str(MAIN), "index", *common, "--models", models, "--json", *flags, "--", *sources],
            check=True,
            stdout=subprocess.PIPE,
        )
        summary = json.loads(said.stdout)
        subprocess.run(
            [sys.executable, str(MAIN), "export", *common, "--format", "csv", "-o", str(export)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        figures = score(truth, read(export))
    frames = summary["frames"]
    return {
        **{k: float(v) for k, v in figures.items()},
        "identities": float(summary["identities"]),
        "analysed": float(frames["analysed"]),
        "seconds": summary["seconds"],
        "video s/s": summary["video_seconds"] / max(summary["seconds"], 1e-9),
    }


def crowd(data: Path, folder: Path, cast: set[str], count: int) -> Path:
    """Copy one photograph each of `count` people who are not in the cast."""
    folder.mkdir()
    people = [p for p in sorted((data / "stills" / "lfw").iterdir()) if p.is_dir() and p.name not in cast][:count]
    for person in people:
        shutil.copy(min(person.glob("*.jpg")), folder / f"{person.name}.jpg")
    return folder


def show(name: str, r: dict[str, float]) -> None:
    print(f"{name:16}" + "".join(f"{r[k]:>15.3f}" for k in (*FIGURES, "analysed", "video s/s") if k in r), flush=True)


if __name__ == "__main__":
    main()

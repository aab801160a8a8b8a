#!/usr/bin/env python3
"""Every clustering method side by side, plain average-link, and hybrid with each of its ideas taken out.

    CVID_BENCH_DATA=… python benchmarks/tracksets.py CACHE --models light
    CVID_BENCH_DATA=… python benchmarks/clustering.py CACHE [--models light] [--only NAME …]

One line a way: linked F, mean (minimum) over the sets of a kind, precision, macro F and ratio; the same sets of
composed and look-alikes among 1,500 strangers' photographs: linked F, mixed and how far linked F falls; the stills:
B-cubed F, seconds and peak memory of the process. Each way has a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import KINDS
from score import score
from tracksets import STILLS, STRANGERS, Seen, load, place_of

from cvid.clustering import CLUSTERERS
from cvid.evaluation.bcubed import b_cubed
from cvid.settings import ClusteringSettings

NOTHING = 1e-9
"""A share that asks for nothing; 0 would stand for the model's own."""
CONSTANT = {"mobilefacenet": 0.36, "dlib_resnet": 0.55}
WAYS: dict[str, dict[str, Any]] = {
    "hybrid": {},
    "hybrid, cautious": {"strictness": "cautious"},
    "hybrid, eager": {"strictness": "eager"},
    "without second pass": {"second_pass": False},
    "without normalisation": {"normalisation": NOTHING},
    "without margin": {"margin": 0.0},
    "without cohesion": {"cohesion": NOTHING},
    "with a constant bar": {"bar": CONSTANT},
    "average": {"method": "average"},
    "plain average-link": {"method": "average", "bar": CONSTANT, "cohesion": NOTHING},
    **{name: {"method": name} for name in ("dbscan", "agglomerative", "hdbscan", "kmeans", "spectral")},
}
CROWD = 1500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--models", default="light")
    parser.add_argument("--only", nargs="*", default=list(WAYS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.one:
        print(line(a.cache, a.models, a.one), flush=True)
        return
    heads = "composed: F (min) · P · macro · ratio | look-alikes | room | real"
    crowded = "composed among strangers: F · mixed | look-alikes among strangers"
    print(f"| way | {heads} | {crowded} | stills: B-cubed F | s | MiB |")
    print("|---" * 10 + "|", flush=True)
    for way in a.only:
        command = [sys.executable, __file__, str(a.cache), "--models", a.models, "--one", way]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(done.stdout.strip() or f"| {way} | {(done.stderr.strip().splitlines() or [''])[-1]} |", flush=True)


def line(cache: Path, models: str, way: str) -> str:
    """A row of the table."""

    def seen(name: str) -> Seen:
        return load(place_of(cache, models, name))

    crowd = seen(STRANGERS)
    cells = [way]
    for kind in ("composed", "lookalikes", "room", "real"):
        found = [figures(seen(name), way) for name in KINDS[kind]]
        cells.append(
            f"{mean(f['linked_f'] for f in found):.3f} ({min(f['linked_f'] for f in found):.3f}) · "
            f"{mean(f['linked_p'] for f in found):.3f} · {mean(f['linked_macro_f'] for f in found):.3f} · "
            f"{mean(f['ratio'] for f in found):.2f}"
        )
    for kind in ("composed", "lookalikes"):
        found = [figures(seen(name).among(crowd, CROWD), way) for name in KINDS[kind]]
        cells.append(f"{mean(f['linked_f'] for f in found):.3f} · {mean(f['mixed'] for f in found):.3f}")
    stills = seen(STILLS)
    people = np.unique([row["person"] for row in stills.truth], return_inverse=True)[1][stills.held]
    began = time.perf_counter()
    try:
        good = f"{b_cubed(labels_of(stills, way), people).f:.4f}"
    except Exception as exc:  # noqa: BLE001 - a method that refuses so many is told in the table
        good = str(exc)[:60]
    cells += [good, f"{time.perf_counter() - began:.1f}"]
    cells.append(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    return "| " + " | ".join(cells) + " |"


def figures(seen: Seen, way: str) -> dict[str, float]:
    return {name: float(value) for name, value in score(seen.truth, seen.identified(labels_of(seen, way))).items()}


def labels_of(seen: Seen, way: str) -> Any:
    model = seen.model.split(":")[0]
    chosen = {key: value[model] if isinstance(value, dict) else value for key, value in WAYS[way].items()}
    settings = ClusteringSettings(**chosen)
    return CLUSTERERS.create(settings.method, settings=settings).cluster(seen.track_set(settings)).labels


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Videos added one by one, in any order, against everything sorted at once.

    CVID_BENCH_DATA=… python benchmarks/growth.py CACHE [--models light] [--orders 5]

CACHE is a folder that `benchmarks/tracksets.py` filled. Footage: linked F at once, then mean (minimum) over random
orders of the videos, and how many tracks are sorted again for a new one. Stills: B-cubed F, picture by picture.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import mean

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from score import score
from tracksets import STILLS, Seen, load, place_of

from cvid.clustering import CLUSTERERS
from cvid.clustering.bars import bar_for
from cvid.clustering.growth import grow
from cvid.evaluation.bcubed import b_cubed
from cvid.settings import ClusteringSettings
from cvid.types import Ints, TrackSet

SETTINGS = ClusteringSettings()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--models", default="light")
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--sets", default="")
    a = parser.parse_args()
    names = a.sets.split(",") if a.sets else sorted(path.stem for path in (a.cache / a.models).glob("*.npz"))
    print(f"{'set':16}{'at once':>10}{'one by one':>18}{'sorted again':>14}{'ms a track':>12}")
    for name in names:
        if not name.startswith("strangers"):
            seen = load(place_of(a.cache, a.models, name))
            tracks = seen.track_set(SETTINGS)
            at_once = figure(name, seen, CLUSTERERS.create(SETTINGS.method, settings=SETTINGS).cluster(tracks).labels)
            grown = [one_by_one(name, seen, tracks, np.random.default_rng(order)) for order in range(a.orders)]
            found = [figure(name, seen, labels) for labels, _, _ in grown]
            print(
                f"{name:16}{at_once:>10.4f}{mean(found):>10.4f} ({min(found):.4f})"
                f"{mean(again for _, again, _ in grown):>13.1f}{mean(ms for _, _, ms in grown):>12.1f}",
                flush=True,
            )


def one_by_one(name: str, seen: Seen, tracks: TrackSet, random: np.random.Generator) -> tuple[Ints, float, float]:
    """Labels, tracks that were sorted for each video, and milliseconds a track."""
    video = seen.video[seen.held]
    known = np.zeros(len(tracks), np.bool_)
    labels: Ints = np.full(len(tracks), -1, np.int64)
    again, began = [], time.perf_counter()
    for one in random.permutation(np.unique(video)).tolist():
        known |= video == one
        rows = np.flatnonzero(known)
        bar = bar_for(tracks.model, len(rows), SETTINGS)
        labels[rows], sorted_again = grow(tracks[rows], labels[rows], video[rows] == one, bar, cluster)
        again.append(len(sorted_again))
    return labels, mean(again), (time.perf_counter() - began) / max(len(tracks), 1) * 1e3


def cluster(some: TrackSet, rows: Ints) -> Ints:
    return CLUSTERERS.create(SETTINGS.method, settings=SETTINGS).cluster(some).labels.astype(np.int64)


def figure(name: str, seen: Seen, labels: Ints) -> float:
    """Linked F of footage, B-cubed F of stills."""
    if name == STILLS:
        people = np.unique([row["person"] for row in seen.truth], return_inverse=True)[1][seen.held]
        return b_cubed(labels, people).f
    return float(score(seen.truth, seen.identified(labels))["linked_f"])


if __name__ == "__main__":
    main()

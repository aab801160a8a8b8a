#!/usr/bin/env python3
"""How long clustering takes, how much memory, and how good it stays, for a thousand to a million tracks.

    python benchmarks/clustering_scale.py [--sizes 1e3 1e4 1e5 1e6] [--methods NAME …] [--growth] [--plot FILE]

Methods are the names of cvid's registry (the archive's default unless told otherwise), and, as they come, with the
same bar: `exact` (scipy's average-link over all pairs, without cohesion), `sklearn-dbscan`, `sklearn-agglomerative`
and `sklearn-hdbscan` or `hdbscan-package`. `all` is all of these. Each runs in a process of its own, within --limit-s
seconds and --limit-gib of memory. Seconds are those of the clustering, without imports and compiling; memory is the
peak of the whole process, templates included. --growth adds 100 tracks to each archive instead.

Templates are drawn so that they are as alike as MobileFaceNet finds the faces of the LFW half (`templates` below).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cvid.clustering import CLUSTERERS
from cvid.clustering.bars import bar_for
from cvid.clustering.graph import NeighbourIndex
from cvid.evaluation.bcubed import b_cubed
from cvid.settings import ClusteringSettings
from cvid.types import Floats, Ints, TrackSet

DIMENSIONS = 128
ADDED = 100
MODEL = "mobilefacenet:0"
Labels = NDArray[Any]


def main() -> None:
    arguments = parse()
    if arguments.one:
        print(json.dumps(measure(*arguments.one)))
        return
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, arguments.sizes):
            data = Path(folder) / "templates.npz"
            vectors, person = templates(size + ADDED * arguments.growth, arguments.seed)
            np.savez(data, vectors=vectors, person=person)
            del vectors
            print(f"\n{size:,} tracks of {len(np.unique(person)):,} people, bar {bar_of(size):.3f}")
            for method in methods_of(arguments):
                row = {"tracks": size, "method": method, **limited(method, data, arguments)}
                table.append(row)
                print(line(row), flush=True)
    if arguments.plot:
        plot(arguments.plot, table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6])
    parser.add_argument("--methods", nargs="+", default=[ClusteringSettings().method])
    parser.add_argument("--growth", action="store_true", help=f"add {ADDED} tracks to an archive that is sorted")
    parser.add_argument("--limit-s", type=float, default=900)
    parser.add_argument("--limit-gib", type=float, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def methods_of(arguments: argparse.Namespace) -> Sequence[str]:
    if arguments.growth:
        return ["growth"]
    return [*CLUSTERERS.names(), *OTHERS] if arguments.methods == ["all"] else arguments.methods


# --- templates as alike as those of LFW


def templates(count: int, seed: int) -> tuple[Floats, Ints]:
    """Unit vectors, float32 (count, 128), and who each shows, int64 (count,), in random order.

    A person is a point near one of forty kinds of faces, a track lies at a cosine from it that varies by person and,
    skewed, by track. 6,000 of them, no more than 40 of a person, mean of two seeds; below, the 5,023 pictures of LFW:

        one person, quantiles 1, 5, 25, 50, 75, 95 %:   0.382 0.475 0.596 0.674 0.745 0.844
                                                        0.356 0.473 0.604 0.681 0.746 0.825
        two people, cosine at FAR 1e-1, 1e-2 … 1e-6:    0.136 0.250 0.337 0.406 0.460 0.503
                                                        0.142 0.253 0.336 0.403 0.462 0.512

    Tracks of a person are long-tailed, as pictures are there: more than k with the frequency k^-1.1, up to 2,000.
    """
    random = np.random.default_rng(seed)
    person = np.repeat(*people_of(count, random))
    kinds = points(40, random)
    centre = unit(0.49 * kinds[random.integers(40, size=person[-1] + 1)] + 0.872 * points(person[-1] + 1, random))
    near = random.normal(0.817, 0.045, len(centre))[person] - 0.047 * (random.gamma(2, size=count) - 2)
    near = np.clip(near, 0.1, 0.97).astype(np.float32)[:, None]
    person = person.astype(np.int64)
    order = random.permutation(count)
    person, near = person[order], near[order]
    vectors = np.empty((count, DIMENSIONS), np.float32)
    for start in range(0, count, 50_000):
        rows = slice(start, start + 50_000)
        own = centre[person[rows]]
        aside = points(len(own), random)
        aside = unit(aside - (aside * own).sum(axis=1, keepdims=True) * own)
        vectors[rows] = near[rows] * own + np.sqrt(1 - near[rows] ** 2) * aside
    return vectors, person


def people_of(tracks: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """A number for each person, and how many of the tracks are of each."""
    drawn = np.minimum(random.random(tracks) ** (-1 / 1.1), 2_000).astype(np.int64)
    people = int(np.searchsorted(np.cumsum(drawn), tracks)) + 1
    counts = drawn[:people]
    counts[-1] -= counts.sum() - tracks
    return np.arange(people), counts


def points(count: int, random: np.random.Generator) -> Floats:
    """Directions as faces have them: some 90 of the 128 dimensions carry most of what parts people."""
    spread = 1 / np.sqrt(1 + np.exp((np.arange(DIMENSIONS) - 88) / 12))
    return unit(random.standard_normal((count, DIMENSIONS), dtype=np.float32) * spread.astype(np.float32))


def unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def bar_of(tracks: int) -> float:
    return bar_for(MODEL, tracks, ClusteringSettings())


def track_set(vectors: Floats) -> TrackSet:
    """Clear tracks, any of which may found a person, with their template for an exemplar."""
    n = len(vectors)
    return TrackSet(
        vectors,
        vectors,
        np.arange(n, dtype=np.int32),
        np.full(n, 0.8, np.float32),
        np.full(n, 2, np.uint8),
        np.zeros((0, 2), np.int32),
        np.full(n, -1, np.int32),
        n,
        vectors[:0],
        MODEL,
    )


# --- what is measured


def limited(method: str, data: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure a method in a process of its own; where it does not get there, why."""

    def limit() -> None:
        most = int(arguments.limit_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))

    command = [sys.executable, __file__, "--one", method, str(data)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=arguments.limit_s, preexec_fn=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {arguments.limit_s:g} s"}
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
        memory = any(word in done.stderr for word in ("MemoryError", "bad_alloc", "allocate"))
        return {"failed": f"more than {arguments.limit_gib:g} GiB" if memory else reason}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(method: str, data: str) -> dict[str, Any]:
    """Seconds, peak of memory in MiB, and B-cubed figures of one method on one set of templates."""
    with np.load(data) as stored:
        vectors, person = stored["vectors"], stored["person"]
    if method == "growth":
        seconds, labels = grown(vectors, person)
    else:
        cluster = OTHERS[method] if method in OTHERS else by_name(method)
        cluster(vectors[:300], 0.5)  # imports and compiles
        started = time.perf_counter()
        labels = cluster(vectors, bar_of(len(vectors)))
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    good = b_cubed(labels, person)
    return {"seconds": seconds, "mib": peak, "f": good.f, "precision": good.precision, "recall": good.recall}


def by_name(method: str) -> Callable[[Floats, float], Labels]:
    return lambda vectors, bar: (
        CLUSTERERS.create(method, settings=ClusteringSettings()).cluster(track_set(vectors)).labels
    )


def exact(vectors: Floats, bar: float) -> Labels:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    return np.asarray(fcluster(linkage(pdist(vectors, "cosine"), "average"), 1 - bar, "distance"))


def sklearn_dbscan(vectors: Floats, bar: float) -> Labels:
    from sklearn.cluster import DBSCAN

    return np.asarray(DBSCAN(eps=(2 - 2 * bar) ** 0.5, min_samples=2, n_jobs=-1).fit_predict(vectors))


def sklearn_agglomerative(vectors: Floats, bar: float) -> Labels:
    from sklearn.cluster import AgglomerativeClustering

    method = AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=1 - bar)
    return np.asarray(method.fit_predict(vectors))


def sklearn_hdbscan(vectors: Floats, bar: float) -> Labels:
    from sklearn.cluster import HDBSCAN

    return np.asarray(HDBSCAN(min_cluster_size=2, n_jobs=-1, copy=True).fit_predict(vectors))


def hdbscan_package(vectors: Floats, bar: float) -> Labels:
    from hdbscan import HDBSCAN

    return np.asarray(HDBSCAN(min_cluster_size=2, core_dist_n_jobs=-1).fit_predict(vectors))


OTHERS: dict[str, Callable[[Floats, float], Labels]] = {
    "exact": exact,
    "sklearn-dbscan": sklearn_dbscan,
    "sklearn-agglomerative": sklearn_agglomerative,
    "sklearn-hdbscan": sklearn_hdbscan,
    "hdbscan-package": hdbscan_package,
}


def grown(vectors: Floats, person: Ints) -> tuple[float, Labels]:
    """Seconds for the last tracks to join those before them, which are sorted as in truth, once the index is there."""
    from cvid.clustering.growth import grow

    settings = ClusteringSettings()
    before = np.where(np.arange(len(vectors)) < len(vectors) - ADDED, person, -1).astype(np.int64)
    tracks = track_set(vectors)
    index = NeighbourIndex(vectors)
    index.prepare()

    def cluster(part: TrackSet, rows: Ints) -> Ints:
        return CLUSTERERS.create(settings.method, settings=settings).cluster(part).labels.astype(np.int64)

    grow(tracks, before, before < 0, bar_of(len(vectors)), cluster, index)  # compiles, where nobody did before
    started = time.perf_counter()
    labels, _ = grow(tracks, before, before < 0, bar_of(len(vectors)), cluster, index)
    return time.perf_counter() - started, labels


# --- what is shown


def line(row: dict[str, Any]) -> str:
    if "failed" in row:
        return f"{row['method']:>22}  {row['failed']}"
    return (
        f"{row['method']:>22}  {row['seconds']:8.2f} s  {row['mib']:7.0f} MiB  "
        f"B-cubed F {row['f']:.4f}  P {row['precision']:.4f}  R {row['recall']:.4f}"
    )


def plot(path: Path, table: Sequence[dict[str, Any]]) -> None:
    """Draw seconds, memory and B-cubed F against the number of tracks."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(14, 5), layout="constrained")
    panels = drawing.subplots(1, 3)
    for axes, key, name in zip(panels, ("seconds", "mib", "f"), ("seconds", "peak MiB", "B-cubed F"), strict=True):
        for method, rows in by_method(table):
            axes.plot([r["tracks"] for r in rows], [r[key] for r in rows], marker="o", label=method)
        axes.set_xscale("log")
        axes.set_yscale("linear" if key == "f" else "log")
        axes.set_xlabel("tracks")
        axes.set_title(name)
        axes.grid(alpha=0.3)
    panels[0].legend()
    drawing.savefig(path, dpi=110)


def by_method(table: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each method with the sizes that it managed."""
    for method in dict.fromkeys(row["method"] for row in table):
        if rows := [row for row in table if row["method"] == method and "failed" not in row]:
            yield method, rows


if __name__ == "__main__":
    main()

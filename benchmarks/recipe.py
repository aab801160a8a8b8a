#!/usr/bin/env python3
"""What a user would run instead of cvid: two frames a second, every face embedded, one DBSCAN over all faces.

    CVID_BENCH_DATA=… python benchmarks/recipe.py [--peer insightface] [--sets composed-11]

The faces come from the package that --peer names, as its users call it (benchmarks/recipes/); DBSCAN is
scikit-learn's. Without --peer it is insightface with the same SCRFD and MobileFaceNet files as the `light` set.
Prints linked F and video seconds a second, without the time of imports. It needs nothing of cvid, so that any
interpreter may run it; one that lacks the package ends with exit code 69 and the reason.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from data import KINDS, data_folder, videos_of
from recipes import PEERS, Faces, Unusable, recipe_of
from score import read, score

RATE_HZ = 2.0
UNAVAILABLE = 69
COLUMNS = ("identity", "video", "start_s", "end_s", "best_s", "x1", "y1", "x2", "y2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=PEERS, default="insightface")
    parser.add_argument("--sets", default=",".join(KINDS["composed"] + KINDS["lookalikes"]))
    parser.add_argument("--min-samples", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="write sightings.csv and vectors.npy here instead of scoring")
    a = parser.parse_args()
    data, recipe = data_folder(), recipe_of(a.peer)
    try:
        for needed in ("cv2", "sklearn.cluster", *recipe.IMPORTS):
            import_module(needed)
        started = time.perf_counter()
        faces = recipe.opened(data)
    except (ImportError, RuntimeError, Unusable) as exc:
        print(" ".join(str(exc).split()), file=sys.stderr)
        sys.exit(UNAVAILABLE)
    loading = time.perf_counter() - started
    for name in a.sets.split(","):
        started = time.perf_counter()
        rows: list[dict[str, Any]] = []
        vectors: list[Any] = []
        seconds = 0.0
        for video in videos_of(data / "footage" / name):
            seconds += look(video, faces, rows, vectors)
        name_them(rows, vectors, recipe.EPS, recipe.METRIC, a.min_samples)
        spent = time.perf_counter() - started + loading
        if a.keep:
            keep(a.keep, rows, vectors)
        else:
            show(name, score(read(data / "footage" / name / "truth.csv"), rows), seconds / spent)


def look(video: Path, faces: Faces, rows: list[dict[str, Any]], vectors: list[Any]) -> float:
    """Add every face of every sampled frame; the video's length in seconds."""
    import cv2

    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS)
    every, index = max(round(fps / RATE_HZ), 1), 0
    while capture.grab():
        if index % every == 0:
            _, frame = capture.retrieve()
            at = index / fps
            for box, vector in faces(frame):
                corners = dict(zip(("x1", "y1", "x2", "y2"), map(float, box), strict=True))
                rows.append({"video": video.name, "start_s": at, "end_s": at, "best_s": at, **corners})
                vectors.append(vector)
        index += 1
    return index / fps


def name_them(rows: Sequence[dict[str, Any]], vectors: Sequence[Any], eps: float, metric: str, least: int = 2) -> None:
    """Write the identity that DBSCAN finds into each row, nothing where it finds none."""
    import numpy as np
    from sklearn.cluster import DBSCAN

    labels = DBSCAN(eps=eps, min_samples=least, metric=metric).fit_predict(np.array(vectors)) if len(vectors) else []
    for row, label in zip(rows, labels, strict=True):
        row["identity"] = f"P{label}" if label >= 0 else ""


def keep(folder: Path, rows: Sequence[dict[str, Any]], vectors: Sequence[Any]) -> None:
    import numpy as np

    np.save(folder / "vectors.npy", np.array(vectors, np.float32))
    with (folder / "sightings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def show(name: str, r: dict[str, float], speed: float) -> None:
    print(
        f"{name:16} linked F {r['linked_f']:.3f}  precision {r['linked_p']:.3f}  macro {r['linked_macro_f']:.3f}  "
        f"found {r['found']:.3f}  {speed:.1f} video s/s",
        flush=True,
    )


if __name__ == "__main__":
    main()

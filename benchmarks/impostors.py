#!/usr/bin/env python3
"""How alike do strangers look to an embedder? Cosines at false accept rates, over all pairs of an LFW folder.

    CVID_BENCH_DATA=FOLDER python benchmarks/impostors.py EMBEDDER [--detector NAME]

FOLDER holds stills/lfw (one folder a person) and models/. The clusterer's bar follows from this tail. People whose
name's crc32 is divisible by three are left out: dlib's mean was fitted on them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cvid.chips import cut_chip
from cvid.detectors import Detector
from cvid.models.sets import choose
from cvid.opencv import cv2
from cvid.types import FaceChip, Floats

RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
DETECTOR_OF = {"dlib_resnet": "mtcnn"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embedder")
    parser.add_argument("--detector", default="")
    arguments = parser.parse_args()
    data = Path(os.environ.get("CVID_BENCH_DATA") or parser.error("set CVID_BENCH_DATA"))
    detector = arguments.detector or DETECTOR_OF.get(arguments.embedder, "scrfd_500m")
    choice = choose("embedded", detectors=detector, embedders=arguments.embedder, model_dir=str(data / "models"))
    finder, embedder = choice.open_detector(), choice.open_embedder()
    pictures = [(p, path) for p, path in lfw(data / "stills" / "lfw") if not fitted_on(p)]
    people, chips = zip(
        *((person, chip) for person, path in pictures if (chip := central_face(finder, path))), strict=True
    )
    started = time.perf_counter()
    vectors = embedder.embed(chips).vectors
    each_ms = (time.perf_counter() - started) / len(chips) * 1e3
    print(f"{embedder.model} on {detector}: {len(pictures)} pictures, {len(chips)} faces, {len(set(people))} people")
    print(f"{each_ms:.1f} ms a face")
    report(vectors, np.unique(people, return_inverse=True)[1])


def lfw(folder: Path) -> Iterator[tuple[str, Path]]:
    """(person, picture), in order."""
    for path in sorted(folder.glob("*/*.jpg")):
        yield path.parent.name, path


def fitted_on(person: str) -> bool:
    """Was dlib's mean fitted on this person's photographs?"""
    return zlib.crc32(person.encode()) % 3 == 0


def central_face(detector: Detector, path: Path) -> FaceChip | None:
    """The face nearest to the middle of a picture."""
    picture = np.asarray(cv2.imread(str(path)), np.uint8)
    faces = detector.detect(picture)
    if not len(faces):
        return None
    middle = np.array(picture.shape[1::-1]) / 2
    row = int(np.argmin(np.linalg.norm((faces.xyxy[:, :2] + faces.xyxy[:, 2:]) / 2 - middle, axis=1)))
    return cut_chip(picture, faces.xyxy[row], faces.landmarks[row])


def report(vectors: Floats, people: NDArray[np.int64]) -> None:
    """Print cosine and true accept rate at each false accept rate, then average-link's best B-cubed F."""
    rows = np.triu_indices(len(vectors), 1)
    similarity = (vectors @ vectors.T)[rows]
    same = people[rows[0]] == people[rows[1]]
    genuine, impostors = similarity[same], np.sort(similarity[~same])[::-1]
    print(f"{len(impostors)} pairs of strangers: cosine {impostors.mean():.3f} ± {impostors.std():.3f}")
    print(f"{len(genuine)} pairs of one person: cosine {genuine.mean():.3f} ± {genuine.std():.3f}")
    print("    FAR  cosine    TAR")
    for rate in RATES:
        bar = impostors[max(int(len(impostors) * rate) - 1, 0)]
        print(f"{rate:7.0e}  {bar:6.3f}  {(genuine > bar).mean():.4f}")
    b_cubed, bar = best_average_link(vectors, people)
    print(f"average-link: B-cubed F {b_cubed:.4f} at its best cosine {bar:.2f}")


def best_average_link(vectors: Floats, people: NDArray[np.int64]) -> tuple[float, float]:
    """(B-cubed F, cosine) of the best single threshold."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - vectors @ vectors.T, 0, None)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    return max(
        (b_cubed_f(fcluster(tree, 1 - bar, "distance"), people), float(bar)) for bar in np.arange(0.2, 0.8, 0.01)
    )


def b_cubed_f(labels: NDArray[np.int64], people: NDArray[np.int64]) -> float:
    """B-cubed F (Amigo et al. 2009)."""
    pairs, joint = np.unique(np.stack([labels, people]), axis=1, return_counts=True)
    precision = (joint**2 / np.bincount(labels)[pairs[0]]).sum() / len(labels)
    recall = (joint**2 / np.bincount(people)[pairs[1]]).sum() / len(labels)
    return float(2 * precision * recall / (precision + recall))


if __name__ == "__main__":
    main()

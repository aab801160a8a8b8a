#!/usr/bin/env python3
"""Fit the mean of dlib's descriptors and print it as `cvid/embedders/dlib_mean.py`.

    CVID_BENCH_DATA=FOLDER python benchmarks/fit_dlib_mean.py > cvid/embedders/dlib_mean.py

Needed again only when the crop changes. The mean comes from a third of the people, each with the same weight;
`impostors.py` measures on the others.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
from impostors import central_face, fitted_on, lfw

from cvid.detectors.mtcnn import MtcnnDetector
from cvid.embedders.dlib_resnet import DlibResnetEmbedder
from cvid.types import FaceChip


def main() -> None:
    detector, embedder = MtcnnDetector(), DlibResnetEmbedder(centring=0)
    chips: dict[str, list[FaceChip]] = defaultdict(list)
    for person, path in lfw(Path(os.environ["CVID_BENCH_DATA"]) / "stills" / "lfw"):
        if fitted_on(person) and (chip := central_face(detector, path)):
            chips[person].append(chip)
    means = [embedder.embed(own).vectors.mean(0) for own in chips.values()]
    numbers = [f"{value:.4f}" for value in np.mean(means, axis=0)]
    rows = [f"        {', '.join(numbers[start : start + 12])}," for start in range(0, len(numbers), 12)]
    print(TEXT.format(rows="\n".join(rows), people=len(chips)), end="")


TEXT = '''"""The mean of dlib's descriptors: what all faces have in common, and recognition does not need."""

from __future__ import annotations

import numpy as np

# fmt: off
MEAN = np.array(
    [
{rows}
    ],
    np.float32,
)
# fmt: on
"""Mean unit descriptor of {people} people, each with the same weight (benchmarks/fit_dlib_mean.py)."""
'''


if __name__ == "__main__":
    main()

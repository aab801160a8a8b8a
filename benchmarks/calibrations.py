#!/usr/bin/env python3
"""Fit the calibrations that ship with cvid, from an LFW folder: what stands in `SHIPPED` of cvid/calibration.py.

    CVID_BENCH_DATA=FOLDER python benchmarks/calibrations.py [EMBEDDER+EMBEDDER…]

FOLDER holds stills/lfw (one folder a person) and models/. People whose name's crc32 is divisible by three are left
out: dlib's mean was fitted on them. The same pictures give the same figures to the last digit that is printed.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from impostors import DETECTOR_OF, fitted_on

from cvid.evaluation.calibrating import fitted
from cvid.evaluation.figures import material_of
from cvid.evaluation.pictures import labelled_pictures
from cvid.evaluation.stills import see
from cvid.models.sets import choose

SHIPPED_MODELS = ("mobilefacenet", "dlib_resnet", "mobilefacenet+dlib_resnet")


def main() -> None:
    data = Path(os.environ.get("CVID_BENCH_DATA") or sys.exit("set CVID_BENCH_DATA"))
    everybody = labelled_pictures(data / "stills" / "lfw")
    kept = [row for row, person in enumerate(everybody.people) if not fitted_on(person)]
    labelled = replace(
        everybody,
        people=[everybody.people[row] for row in kept],
        paths=[everybody.paths[row] for row in kept],
    )
    wanted = sys.argv[1:] or SHIPPED_MODELS
    detector_of = {models: DETECTOR_OF.get(models, "scrfd_500m") for models in wanted}
    for detector in dict.fromkeys(detector_of.values()):
        mine = [models for models in wanted if detector_of[models] == detector]
        names = dict.fromkeys(name for models in mine for name in models.split("+"))
        choice = choose(
            "embedded", detectors=detector, embedders=",".join(names), model_dir=str(data / "models"), device="cpu"
        )
        loaded = {name: replace(choice, embedders=(name,)).open_embedder() for name in choice.embedders}
        seen = see(labelled, choice.open_detector(), loaded)
        for models in mine:
            calibration, same = fitted(material_of(seen, models.split("+")))
            print(f"{models} on {detector}: {int(seen.face.sum())} faces of {len(seen.names)} people,")
            print(f"    {int(same.sum())} pairs of one person and {int((~same).sum())} of two drawn")
            print(f"    slopes {calibration.slopes}, bias {calibration.bias}")
            print(f"    tail {calibration.tail}")
            print(f"    false links {calibration.false_links}, cohesion {calibration.cohesion}")


if __name__ == "__main__":
    main()

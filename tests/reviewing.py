"""Archives for tests of the review: people who look alike at times, so that the machine errs and has to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from builders import MIDDLE, PALETTE, analysis, paint, painted_settings, sha_of, track, track_analysis

from archive.catalogue import Catalogue
from archive.folders import write_folders
from archive.found import Found, Stamp
from archive.sorting.settle import settle
from cvid.opencv import cv2
from cvid.settings import Settings
from cvid.types import Floats

DIMENSIONS = 6
MODEL = "colours:" + "0" * 12

SETTINGS = painted_settings(clustering={"bar": 0.6, "found_quality": 0.05})


def face(person: int, people: int, seed: int) -> Floats:
    """A face of somebody, so unlike at times that the machine errs."""
    middle = np.eye(DIMENSIONS)[person] + 0.5 * np.eye(DIMENSIONS)[(person + 1) % people]
    vector = middle + 0.33 * np.random.default_rng([person, seed]).normal(size=DIMENSIONS)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def doubtful(folder: Path, videos: int = 8, people: int = 4, settings: Settings = SETTINGS) -> Mapping[str, int]:
    """An archive in which the machine is unsure; appearance → who it is in truth. Everybody is seen alone."""
    with Catalogue.create_or_open(folder) as catalogue:
        catalogue.settle_models({"detector": "squares:" + "0" * 12, "embedder": MODEL})
        run = catalogue.start_run({})
        cast = {}
        for number in range(videos):
            who, sha256 = number % people, sha_of(str(number))
            one = track(2, 7, x=10.0 * number, quality=0.5 + 0.01 * number)
            done, jpeg = cv2.imencode(".jpg", paint({PALETTE[who]: MIDDLE}))
            assert done
            seen = replace(
                track_analysis(one, face(who, people, number), MODEL), pictures=[(float(one.time_s[0]), bytes(jpeg))]
            )
            catalogue.record([Found("/footage", f"{number}.mp4", Stamp(1, 2, 3), sha256, None)])
            catalogue.save(run, analysis(sha256, [seen]))
            cast[f"{number}.mp4"] = who
        settle(catalogue, settings)
        write_folders(catalogue, folder, lambda event: None)
        return {seen.appearance: cast[seen.video] for seen in catalogue.appearances()}

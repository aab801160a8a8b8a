"""Footage without a person gives no person: pictures of things, animals and noise, through the real networks."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from archive.index import index_footage
from cvid.models.sets import choose, missing
from cvid.opencv import cv2
from cvid.packaged import packaged_file
from cvid.settings import Settings

THINGS = (
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "hubble_deep_field.jpg",
    "brick.png",
    "grass.png",
    "motorcycle_left.png",
)
WIDTH, HEIGHT = 640, 360


@pytest.fixture(scope="module")
def faceless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that pans over things, a shot each, and ends in noise and in the dark."""
    path = tmp_path_factory.mktemp("faceless") / "things.mp4"
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        shots = [cv2.imread(str(packaged_file("skimage", f"data/{name}"))) for name in THINGS]
        shots += [random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8), np.full((HEIGHT, WIDTH, 3), 3, np.uint8)]
        for shot in shots:
            wide = cv2.resize(shot, (WIDTH + 100, HEIGHT + 60))
            for step in range(50):
                view = wide[step : step + HEIGHT, 2 * step : 2 * step + WIDTH]
                out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(view), format="bgr24")))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize("models", ["embedded", "light"])
def test_nobody_is_found_where_nobody_is(faceless: Path, tmp_path: Path, models: str) -> None:
    shared = Path(__file__).resolve().parents[2] / "shared" / "models"
    if missing(models, str(shared)):
        pytest.skip(f"the weights of '{models}' are not here")
    settings = Settings.model_validate({"models": models, "model_dir": str(shared), "jobs": 1})
    choice = choose(models, model_dir=str(shared))
    summary = index_footage(tmp_path / "archive", [faceless], settings, lambda _: None, choice=choice, engine="inline")
    assert summary.frames["analysed"] > 20
    assert summary.people == []

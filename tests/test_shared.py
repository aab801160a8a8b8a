"""The real thing on real footage with known truth, where it is at hand; the bars lie a little below docs/LOG.md."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CVID_BENCH_DATA") or ROOT.parent / "shared")
sys.path.insert(0, str(ROOT / "benchmarks"))

from score import read, score  # noqa: E402

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (DATA / "footage").is_dir(), reason="no footage: set CVID_BENCH_DATA"),
]


def index(tmp_path: Path, models: str, *footage: Path) -> tuple[dict[str, object], Path]:
    """Index footage with the real command; its summary and the exported csv."""
    archive, export = tmp_path / "archive", tmp_path / "people.csv"
    environment = {**os.environ, "CVID_MODEL_DIR": str(DATA / "models")}
    command = [sys.executable, str(ROOT / "main.py"), "index", "--archive", str(archive), "--models", models, "--json"]
    ran = subprocess.run(
        [*command, *map(str, footage)], env=environment, stdout=subprocess.PIPE, check=True, timeout=160
    )
    command = [sys.executable, str(ROOT / "main.py"), "export", "--archive", str(archive), "-o", str(export)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return json.loads(ran.stdout), export


@pytest.mark.parametrize(
    ("models", "name", "linked_f", "linked_p", "found"),
    [
        ("light", "composed-12", 0.94, 0.97, 0.97),
        ("light", "lookalikes-22", 0.88, 0.96, 0.95),
        ("light", "room-41", 0.90, 0.92, 0.97),
        ("embedded", "real", 0.94, 0.94, 0.95),
    ],
)
def test_links_people_across_videos(
    tmp_path: Path, models: str, name: str, linked_f: float, linked_p: float, found: float
) -> None:
    footage = DATA / "footage" / name
    _, export = index(tmp_path, models, *sorted(footage.glob("*.mp4")))
    figures = score(read(footage / "truth.csv"), read(export))
    assert figures["linked_f"] >= linked_f
    assert figures["linked_p"] >= linked_p
    assert figures["found"] >= found


def test_times_and_boxes_are_where_the_truth_says(tmp_path: Path) -> None:
    video = DATA / "footage" / "room-41" / "clip_000.mp4"
    _, export = index(tmp_path, "light", video)
    with (DATA / "footage" / "room-41" / "truth.csv").open(newline="") as file:
        truth = [row for row in csv.DictReader(file) if row["video"] == video.name]
    said = read(export)
    assert score(truth, said)["found"] == 1.0
    ends = [min(abs(float(t["end_s"]) - float(s["end_s"])) for s in said) for t in truth]
    assert max(ends) < 0.5, "a person is seen until the shot ends"

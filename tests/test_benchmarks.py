"""What the benchmarks rely on: costs that are measured, peers that are missing, a plan that holds every table."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import film

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from plan import PLAN  # noqa: E402
from recipe import name_them  # noqa: E402
from recipes import PEERS, recipe_of  # noqa: E402
from usage import measured  # noqa: E402

TABLES = ("LOG.md", "performance.md")
RED = (255, 0, 0)
TWO_OF_60_MIB = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; x = b'x' * (60 << 20); time.sleep(1.2)"])
x = b"x" * (60 << 20)
child.wait()
"""
BUSY_CHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.6: pass"], check=True)
"""
CHILD_THAT_STAYS = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder as $CVID_BENCH_DATA names it, with one short video and its truth."""
    footage = tmp_path / "data" / "footage" / "one"
    footage.mkdir(parents=True)
    film(footage / "clip.mp4", RED)
    with (footage / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["video", "person", "start_s", "end_s"], ["clip.mp4", "Red", "0", "2.5"]])
    return tmp_path / "data"


def benchmark(data: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CVID_BENCH_DATA": str(data), "CVID_PEER_PYTHONS": ""}
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


# --- what a command costs


def test_a_command_tells_what_it_said_and_how_it_ended() -> None:
    usage = measured([sys.executable, "-c", "import sys; print('out'); print('why', file=sys.stderr); sys.exit(7)"])
    assert (usage.exit, usage.out, usage.reason) == (7, "out\n", "why")


def test_memory_is_that_of_all_processes_of_a_command_together() -> None:
    usage = measured([sys.executable, "-c", TWO_OF_60_MIB])
    assert 60 < usage.largest_mib < 115
    if Path("/proc/self/smaps_rollup").exists():
        assert usage.together_mib is not None and usage.together_mib > 120


def test_a_command_is_not_charged_for_what_starts_it() -> None:
    large = bytearray(os.urandom(1) * (400 << 20))
    assert measured([sys.executable, "-c", ""]).largest_mib < len(large) / 2**21


def test_computing_of_processes_that_a_command_starts_counts() -> None:
    assert measured([sys.executable, "-c", BUSY_CHILD]).cpu_s >= 0.6


def test_a_command_is_ended_at_its_limit_with_all_it_started() -> None:
    usage = measured([sys.executable, "-c", CHILD_THAT_STAYS], limit_s=1)
    assert usage.exit < 0 and usage.seconds < 30
    state = Path(f"/proc/{int(usage.out)}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


# --- peers


def test_a_peer_that_is_not_here_is_a_line_with_the_reason(data: Path) -> None:
    ran = benchmark(
        data, "peers.py", "--sets", "one", "--peers", "deepface", "--models", "", "--python-of", "deepface=/nowhere"
    )
    assert ran.returncode == 0, ran.stderr
    assert "deepface: not run here: /nowhere: No such file or directory" in ran.stdout


def test_a_package_that_is_missing_is_told_from_one_that_fails(data: Path) -> None:
    bare = Path(sys.base_prefix, "bin", "python3")
    if not bare.exists() or not subprocess.run([bare, "-c", "import cv2"], capture_output=True, check=False).returncode:
        pytest.skip("no interpreter without packages")
    named = f"face_recognition={bare}"
    ran = benchmark(
        data, "peers.py", "--sets", "one", "--peers", "face_recognition", "--models", "", "--python-of", named
    )
    assert ran.returncode == 0, ran.stderr
    assert "face_recognition: not run here: No module named" in ran.stdout
    assert recipe_of("face_recognition").PIP in ran.stdout


@pytest.mark.parametrize("peer", PEERS)
def test_a_recipe_says_what_it_runs_without_its_package(peer: str) -> None:
    recipe = recipe_of(peer)
    assert all((recipe.WHAT, recipe.PIP, recipe.FROM))
    assert recipe.METRIC in ("cosine", "euclidean")
    assert recipe.EPS > 0


def test_faces_that_lie_close_get_one_identity_and_lone_ones_none() -> None:
    rows: list[dict[str, str]] = [{}, {}, {}, {}]
    name_them(rows, [[1, 0], [0.99, 0.1], [0, 1], [-1, 0]], 0.1, "cosine")
    names = [row["identity"] for row in rows]
    assert names[0] == names[1] != ""
    assert names[2:] == ["", ""]


def test_no_faces_are_nobody() -> None:
    rows: list[dict[str, str]] = []
    name_them(rows, [], 0.1, "cosine")
    assert rows == []


# --- growth


def test_files_cut_from_one_clip_are_different_files_that_play(tmp_path: Path) -> None:
    import av
    from footage_growth import PIECE_S, cut

    clip = film(tmp_path / "clip.mp4", RED, seconds=6)
    for mark in "01":
        cut(clip, tmp_path / f"{mark}.mp4", mark)
    assert (tmp_path / "0.mp4").read_bytes() != (tmp_path / "1.mp4").read_bytes()
    with av.open(str(tmp_path / "1.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) / (container.streams.video[0].average_rate or 1) <= PIECE_S


# --- the plan


def test_every_command_of_the_measurements_is_in_the_plan() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")) if path.name in TABLES]
    named = set(re.findall(r"python benchmarks/(\w+)\.py", "\n".join(texts)))
    assert named
    assert named - {run.name for run in PLAN} - {"run"} == set()


def test_what_a_command_needs_comes_before_it() -> None:
    names = [run.name for run in PLAN]
    for place, run in enumerate(PLAN):
        assert not run.needs or run.needs in names[:place]


def test_a_command_that_fails_stops_no_other_and_is_named(data: Path) -> None:
    (data / "stills" / "lfw").mkdir(parents=True)
    ran = benchmark(data, "run.py", "--quick", "doubtful", "recipe", "--cache", str(data / "cache"))
    assert ran.returncode == 1
    assert ran.stdout.count("FAILED") == 2
    assert "failed:\n    python benchmarks/doubtful.py --sets once-42\n    python benchmarks/recipe.py" in ran.stdout


def test_the_list_runs_nothing(data: Path) -> None:
    ran = benchmark(data, "run.py", "--list", "--cache", str(data / "cache"), "growth")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.index("tracksets.py") < ran.stdout.index("benchmarks/growth.py")
    assert not (data / "cache").exists()

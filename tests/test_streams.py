"""Standard streams that are closed, full or left: never a traceback, and the run itself goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from calling import MAIN, ROOT, run

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs a shell and /dev/full")


def redirected(redirection: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """`python main.py … REDIRECTION` in a shell."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, MAIN, *args],
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is indexed without any network: its one video is empty and fails."""
    folder = tmp_path_factory.mktemp("footage")
    (folder / "broken.mp4").touch()
    return folder


@pytest.fixture(scope="module")
def archive(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    assert run("index", footage, "--archive", folder, "--models", "embedded").exit_code == 3
    return folder


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(closed: str, archive: Path) -> None:
    bare = redirected(closed)
    assert (bare.returncode, bare.stderr) == (2, "")
    for verb in ("people", "status"):
        done = redirected(closed, verb, "--archive", archive)
        assert (done.returncode, done.stderr) == (0, "")
        assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_a_closed_stream_is_not_taken_by_a_file(footage: Path, tmp_path: Path) -> None:
    assert redirected("<&- >&- 2>&-", "index", footage, "--archive", tmp_path, "--models", "embedded").returncode == 3
    assert json.loads(run("status", "--archive", tmp_path, "--json").stdout)["failures"]


@pytest.mark.parametrize(
    "args", [["people"], ["people", "--json"], ["status"], ["export", "-o", "-"], ["completion", "bash"], ["--help"]]
)
def test_a_full_disk_at_standard_output_is_one_sentence(args: list[str], archive: Path) -> None:
    more = [] if args[0] in ("completion", "--help") else ["--archive", archive]
    done = redirected(f">{FULL}", *args, *more)
    assert done.returncode == 1
    assert done.stderr == "cvid: standard output cannot be written (No space left on device)\n"


def test_more_than_a_buffer_onto_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    code = "from reports.cli.streams import *; prepare_streams()\ntry: sys.stdout.write('x' * 100_000)\n"
    code += "except OutputLost: sys.exit(7)"
    with FULL.open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (7, b"")


@pytest.mark.parametrize(
    ("redirection", "more", "code"), [(f">{FULL}", [], 1), (f">{FULL}", ["--json"], 1), (f"2>{FULL}", ["--json"], 3)]
)
def test_an_index_goes_on_when_nothing_can_be_shown(
    redirection: str, more: list[str], code: int, footage: Path, tmp_path: Path
) -> None:
    done = redirected(redirection, "index", footage, "--archive", tmp_path, "--models", "embedded", *more)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert code == 3 or "standard output cannot be written (No space left on device)" in done.stderr
    assert more or "the run went on to its end" in done.stderr
    assert '"event": "summary"' in next((tmp_path / "logs").iterdir()).read_text()


def test_an_index_goes_on_when_its_reader_leaves(footage: Path, tmp_path: Path) -> None:
    done = redirected("| true", "index", footage, "--archive", tmp_path, "--models", "embedded")
    assert done.stderr == ""
    assert '"event": "summary"' in next((tmp_path / "logs").iterdir()).read_text()

"""`cvid show`: a small portrait where there is a terminal, and a mark where a video is gone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from builders import BLUE, RED, film
from calling import in_terminal, run
from indexing import index, seen
from sqlalchemy import update

from archive.catalogue import Catalogue
from archive.schema import pictures


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red in two videos, blue in one."""
    home = tmp_path_factory.mktemp("show")
    for name, colour, ground in (("a.mp4", RED, 100), ("b.mp4", RED, 120), ("c.mp4", BLUE, 100)):
        film(home / "footage" / name, colour, ground=ground)
    index(home / "archive", home / "footage")
    return home


def red(home: Path) -> str:
    return next(a.identity for a in seen(home / "archive") if a.video == "a.mp4")


terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@terminal
def test_a_terminal_shows_a_portrait(home: Path) -> None:
    args = ("show", red(home), "--archive", str(home / "archive"))
    coloured = in_terminal(home, b"", "TERM=xterm-256color", "COLUMNS=150", args=args)
    lines = coloured.splitlines()
    assert sum(line.count("▀") for line in lines) >= 50 and sum("▀" in line for line in lines) == 8
    assert f"{red(home)} · unconfirmed · 2 appearances" in coloured and "Certainty" in coloured
    lettered = in_terminal(home, b"", "TERM=xterm-256color", "NO_COLOR=1", "COLUMNS=150", args=args)
    assert "▀" not in lettered and sum(any(c in line for c in "#%@*") for line in lettered.splitlines()) >= 4


@terminal
@pytest.mark.parametrize("where", ["TERM=dumb", "COLUMNS=50"])
def test_a_terminal_without_room_or_means_shows_none(where: str, home: Path) -> None:
    shown = in_terminal(home, b"", "NO_COLOR=1", where, args=("show", red(home), "--archive", str(home / "archive")))
    assert "▀" not in shown and "##" not in shown and red(home) in shown


def test_without_a_terminal_there_is_no_portrait(home: Path) -> None:
    done = run("show", red(home), "--archive", home / "archive")
    assert done.exit_code == 0 and "▀" not in done.stdout
    assert done.stdout.startswith(f"{red(home)} · unconfirmed · 2 appearances in 2 videos")
    told = json.loads(run("show", red(home), "--archive", home / "archive", "--json").stdout)
    assert told["missing"] == [] and len(told["appearances"]) == 2


@terminal
def test_a_broken_portrait_is_passed_over(home: Path, tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes((home / "archive" / "catalogue.sqlite").read_bytes())
    with Catalogue.create_or_open(tmp_path) as catalogue:
        catalogue.connection.execute(update(pictures).values(jpeg=b"\xff\xd8 broken"))
    shown = in_terminal(home, b"", args=("show", red(home), "--archive", str(tmp_path)))
    assert f"{red(home)} · unconfirmed" in shown and "Traceback" not in shown


def test_a_missing_video_is_marked(tmp_path: Path) -> None:
    """At once, not only at the next scan; and a copy that is still there counts."""
    for name in ("a.mp4", "b.mp4"):
        film(tmp_path / "footage" / name, RED, ground=100 if name == "a.mp4" else 120)
    (tmp_path / "footage" / "copy").mkdir()
    (tmp_path / "footage" / "copy" / "b.mp4").write_bytes((tmp_path / "footage" / "b.mp4").read_bytes())
    index(tmp_path / "archive", tmp_path / "footage")
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "footage" / name).unlink()
    done = run("show", red(tmp_path), "--archive", tmp_path / "archive")
    assert done.exit_code == 0
    marked = [line for line in done.stdout.splitlines() if "(missing)" in line]
    assert len(marked) == 1 and "a.mp4" in marked[0]
    told = json.loads(run("show", red(tmp_path), "--archive", tmp_path / "archive", "--json").stdout)
    assert told["missing"] == [a["appearance"] for a in told["appearances"] if a["video"] == "a.mp4"]

"""The command line: help, wrong usage and the error boundary."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from builders import RED, film, painted_settings
from calling import ROOT, call, run
from click.testing import CliRunner
from fakes import open_fakes

import cvid
from archive.index import index_footage
from cvid.detectors import DETECTORS
from cvid.embedders import EMBEDDERS
from cvid.errors import CvidError, VideoError
from cvid.models.sets import SETS
from reports.cli.app import VERBS
from reports.cli.group import CvidGroup

# help


def test_the_help_is_fast_because_it_loads_nothing() -> None:
    code = (
        "import sys; from reports.cli.app import cli; cli(['--help'], standalone_mode=False);"
        "heavy = {'numpy', 'cv2', 'av', 'sqlalchemy', 'onnxruntime', 'rich', 'pydantic', 'scipy'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


def test_to_look_into_an_archive_loads_nothing_that_looks_at_footage(tmp_path: Path) -> None:
    """Reading people from a catalogue must answer at once."""
    film(tmp_path / "clip.mp4", RED)
    index_footage(tmp_path / "archive", [tmp_path], painted_settings(), lambda event: None, open_parts=open_fakes)
    code = (
        f"import sys; from reports.cli.app import cli; cli(['people', '--archive', {str(tmp_path / 'archive')!r}],"
        " standalone_mode=False); heavy = {'cv2', 'av', 'onnxruntime', 'pydantic', 'scipy', 'faiss', 'sklearn',"
        " 'numba', 'alembic', 'fsspec'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "P0001" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"cvid {verb}" in result.output.split("Options:")[0].partition("\n")[2]
    assert run(verb, "-h").output == result.output


def test_the_version_is_the_packages() -> None:
    assert run("--version").output == f"cvid {cvid.__version__}\n"


def test_main_py_is_the_same_program() -> None:
    done = call("--version")
    assert (done.returncode, done.stdout) == (0, f"cvid {cvid.__version__}\n")


@pytest.mark.parametrize("verb", ["index", "explain"])
def test_the_help_names_the_models(verb: str) -> None:
    words = set(re.findall(r"[\w.]+\b", run(verb, "--help").output))
    assert {"auto", *SETS, *DETECTORS.names(), *EMBEDDERS.names()} <= words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_CVID_COMPLETE" in result.output


# wrong usage


@pytest.mark.parametrize(
    "args",
    [
        ["bogus"],
        ["index"],
        ["index", "/does/not/exist"],
        ["show"],
        ["export"],
        ["export", "-o", "x.csv", "--format", "xls"],
        ["index", ".", "--faces", "some"],
        ["index", ".", "--jobs", "-1"],
        ["index", ".", "--set", "nonsense"],
        ["index", ".", "--set", "faces=all", "--set", "faces.keep=all"],
        ["explain", "main.py", "--every", "0"],
        ["completion", "cmd"],
        ["index", ""],
        ["index", ".", "--archive", ""],
        ["people", "--archive", ""],
        ["export", "-o", ""],
        ["explain", ""],
        ["demo", "--dir", ""],
        ["index", ".", "--config", ""],
    ],
)
def test_wrong_usage_is_exit_2(args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert "Usage: cvid" in result.stderr


def test_an_empty_archive_option_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    done = call("index", "clips", "--archive", "", cwd=tmp_path)
    assert done.returncode == 2 and "'--archive': it is empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


def test_without_a_verb_and_a_terminal_the_help_is_shown() -> None:
    done = call()
    assert done.returncode == 2
    assert "cvid index ~/footage" in done.stdout


# the error boundary


def raising(error: BaseException) -> click.Command:
    """A command group whose verbs all raise."""

    @click.command()
    def verb() -> None:
        raise error

    class Group(CvidGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return verb

    return Group("cvid", verbs={})


def test_an_error_of_ours_is_one_sentence_and_exit_1() -> None:
    result = CliRunner().invoke(raising(VideoError("a\x1b[1m\udcff.mp4", "the file is empty")), ["people"])
    assert result.exit_code == 1
    assert result.stderr == "cvid: a\\x1b[1m\\xff.mp4: the file is empty\n"
    assert result.stdout == ""


def test_an_interrupt_is_exit_130_and_says_that_the_next_run_continues() -> None:
    result = CliRunner().invoke(raising(KeyboardInterrupt()), ["index"])
    assert result.exit_code == 130
    assert "the next run continues" in result.stderr
    result = CliRunner().invoke(raising(KeyboardInterrupt()), ["people"])
    assert (result.exit_code, result.stderr) == (130, "\ninterrupted\n")


def test_a_reader_who_left_is_no_error() -> None:
    result = CliRunner().invoke(raising(BrokenPipeError()), ["people"])
    assert (result.exit_code, result.output) == (0, "")


def test_a_defect_keeps_its_traceback() -> None:
    result = CliRunner().invoke(raising(ZeroDivisionError()), ["people"])
    assert isinstance(result.exception, ZeroDivisionError)
    assert not issubclass(ZeroDivisionError, CvidError)


@pytest.mark.parametrize("verb", ["people", "status", "show", "export"])
def test_reading_verbs_say_where_no_archive_is(verb: str, tmp_path: Path) -> None:
    more = {"show": ["P0001"], "export": ["-o", "-"]}.get(verb, [])
    result = run(verb, *more, "--archive", tmp_path / "none")
    assert result.exit_code == 1
    assert "none" in result.stderr and "--archive" in result.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--models", "nope"], "choose one of: auto, embedded, light"),
        (["--detectors", "nope"], "choose one of: scrfd"),
        (["--set", "selection.nope=1"], "there is no setting 'selection.nope'"),
        (["--set", "selection.floor_s=inf"], "selection.floor_s"),
        (["--set", "selection.floor_s=-1"], "selection.floor_s"),
        (["--config", "/does/not/exist.toml"], "there is no such settings file"),
    ],
)
def test_unknown_names_and_settings_list_what_there_is(args: list[str], words: str, tmp_path: Path) -> None:
    result = run("index", tmp_path, "--archive", tmp_path / "a", *args)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_explain_says_nothing_but_that_it_is_no_video(more: list[str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no footage")
    result = run("explain", tmp_path / "notes.txt", "--models", "embedded", *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no video can be found in it" in result.stderr


def test_an_index_that_found_nothing_says_so(tmp_path: Path) -> None:
    footage = tmp_path / "clips\x1b"
    footage.mkdir()
    result = run("index", footage, "--archive", tmp_path / "a", "--models", "embedded")
    assert result.exit_code == 0
    assert f"no video or photograph was found below {tmp_path}/clips\\x1b; 0 other files ignored\n" in result.stdout
    (footage / "notes.txt").write_text("no footage")
    result = run("index", footage, "--archive", tmp_path / "a", "--json")
    assert json.loads(result.stdout)["videos"]["found"] == 0
    assert result.stderr.endswith("; 1 other file ignored\n")

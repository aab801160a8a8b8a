"""The verbs on real archives: the contract of the machine-readable outputs, exit codes, hostile names."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import GREEN, RED, film, painted_settings
from calling import MAIN, call, in_terminal, run
from fakes import open_fakes

import cvid
from archive.index import index_footage
from archive.names import as_text
from cvid.opencv import cv2

# an archive of painted faces

HOSTILE = os.fsdecode(b'sub/\xff\x1b[31m [x]\n,"=1.mp4')


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive in which Red is P0001, seen in three videos, and Green is P0002, seen in one with a hostile name."""
    folder = tmp_path_factory.mktemp("painted")
    film(folder / "footage" / "one.mp4", RED)
    film(folder / "footage" / "two.mp4", RED, seconds=3)
    film(folder / "footage" / HOSTILE, RED, GREEN, seconds=2)
    archive = folder / "archive"
    index_footage(
        archive, [folder / "footage"], painted_settings(), lambda event: None, open_parts=open_fakes, engine="inline"
    )
    return archive


def test_people_json_is_the_contracts_object(painted: Path) -> None:
    report = json.loads(run("people", "--archive", painted, "--json").stdout)
    assert set(report) == {"schema_version", "identities"} and report["schema_version"] == 1
    red, green = sorted(report["identities"], key=lambda identity: -identity["videos"])
    assert set(red) == {"id", "name", "videos", "appearances", "screen_time_s", "first", "last", "status"}
    assert (red["videos"], red["appearances"], green["videos"], green["appearances"]) == (3, 3, 1, 1)
    assert set(red["first"]) == {"video", "time_s"}
    assert green["first"]["video"] == as_text(HOSTILE)


def test_people_and_show_print_no_name_that_steers_the_terminal(painted: Path) -> None:
    for verb in (["people"], ["show", "P0001"], ["show", "p0002"], ["status"]):
        result = run(*verb, "--archive", painted)
        assert result.exit_code == 0
        assert "\x1b" not in result.output
    assert r"\xff\x1b[31m [x]\x0a,\"=1.mp4".replace(r"\"", '"') in run("people", "--archive", painted).output
    shown = call("show", "P0001", "--archive", painted, env={"PYTHONIOENCODING": "ascii"})
    assert shown.returncode == 0, shown.stderr
    assert "one.mp4" in shown.stdout and "3 appearances in 3 videos" in shown.stdout


def test_show_json_holds_the_fields_of_the_csv(painted: Path) -> None:
    report = json.loads(run("show", "P0001", "--archive", painted, "--json").stdout)
    header = run("export", "--archive", painted, "-o", "-").stdout.splitlines()[0].split(",")
    assert report["schema_version"] == 1 and report["identity"]["id"] == "P0001"
    assert all(list(appearance) == header for appearance in report["appearances"])


def test_export_can_be_of_one_person(painted: Path, tmp_path: Path) -> None:
    def exported(*more: str) -> list[dict[str, str]]:
        path = tmp_path / "out.csv"
        assert run("export", "--archive", painted, "-o", path, "--overwrite", *more).exit_code == 0
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    rows = exported()
    assert len(rows) == 4 and {row["video"] for row in rows} == {"one.mp4", "two.mp4", as_text(HOSTILE)}
    assert exported("--identity", "p0001") == [row for row in rows if row["identity"] == "P0001"]
    assert run("export", "--archive", painted, "-o", "-", "--identity", "P9").exit_code == 1


def test_a_reader_who_leaves_early_sees_no_traceback(painted: Path) -> None:
    command: list[str | Path] = [sys.executable, MAIN, "explain", "--json", "--models", "embedded"]
    video = painted.parent / "footage" / "one.mp4"
    with subprocess.Popen([*command, video], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_another_model_set_is_refused_in_one_sentence(painted: Path) -> None:
    result = run("index", painted.parent / "footage", "--archive", painted, "--models", "embedded")
    assert result.exit_code == 1
    assert "was made with squares" in result.stderr and result.stderr.count("\n") == 1


# a real archive, by the verbs alone


def footage_of_squares(folder: Path) -> Path:
    """Footage without a face, and what is none: quick to index with real networks."""
    folder.mkdir(parents=True)
    picture = np.full((90, 160, 3), 60, np.uint8)
    cv2.imwrite(str(folder / "still [1].png"), picture)
    (folder / "notes.txt").write_text("no footage")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Footage without a face and its archive, made by `cvid index`."""
    folder = tmp_path_factory.mktemp("small")
    footage, archive = footage_of_squares(folder / "footage"), folder / "archive"
    done = call("index", footage, "--archive", archive, "--models", "embedded", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 media file found, 1 to index" in done.stdout
    assert "indexed 1/1 still [1].png" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    return footage, archive


def test_index_json_is_the_contracts_object(small: tuple[Path, Path]) -> None:
    footage, archive = small
    done = call("index", footage, "--archive", archive, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == ""
    assert report["schema_version"] == 1
    assert report["videos"] == {"found": 1, "indexed": 0, "skipped": 1, "failed": 0, "ignored": 1}
    assert {"decoded", "analysed", "still", "dark"} <= set(report["frames"])
    assert {"video_seconds", "seconds", "faces", "tracks", "identities", "models", "providers"} <= set(report)


def test_reading_verbs_answer_in_text_and_json(small: tuple[Path, Path]) -> None:
    _, archive = small
    assert "nobody yet" in run("people", "--archive", archive).output
    assert json.loads(run("people", "--archive", archive, "--json").stdout) == {"schema_version": 1, "identities": []}
    status = run("status", "--archive", archive)
    assert "1 indexed" in status.output and "mtcnn" in status.output and cvid.__version__ in status.output
    content = json.loads(run("status", "--archive", archive, "--json").stdout)
    assert content["schema_version"] == 1 and content["sources"] == 1 and content["failures"] == []
    unknown = run("show", "p0001", "--archive", archive)
    assert unknown.exit_code == 1 and "no identity 'P0001'" in unknown.stderr


def test_export_takes_a_file_or_standard_output(small: tuple[Path, Path], tmp_path: Path) -> None:
    _, archive = small
    path = tmp_path / "people.csv"
    assert run("export", "--archive", archive, "-o", path).exit_code == 0
    assert path.read_text().startswith(
        "identity,name,video,start_s,end_s,x1,y1,x2,y2,best_s,faces,quality,similarity,evidence"
    )
    again = run("export", "--archive", archive, "-o", path)
    assert again.exit_code == 1 and "--overwrite" in again.stderr
    assert run("export", "--archive", archive, "-o", path, "--overwrite").exit_code == 0
    assert call("export", "--archive", archive, "-o", "-").stdout == path.read_text()
    assert run("export", "--archive", archive, "-o", "-", "--format", "jsonl").stdout == ""


def test_failed_files_are_listed_with_the_reason_and_exit_3(tmp_path: Path) -> None:
    footage = footage_of_squares(tmp_path / "footage")
    bad = os.fsencode(footage) + b"/\xff\x1b[31m [x].mp4"
    Path(os.fsdecode(bad)).touch()
    (footage / "-dash.mp4").write_text("this is text")
    done = call("index", "--archive", tmp_path / "a", "--models", "embedded", "--", footage)
    assert done.returncode == 3, done.stdout + done.stderr
    assert r"failed \xff\x1b[31m [x].mp4: " in done.stdout
    assert "failed -dash.mp4: no video can be found in it" in done.stdout
    assert "Reason" in done.stdout and "1 indexed" in done.stdout
    assert "\x1b" not in done.stdout
    report = call("index", footage, "--archive", tmp_path / "a", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert report.returncode == 3
    assert json.loads(report.stdout)["videos"]["failed"] == 2
    assert r"failed \xff\x1b[31m [x].mp4: " in report.stderr


def test_a_file_with_a_leading_dash_is_taken_after_two_dashes(tmp_path: Path) -> None:
    footage = footage_of_squares(tmp_path / "f")
    (footage / "still [1].png").rename(footage / "-x.png")
    done = call("explain", "--models", "embedded", "--json", "--", "-x.png", cwd=footage)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1
    assert report["counts"] == {"decoded": 1, "analysed": 1, "reasons": {"cut": 1}}
    assert report["frames"][0]["kept"] is True and report["frames"][0]["faces"] == 0


def test_explain_counts_by_reason(tmp_path: Path) -> None:
    footage = footage_of_squares(tmp_path / "f")
    result = run("explain", "--models", "embedded", footage / "still [1].png")
    assert "analysed cut" in result.output and "1 frames" in result.output


def test_the_environment_names_the_archive(small: tuple[Path, Path]) -> None:
    _, archive = small
    assert call("people", env={"CVID_ARCHIVE": str(archive)}).returncode == 0


def test_an_interrupt_of_a_real_run_is_exit_130(tmp_path: Path) -> None:
    footage = footage_of_squares(tmp_path / "f")
    for number in range(250):
        cv2.imwrite(str(footage / f"{number}.png"), np.full((360, 640, 3), number, np.uint8))
    command: list[str | Path] = [
        sys.executable,
        MAIN,
        "index",
        footage,
        "--archive",
        tmp_path / "a",
        "--models",
        "embedded",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            if line.startswith("indexed"):
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        message = process.stderr.read()
        assert process.wait(timeout=60) == 130, message
    assert "the next run continues" in message and "Traceback" not in message
    kept = json.loads(run("status", "--archive", tmp_path / "a", "--json").stdout)["sources"]
    assert 0 < kept <= 250


# without a verb, in a terminal


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_without_a_verb_the_terminal_is_asked(tmp_path: Path) -> None:
    empty = in_terminal(tmp_path, b"\ny\n\n")
    assert "Folder with the footage (footage)" in empty and "is empty" in empty
    assert (tmp_path / "footage").is_dir() and (tmp_path / "cvid-archive").is_dir()
    footage_of_squares(tmp_path / "clips")
    text = in_terminal(tmp_path, b"clips\nmy archive\n", "CVID_MODELS=embedded")
    assert "1 indexed" in text and "Videos" in text
    assert (tmp_path / "my archive" / "catalogue.sqlite").is_file()


def test_status_names_what_is_no_longer_there(tmp_path: Path) -> None:
    film(tmp_path / "footage" / "gone \x1b.mp4", RED, seconds=3)
    film(tmp_path / "footage" / "here.mp4", GREEN, seconds=3)
    for _ in range(2):
        index_footage(tmp_path / "a", [tmp_path / "footage"], painted_settings(), lambda _: None, open_parts=open_fakes)
        (tmp_path / "footage" / "gone \x1b.mp4").unlink(missing_ok=True)
    status = run("status", "--archive", tmp_path / "a").stdout
    assert "1 no longer there" in status and r"gone \x1b.mp4" in status and "here.mp4" not in status

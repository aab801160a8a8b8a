"""`cvid evaluate`: the contract of its JSON, what it prints, and how it fails."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import RED, may_read_everything, painted_settings, photograph
from calling import MAIN, call, run
from labelled import noisy, painted, painted_folder, seen

from cvid.calibration import own_file
from cvid.evaluation.calibrating import calibrate
from cvid.evaluation.figures import Figures, material_of, measure
from cvid.evaluation.groups import Groups
from cvid.settings import ClusteringSettings
from reports.cli.evaluate import Wanted, run_evaluation
from reports.evaluation import calibration_table, gains, groups_table, histogram_lines, side_by_side, verdict
from reports.steps import Steps

SETTINGS = painted_settings()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    return painted_folder(tmp_path / "stills", 4)


def figures(noise: float = 0.7) -> Figures:
    people = [person for person in range(40) for _ in range(5)]
    return measure(seen(people, {"m": noisy(people, noise, 1)}), ["m"], "calibrated", ClusteringSettings())


def test_json_by_contract(stills: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in stills.rglob("*")}
    assert (
        run_evaluation(Wanted(stills, as_json=True), [painted(), painted("both", ("colours", "grey"))], SETTINGS) == 0
    )
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"schema_version", "painted", "both"}
    one = report["painted"]
    assert {"detected", "verification", "clustering"} <= set(one) and one["detected"] == 1.0
    assert {"accuracy", "tar_at_far_1e-2", "tar_at_far_1e-3", "tar_at_far_1e-4"} <= set(one["verification"])
    assert {"b3_p", "b3_r", "b3_f", "ratio"} <= set(one["clustering"])
    assert (one["verification"]["genuine_pairs"], one["verification"]["impostor_pairs"]) == (36, 240)
    assert report["both"]["weighed"] == "uncalibrated" and report["both"]["weights"] == {"colours": 0.5, "grey": 0.5}
    assert {path: path.stat().st_mtime_ns for path in stills.rglob("*")} == before


def test_tables_pairs_groups_and_a_picture(stills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    rows = [f"Red/Red_000{n % 4 + 1}.png,{other}/{other}_000{n % 3 + 2}.png,{int(other == 'Red')}"
            for n in range(20) for other in ("Red", "Blue")]  # fmt: skip
    (tmp_path / "pairs.csv").write_text("\n".join([*rows, "Red/Red_0001,Gone/Gone_0001,0"]))
    (tmp_path / "groups.csv").write_text("Red,warm\nYellow,warm\nBlue,cold [x]\nNobody\x1b,cold [x]\n")
    wanted = Wanted(stills, tmp_path / "pairs.csv", tmp_path / "groups.csv", plot=tmp_path / "plots")
    assert run_evaluation(wanted, [painted()], SETTINGS) == 0
    shown = capsys.readouterr()
    assert "1.0000 ± 0.0000 (40 pairs)" in shown.out and "1 pair of the file left out" in shown.out
    assert "24 pictures of 6 people: 36 pairs of one person, 240 of two" in shown.out
    assert "cold [x]" in shown.out and "(none)" in shown.out and "warm" in shown.out
    assert "1 person of the groups file" in shown.err and "Nobody\\x1b" in shown.err
    assert "squares: 24 of 24 pictures" in shown.err and "\x1b" not in shown.out + shown.err
    assert (tmp_path / "plots" / "scores-painted.png").read_bytes()[:4] == b"\x89PNG"


def test_pairs_of_other_pictures_are_told(stills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.csv").write_text("A/1,A/2,1\nA/1,B/2,0\n")
    assert run_evaluation(Wanted(stills, tmp_path / "pairs.csv"), [painted()], SETTINGS) == 0
    shown = capsys.readouterr()
    assert "so there is no accuracy" in shown.err.replace("\n", " ") and "Accuracy" not in shown.out


def test_pictures_are_not_drawn_among_the_labelled_ones(stills: Path) -> None:
    pytest.importorskip("matplotlib")
    result = run("evaluate", "--stills", stills, "--models", "embedded", "--plot", stills / "Red")
    assert result.exit_code == 1 and "lies among the labelled pictures" in result.output


def test_what_cannot_be_read_is_named_and_counted(stills: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stills / "Red" / "broken [1].jpg").write_text("no picture")
    if not may_read_everything():
        (stills / "Red" / "Red_0001.png").chmod(0)
    failed = run_evaluation(Wanted(stills), [painted()], SETTINGS)
    assert failed == (1 if may_read_everything() else 2)
    assert "Red/broken [1].jpg" in capsys.readouterr().out


def test_one_person_and_single_pictures_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = painted_folder(tmp_path / "one", 2, {"Red": RED})
    assert run_evaluation(Wanted(one), [painted()], SETTINGS) == 0
    assert "only one person, so there are no pairs of strangers" in capsys.readouterr().out
    singles = painted_folder(tmp_path / "singles", 1)
    assert run_evaluation(Wanted(singles), [painted()], SETTINGS) == 0
    assert "nobody has two pictures" in capsys.readouterr().out
    faceless = tmp_path / "faceless"
    photograph(faceless / "a" / "1.png")
    photograph(faceless / "b" / "1.png")
    assert run_evaluation(Wanted(faceless), [painted()], SETTINGS) == 0
    assert "0 of 2 (0.00%)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--stills", "gone"], 2, "gone"),
        ([], 2, "--stills"),
        (["--stills", "empty"], 1, "there is no picture in it"),
        (["--stills", "empty", "--least", "3", "--most", "2"], 2, "leave nobody"),
        (["--stills", "stills", "--models", "nonsense"], 1, "no model set named 'nonsense'"),
        (["--stills", "stills", "--models", "embedded", "--calibrate"], 1, "too few labelled pictures to calibrate"),
        (["--stills", "stills", "--models", "mtcnn/dlib_resnet,scrfd_500m/dlib_resnet"], 1, "scrfd_500m"),
    ],
)
def test_wrong_use_is_a_sentence(
    stills: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CVID_MODEL_DIR", raising=False)
    result = run("evaluate", *arguments)
    assert result.exit_code == code and says in result.output, result.output


def test_the_real_models_run(stills: Path, tmp_path: Path) -> None:
    """Painted squares are nobody to MTCNN, which is a result like any other."""
    done = call("evaluate", "--stills", stills, "--models", "embedded", "--json", env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["embedded"]["detected"] == 0.0 and "mtcnn: 24 of 24 pictures" in done.stderr


def test_interrupting_is_clean(tmp_path: Path) -> None:
    stills = painted_folder(tmp_path / "many", 60)
    command = [sys.executable, MAIN, "evaluate", "--stills", stills, "--models", "embedded"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ) as process:
        assert process.stderr
        process.stderr.readline()  # the first tenth
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read().decode()
        assert process.wait(timeout=30) == 130
    assert rest.endswith("interrupted\n") and "Traceback" not in rest


# calibrating


def test_calibrating_says_what_it_is_worth_and_where_it_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(1)
    people = {f"p{n:02}": tuple(int(c) for c in np.roll([random.integers(215, 255), random.integers(0, 90), 0], n % 3))
              for n in range(40)}  # fmt: skip
    stills = painted_folder(tmp_path / "stills", 2, people)  # type: ignore[arg-type]
    wanted = Wanted(stills, calibrate=True)
    assert run_evaluation(wanted, [painted("both", ("colours", "grey"))], SETTINGS) == 0
    shown = capsys.readouterr().out
    for words in ("calibrated", "equal weights", "colours alone", "grey alone", "fitted to one half", "kept in"):
        assert words in shown, words
    kept = json.loads(own_file().read_text())["calibrations"]["colours+grey"]
    assert kept["slopes"][0] > 0 and kept["slopes"][1] == pytest.approx(0, abs=0.02)
    assert run_evaluation(Wanted(stills, calibrate=True, as_json=True), [painted()], SETTINGS) == 0
    report = json.loads(capsys.readouterr().out)["painted"]["calibration"]
    assert report["file"] == str(own_file()) and set(report["held_out"]) == {"calibrated"}


def test_one_combination_is_not_calibrated_on_two_detectors(stills: Path) -> None:
    result = run("evaluate", "--stills", stills, "--models", "mtcnn/dlib_resnet,embedded", "--calibrate")
    assert result.exit_code == 2 and "with several detectors" in result.output.replace("\n", " ")


def test_the_verdict_is_the_better_models() -> None:
    people = [person for person in range(60) for _ in range(5)]
    vectors = {"sharp": noisy(people, 0.6, 1), "dull": noisy(people, 5.0, 2)}
    found = calibrate(material_of(seen(people, vectors), ["sharp", "dull"]), ClusteringSettings())
    assert "sharp alone" in verdict(found)
    own, equal = found.held_out[:2]
    assert all(won.startswith("+") for won in gains(own, equal))


def test_tables_fit_80_columns() -> None:
    from rich.console import Console

    people = [person for person in range(40) for _ in range(5)]
    vectors = {"mobilefacenet": noisy(people, 0.6, 1), "dlib_resnet": noisy(people, 0.9, 2)}
    both = list(vectors)
    found = calibrate(material_of(seen(people, vectors), both), ClusteringSettings())
    groups = Groups({f"person {number}": "a group of people" for number in range(20)}, [])
    measured = measure(seen(people, vectors), both, "equal", ClusteringSettings(), groups=groups)
    console = Console(width=80, record=True, file=io.StringIO())
    for table in (calibration_table(found), groups_table(measured), side_by_side({"light": measured, "b": measured})):
        console.print(table)
    shown = console.export_text()
    assert "…" not in shown and "mobilefacenet alone" in shown and "a group of" in shown


# the histogram in the terminal


def test_the_histogram_fits_a_terminal_and_needs_no_colour() -> None:
    lines = histogram_lines(figures())
    assert 10 < len(lines) <= 33 and max(len(line.plain) for line in lines) < 80
    assert "◂1e-2" in "".join(line.plain for line in lines)
    plain = histogram_lines(figures(), "ascii")
    assert all(line.plain.isascii() for line in plain) and not any(line.spans for line in plain)


def test_progress_goes_in_lines_or_in_a_bar() -> None:
    from rich.console import Console

    lines: list[str] = []
    with Steps(Console(force_terminal=False), lines.append, "pictures") as steps:
        for done in range(0, 1001):
            steps("light", done, 1000)
    assert len(lines) == 10 and lines[-1] == "light: 1,000 of 1,000 pictures"
    console = Console(force_terminal=True, width=80, record=True)
    with Steps(console, lines.append, "pictures") as steps:
        steps("light", 5, 10)
        steps("light", 10, 10)
    assert len(lines) == 10

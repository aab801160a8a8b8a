"""`evaluate --truth`: the figures of benchmarks/score.py, and what a truth file may say."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import analysis, painted_settings, sha_of, track, track_analysis, unit
from calling import ROOT, run
from rich.console import Console

from archive.catalogue import Catalogue
from archive.found import Found, Stamp
from archive.sorting.settle import settle
from cvid.errors import LabelsError
from cvid.evaluation.groups import Groups
from cvid.evaluation.placing import Sightings, place
from cvid.evaluation.recurrence import Recurrence, judge
from cvid.evaluation.truth import ALWAYS, COLUMNS, Truth, read_truth
from cvid.types import Doubles, Floats
from reports.evaluation_truth import truth_table

sys.path.insert(0, str(ROOT / "benchmarks"))
from score import score

RED, GREEN, BLUE = unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)

# the same figures as benchmarks/score.py


@dataclass(frozen=True, eq=False)
class Case:
    """What an archive may have found, and the truth about it."""

    truth: Truth
    video: Any
    sightings: Sightings

    def as_csv(self) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """The rows that score.py reads: of the truth and of the sightings."""
        t, s = self.truth, self.sightings
        said = [
            {"video": t.video[i], "person": t.person[i]}
            | ({} if t.end_s[i] == ALWAYS[1] else cells(("start_s", "end_s"), (t.start_s[i], t.end_s[i])))
            | ({} if np.isnan(t.xyxy[i, 0]) else cells(("x1", "y1", "x2", "y2"), t.xyxy[i]))
            | (cells(("dx", "dy"), t.way[i]) if t.way[i].any() else {})
            for i in range(len(t))
        ]
        seen = [
            {"video": f"v{s.video[k]}", "identity": f"P{s.identity[k]}" if s.identity[k] >= 0 else ""}
            | cells(("start_s", "end_s", "best_s"), (s.start_s[k], s.end_s[k], s.best_s[k]))
            | cells(("x1", "y1", "x2", "y2"), s.xyxy[k])
            for k in range(len(s))
        ]
        return said, seen


def cells(names: Sequence[str], values: Any) -> dict[str, str]:
    return {name: repr(float(value)) for name, value in zip(names, values, strict=True)}


def boxes(random: np.random.Generator, n: int) -> Doubles:
    corner = random.uniform(0, 200, (n, 2)).round(1)
    return np.hstack([corner, corner + random.uniform(20, 120, (n, 2)).round(1)])


def made(seed: int, t: int, s: int, videos: int, people: int, identities: int) -> Case:
    """A case by chance: every second sighting is close to something true, the others are anything."""
    random = np.random.default_rng(seed)
    start, xyxy = random.uniform(0, 10, t).round(2), boxes(random, t)
    end, way = start + random.uniform(0, 4, t).round(2), random.uniform(-40, 40, (t, 2)).round(1)
    xyxy[random.random(t) < 0.2] = np.nan
    always = random.random(t) < 0.2
    start[always], end[always] = ALWAYS
    way[always | np.isnan(xyxy[:, 0]) | (random.random(t) < 0.4)] = 0
    video, person = random.integers(0, videos, t), random.integers(0, people, t)
    truth = Truth("t.csv", np.arange(t), [f"v{v}" for v in video], [f"p{p}" for p in person], start, end, xyxy, way)

    first, box, where = random.uniform(0, 10, s).round(3), boxes(random, s), random.integers(0, videos, s)
    last = first + (random.uniform(0, 3, s) * (random.random(s) < 0.9)).round(3)
    identity = random.integers(-1, identities, s)
    for k in range(0, s if t else 0, 2):
        i = random.integers(t)
        where[k] = video[i]
        identity[k] = person[i] if random.random() < 0.8 else identity[k]
        if not np.isnan(xyxy[i, 0]):
            box[k] = xyxy[i] + random.integers(-5, 6)
        if not always[i]:
            first[k], last[k] = start[i], end[i]
    best = first + ((last - first) * random.random(s)).round(3)
    return Case(truth, video, Sightings(where, identity, first, last, best, box))


@pytest.mark.parametrize("seed", range(60))
def test_the_figures_are_those_of_the_benchmark(seed: int) -> None:
    random = np.random.default_rng(1000 + seed)
    case = made(seed, *(int(random.integers(1, most)) for most in (40, 60, 6, 8, 8)))
    expected = score(*case.as_csv())
    found, _ = judge(case.truth, case.video, case.sightings)
    names = [field.name for field in fields(Recurrence)]
    assert names[: len(expected)] == list(expected)
    assert all(getattr(found, name) is None for name in names[len(expected) :])
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, abs=1e-9)


def test_the_cases_are_hard_enough() -> None:
    """Sightings are fought over, identities shared, and some appearances are named by a vote."""
    case = made(7, 40, 60, 3, 12, 20)
    placed = place(case.truth, case.video, case.sightings)
    assert 5 < (placed < 0).sum() < 30 and np.bincount(placed[placed >= 0]).max() > 1
    found, _ = judge(case.truth, case.video, case.sightings)
    assert 0 < found.linked_f < 1 and 0 < found.mixed < 1 and found.pure is not None and 0 < found.pure < 1


def test_nothing_found_has_no_clusters() -> None:
    found, _ = judge(*vars(made(0, 5, 0, 2, 2, 2)).values())
    assert (found.appearances, found.sightings, found.found, found.linked_f) == (5, 0, 0.0, 0.0)
    assert found.b3_f is None and found.unassigned is None and found.as_json()["nmi"] is None


@pytest.mark.parametrize("videos", [1, 1000])
def test_large_archives_are_counted_not_compared(videos: int) -> None:
    """Spread over many videos, or one camera that ran for half a day."""
    case = made(1, 20_000, 20_000, videos, 500, 800)
    if videos == 1:
        later = 2.0 * np.arange(20_000)
        t, s = case.truth, case.sightings
        t = Truth(t.path, t.line, t.video, t.person, later, later + 3, t.xyxy, t.way)
        s = Sightings(s.video, s.identity, later, later + 1, later, s.xyxy)
        case = Case(t, case.video, s)
    started = time.monotonic()
    assert judge(case.truth, case.video, case.sightings)[0].appearances == 20_000
    assert time.monotonic() - started < 20


def test_many_sightings_of_one_appearance() -> None:
    """Somebody who sits before a camera all day, in pieces; of two pieces at one time the better box has it."""
    n = 20_000
    start = np.append(np.arange(n) * 1.0, 0.5)
    box = np.vstack([np.tile([10.0, 10, 50, 50], (n, 1)), [[12.0, 10, 52, 50]]])
    zeros = np.zeros(n + 1, np.int64)
    sightings = Sightings(zeros, zeros, start, start + 1, start, box)
    truth = Truth("t", zeros[:1], ["v"], ["p"], *np.array(ALWAYS)[:, None], box[:1], np.zeros((1, 2)))
    assert place(truth, zeros[:1], sightings).tolist() == [0] * n + [-1]


def test_groups_are_judged_within_everybodys_identities() -> None:
    """Of two people who melted into one identity each has half of it; a third one stands for herself."""
    n = 6
    spans = np.zeros(n), np.ones(n)
    alone = np.full((n, 4), np.nan)
    video = np.arange(n)
    truth = Truth("t", video, [*"abcdef"], [*"xxyyzz"], *spans, alone, np.zeros((n, 2)))
    sightings = Sightings(video, np.array([0, 0, 0, 0, 1, 1]), *spans, spans[0], np.tile([0.0, 0, 9, 9], (n, 1)))
    _, by_group = judge(truth, video, sightings, Groups({"x": "north", "y": "north"}, []))
    assert [(g.name, g.people, g.sightings, g.b3_p, g.b3_r) for g in by_group] == [
        ("(none)", 1, 2, 1.0, 1.0),
        ("north", 2, 4, 0.5, 1.0),
    ]
    assert judge(truth, video, sightings)[1] == []


# truth files


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "truth.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_truth_file_is_read(tmp_path: Path) -> None:
    text = f"\ufeff{','.join(COLUMNS)}\r\nday/a.mp4, Jané ,1,2.5,10,20,30,40,-3,4\r\n\r\nb.mp4,Bob,,,,,,,,\r\n"
    truth = read_truth(written(tmp_path, text))
    assert truth.video == ["day/a.mp4", "b.mp4"] and truth.person == ["Jané", "Bob"] and truth.line.tolist() == [2, 4]
    assert truth.start_s.tolist() == [1, 0] and truth.end_s.tolist() == [2.5, 1e9]
    assert truth.xyxy[0].tolist() == [10, 20, 30, 40] and np.isnan(truth.xyxy[1]).all()
    assert truth.way.tolist() == [[-3, 4], [0, 0]]


def test_columns_may_come_in_any_order_and_most_may_be_missing(tmp_path: Path) -> None:
    truth = read_truth(written(tmp_path, "person,end_s,start_s,video\nJane,2,1,a.mp4\n"))
    assert (truth.person, truth.video, truth.start_s[0], truth.end_s[0]) == (["Jane"], ["a.mp4"], 1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty; it must begin with a line of column names: video,person,start_s"),
        ("\n \n", "it is empty"),
        ("video,person\n", "there are no appearances in it"),
        ("video\na\n", "the column 'person' is missing; it has: video"),
        ("video,persn\na,b\n", "no column 'persn' in a truth file; did you mean person?"),
        ("video,person,zzz\na,b,c\n", "no column 'zzz' in a truth file; it may have: video, person, start_s"),
        ("video,person,video\na,b,c\n", "two columns named 'video'"),
        ("video,person\na,b\nc\n", "line 3 has 1 cells, and the line of column names has 2"),
        ("video,person\na,b,c\n", "line 2 has 3 cells"),
        ("video,person\n,b\n", "line 2: video is empty"),
        ("video,person\na, \n", "line 2: person is empty"),
        ("video,person,start_s,end_s\na,b,1,\n", "line 2: start_s, end_s must be given together"),
        ("video,person,start_s,end_s\na,b,0,soon\n", "line 2: end_s must be a number, and is 'soon'"),
        ("video,person,start_s,end_s\na,b,0,nan\n", "line 2: end_s must be a number"),
        ("video,person,start_s,end_s\na,b,0,inf\n", "line 2: end_s must be a number"),
        ("video,person,start_s,end_s\na,b,2,1\n", "line 2: end_s 1 must lie behind start_s 2"),
        ("video,person,x1,y1,x2,y2\na,b,1,2,3,\n", "line 2: x1, y1, x2, y2 must be given together"),
        ("video,person,x1,y1,x2,y2\na,b,5,2,5,9\n", "line 2: x2 5 must lie behind x1 5"),
        ("video,person,x1,y1,x2,y2\na,b,5,2,6,1\n", "line 2: y2 1 must lie behind y1 2"),
        ("video,person,dx,dy\na,b,5,2\n", "line 2: dx and dy say how a box moves over a time"),
        (b"video,person\n\xff\xfe,b\n", "not a csv file in UTF-8"),
        ('video,person\n"a,b', "there is no"),
    ],
)
def test_what_a_truth_file_gets_wrong_is_named(tmp_path: Path, text: str | bytes, says: str) -> None:
    path = written(tmp_path, text)
    if says == "there is no":  # an open quotation: the cell goes on to the end of the file
        says = "line 2 has 1 cells"
    with pytest.raises(LabelsError) as told:
        read_truth(path)
    assert says in str(told.value) and str(path) in str(told.value)


def test_a_truth_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="cannot be read"):
        read_truth(tmp_path)


# the command


def archive(
    folder: Path, videos: dict[tuple[str, str], Sequence[Floats]], content: dict[str, str] | None = None
) -> Path:
    """An archive of (root, path) → who is seen there from 0 to 5 s, side by side; `content` names equal files."""
    with Catalogue.create_or_open(folder) as catalogue:
        catalogue.settle_models({"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12})
        catalogue.start_run({})
        for (root, path), people in videos.items():
            sha256 = sha_of((content or {}).get(path, root + path))
            catalogue.record([Found(root, path, Stamp(1, 2, 3), sha256, None)])
            if sha256 not in catalogue.indexed():
                seen = [track_analysis(track(0, 5, x=60.0 * i), who) for i, who in enumerate(people)]
                catalogue.save(1, analysis(sha256, seen))
        settle(catalogue, painted_settings())
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Red and green in two videos each, blue once; the second red was taken for nobody in the truth."""
    return archive(
        tmp_path / "archive",
        {
            ("/footage", "a.mp4"): [RED, GREEN],
            ("/footage", "day/b.mp4"): [GREEN],
            ("/footage", "day/c [1].mp4"): [RED],
            ("/footage", "d.mp4"): [BLUE],
        },
    )


TRUTH = """video,person,start_s,end_s,x1,y1,x2,y2
a.mp4,Red,0,5,0,10,40,50
a.mp4,Green,0,5,60,10,100,50
day/b.mp4,Green,1,4,0,10,40,50
c [1].mp4,Green,,,,,,
"""


def test_the_command_prints_the_figures(people: Path, tmp_path: Path) -> None:
    path = written(tmp_path, TRUTH)
    result = run("evaluate", "--truth", path, "--archive", people, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures.pop("schema_version") == 1 and list(figures) == [field.name for field in fields(Recurrence)]
    assert (figures["appearances"], figures["sightings"], figures["extra"], figures["unassigned"]) == (4, 5, 1, 0)
    assert (
        figures["found"] == 1 and figures["linked_r"] == pytest.approx(1 / 3, abs=1e-6) and figures["linked_p"] == 0.5
    )
    shown = run("evaluate", "--truth", path, "--archive", people)
    assert "linked_r        0.3333  of pairs of one person in different videos" in shown.stdout


def test_the_command_agrees_with_the_benchmark_on_an_export(people: Path, tmp_path: Path) -> None:
    run("export", "--archive", people, "-o", tmp_path / "people.csv")
    truth = written(tmp_path, TRUTH)
    with truth.open() as said, (tmp_path / "people.csv").open() as seen:
        expected = score(list(csv.DictReader(said)), list(csv.DictReader(seen)))
    result = run("evaluate", "--truth", truth, "--archive", people, "--json")
    figures = json.loads(result.stdout)
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_the_command_judges_groups(people: Path, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("person,group\nRed,warm [x]\nNobody,cold\n")
    call = ["evaluate", "--truth", written(tmp_path, TRUTH), "--archive", people, "--groups", tmp_path / "groups.csv"]
    found = json.loads(run(*call, "--json").stdout)["groups"]
    assert set(found) == {"(none)", "warm [x]"} and found["warm [x]"]["people"] == 1
    assert found["warm [x]"] == {
        "people": 1,
        "sightings": 1,
        "b3_p": 0.5,
        "b3_r": 1.0,
        "b3_f": pytest.approx(2 / 3, abs=1e-6),
    }
    shown = run(*call)
    assert "warm [x]" in shown.stdout and "1 person of the groups file" in shown.stderr


def test_the_table_fits_80_columns() -> None:
    console = Console(width=80, file=StringIO(), record=True)
    console.print(truth_table(judge(*vars(made(7, 40, 60, 3, 8, 8)).values())[0]))
    shown = console.export_text()
    assert "…" not in shown and all(field.name in shown for field in fields(Recurrence))


def asked(people: Path, folder: Path, *videos: str) -> str:
    """What the command says of a truth about these videos; "" where it is content."""
    text = "video,person\n" + "".join(f"{video},x\n" for video in videos)
    result = run("evaluate", "--truth", written(folder, text), "--archive", people, "--json")
    assert result.exit_code == (1 if result.stderr else 0)
    return result.stderr


def test_videos_are_meant_by_name_or_path(people: Path, tmp_path: Path) -> None:
    assert not asked(people, tmp_path, "a.mp4", "b.mp4", "day/b.mp4", "./a.mp4", "/footage/day/b.mp4")
    assert "line 3: the archive" in asked(people, tmp_path, "a.mp4", "x.mp4", "y.mp4")
    assert "no video 'aa.mp4'; closest: a.mp4" in asked(people, tmp_path, "aa.mp4")
    assert "no video 'days/b.mp4'; closest: day/b.mp4" in asked(people, tmp_path, "days/b.mp4")
    assert "no video 'night/b.mp4'" in asked(people, tmp_path, "night/b.mp4"), "a path is not a name"
    assert "it knows 4 files" in asked(people, tmp_path, "0123456789")


def test_two_files_of_one_name_must_be_told_apart(tmp_path: Path) -> None:
    videos = {("/one", "a.mp4"): [RED], ("/one", "x/a.mp4"): [GREEN], ("/two", "a.mp4"): [BLUE]}
    held = archive(tmp_path / "archive", videos)
    assert "'a.mp4' may be any of several videos: a.mp4, x/a.mp4; give the path of one" in asked(
        held, tmp_path, "a.mp4"
    )
    assert not asked(held, tmp_path, "x/a.mp4", "/one/a.mp4", "/two/a.mp4")
    assert "'./a.mp4' may be" in asked(held, tmp_path, "./a.mp4")


def test_copies_of_one_file_are_one_video(tmp_path: Path) -> None:
    videos = {("/one", "a.mp4"): [RED], ("/one", "copy/a.mp4"): [RED], ("/one", "b.mp4"): [RED]}
    held = archive(tmp_path / "archive", videos, {"a.mp4": "same", "copy/a.mp4": "same"})
    text = "video,person\na.mp4,x\nb.mp4,x\n"
    result = run("evaluate", "--truth", written(tmp_path, text), "--archive", held, "--json")
    figures = json.loads(result.stdout)
    assert (figures["appearances"], figures["sightings"], figures["linked_f"]) == (2, 2, 1.0)
    assert not asked(held, tmp_path, "copy/a.mp4")


def test_two_files_of_one_path_are_named_in_full(tmp_path: Path) -> None:
    held = archive(tmp_path / "archive", {("/one", "a.mp4"): [RED], ("/two", "a.mp4"): [BLUE]})
    assert "several videos: /one/a.mp4, /two/a.mp4; give the path" in asked(held, tmp_path, "a.mp4")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "give either --stills DIR"),
        (["--stills", ".", "--truth", "truth.csv"], 2, "give either --stills DIR"),
        (["--truth", "gone.csv"], 2, "gone.csv"),
        (["--truth", "truth.csv", "--archive", "gone"], 1, "there is no archive at gone"),
        (["--truth", "truth.csv", "--models", "light"], 2, "--models does not go with --truth"),
        (["--truth", "truth.csv", "--set", "jobs=1"], 2, "--set does not go with --truth"),
        (["--truth", "truth.csv", "--calibrate"], 2, "--calibrate does not go with --truth"),
        (["--stills", ".", "--archive", "x"], 2, "--archive does not go with --stills"),
    ],
)
def test_wrong_use_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    written(tmp_path, TRUTH)
    monkeypatch.chdir(tmp_path)
    result = run("evaluate", *arguments)
    assert result.exit_code == code and says in result.output, result.output

"""The whole path on painted faces: index → people, again, moved, broken, stopped, killed, resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from builders import (
    BLUE,
    CYAN,
    GREEN,
    MAGENTA,
    RED,
    YELLOW,
    Shot,
    film,
    painted_settings,
    photograph,
    sound_only,
    write_video,
)
from fakes import open_fakes, open_others
from sqlalchemy import Engine, event

from archive.catalogue import Catalogue
from archive.events import Advanced, Event, Failed, Finished, Note, Scanned, Started, WritingFolders
from archive.index import IndexSummary, choose_models, index_footage
from archive.records import Appearance
from cvid.errors import CatalogueError, VideoError
from cvid.models.sets import SETS, Choice
from cvid.models.table import MODELS as TABLE
from cvid.settings import Settings

HERE = Path(__file__).parent


def index(
    archive: Path, *footage: Path, hook: Callable[[Event], None] = lambda event: None, settings: Settings | None = None
) -> IndexSummary:
    return index_footage(archive, footage, settings or painted_settings(), hook, open_parts=open_fakes, engine="inline")


def seen(archive: Path) -> list[Appearance]:
    with Catalogue.open(archive) as catalogue:
        return list(catalogue.appearances())


def who(archive: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for appearance in seen(archive):
        found.setdefault(appearance.video, set()).add(appearance.identity)
    return found


def files(folder: Path) -> dict[str, bytes]:
    """Everything a user sees in an archive, but for the logs."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("identities", "unassigned")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Red in three files, green in two, blue alone; one file sits in a folder with a space."""
    folder = tmp_path / "footage"
    film(folder / "a.mp4", RED)
    film(folder / "b.mp4", RED, GREEN)
    film(folder / "more clips" / "c.mp4", BLUE)
    photograph(folder / "d.png", RED, GREEN)
    (folder / "notes.txt").write_text("not footage")
    return folder


def test_index_finds_the_people(tmp_path: Path, footage: Path) -> None:
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)

    people = who(tmp_path / "archive")
    (red,), (blue,) = people["a.mp4"], people["more clips/c.mp4"]
    assert people["b.mp4"] == people["d.png"] and red in people["b.mp4"] and len(people["b.mp4"]) == 2
    assert blue not in people["b.mp4"]
    assert {p.id: p.videos for p in summary.people} == {red: 3, blue: 1, (people["b.mp4"] - {red}).pop(): 2}

    told = summary.as_json()
    assert told["schema_version"] == 1
    assert told["videos"] == {"found": 4, "indexed": 4, "skipped": 0, "failed": 0, "ignored": 1}
    assert told["frames"].keys() == {"decoded", "analysed", "still", "dark", "soon"} and told["frames"]["decoded"] == 76
    assert told["frames"]["decoded"] == sum(v for k, v in told["frames"].items() if k != "decoded")
    assert (told["tracks"], told["identities"]) == (6, 3) and told["faces"] > 6
    assert told["models"] == {"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12}
    assert told["providers"] and 7 < told["video_seconds"] < 8 and told["seconds"] > 0
    json.dumps(told)

    kinds = [type(event) for event in events]
    assert kinds.count(Started) == kinds.count(Finished) == 4 and Advanced in kinds
    assert next(e for e in events if isinstance(e, Scanned)) == Scanned(4, 4, 0, 0, 1, 7.5)
    assert any(isinstance(e, Note) and "squares" in e.text for e in events) and isinstance(events[-1], WritingFolders)
    (log,) = (tmp_path / "archive" / "logs").iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"run", "scanned", "started", "finished", "clustering", "summary"} <= {line["event"] for line in lines}
    assert all(line["utc"].endswith("+00:00") for line in lines)
    assert sorted(p.name for p in (tmp_path / "archive" / "identities").iterdir()) == ["P0001", "P0002", "P0003"]


def test_a_second_run_skips_all_and_changes_nothing(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    before = files(tmp_path / "archive")
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)
    assert summary.videos == {"found": 4, "indexed": 0, "skipped": 4, "failed": 0, "ignored": 1}
    assert (
        summary.identities == 3 and summary.frames["decoded"] == 0 and summary.models["detector"].startswith("squares")
    )
    assert not any(isinstance(e, Started) for e in events)
    assert files(tmp_path / "archive") == before


def test_a_moved_file_keeps_its_tracks_and_a_duplicate_is_analysed_once(tmp_path: Path, footage: Path) -> None:
    shutil.copy(footage / "a.mp4", footage / "z copy of a.mp4")
    events: list[Event] = []
    summary = index(tmp_path / "archive", footage, hook=events.append)
    assert summary.videos == {"found": 5, "indexed": 4, "skipped": 1, "failed": 0, "ignored": 1}
    assert next(e for e in events if isinstance(e, Scanned)).duplicates == 1
    before = {a.appearance: a.identity for a in seen(tmp_path / "archive")}

    (footage / "elsewhere").mkdir()
    (footage / "a.mp4").rename(footage / "elsewhere" / "renamed.mp4")
    (footage / "z copy of a.mp4").unlink()
    assert index(tmp_path / "archive", footage).videos["skipped"] == 4
    assert {a.appearance: a.identity for a in seen(tmp_path / "archive")} == before
    assert "elsewhere/renamed.mp4" in who(tmp_path / "archive") and "a.mp4" not in who(tmp_path / "archive")
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 0


def test_what_is_gone_is_missing_and_not_forgotten(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    before = seen(tmp_path / "archive")
    (footage / "b.mp4").rename(tmp_path / "b.mp4")
    index(tmp_path / "archive", footage)
    assert seen(tmp_path / "archive") == before
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 1
    (tmp_path / "b.mp4").rename(footage / "b.mp4")
    assert index(tmp_path / "archive", footage).videos["skipped"] == 4
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().missing == 0


def test_other_content_under_the_same_name_replaces_it(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage)
    film(footage / "more clips" / "c.mp4", YELLOW, seconds=3)
    summary = index(tmp_path / "archive", footage)
    assert summary.videos["indexed"] == 1
    assert [a.end_s for a in seen(tmp_path / "archive") if a.video == "more clips/c.mp4"] == [pytest.approx(2.9)]
    assert summary.identities == 3 and "P0004" in {p.id for p in summary.people}, "blue is dissolved, yellow is new"


def test_what_is_damaged_midway_is_indexed_as_far_as_it_goes_and_named(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    video = write_video(tmp_path / "cut" / "cut.mkv", [Shot(8, {RED: (10, 30)}), Shot(8, {BLUE: (100, 50)})])
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    summary = index(tmp_path / "archive", tmp_path / "cut")
    assert (summary.videos["indexed"], summary.videos["failed"], summary.tracks > 0) == (1, 0, True)
    assert [f.path for f in summary.failures] == ["cut.mkv"] and "damaged after" in summary.failures[0].reason
    again = index(tmp_path / "archive", tmp_path / "cut")
    assert (again.videos["skipped"], again.damaged, again.failures) == (1, 1, summary.failures)
    video.rename(video.with_name("moved.mkv"))
    moved = index(tmp_path / "archive", tmp_path / "cut")
    assert [(f.path, f.reason) for f in moved.failures] == [("moved.mkv", summary.failures[0].reason)]
    with Catalogue.open(tmp_path / "archive") as catalogue:
        status = catalogue.status()
        assert (status.sources, status.failed, status.damaged) == (1, 0, 1)
        assert catalogue.failures() == moved.failures


def test_each_broken_file_is_one_failure_and_the_rest_is_indexed(tmp_path: Path, footage: Path) -> None:
    (footage / "empty.mp4").touch()
    (footage / "text.mov").write_text("words " * 100)
    sound_only(footage / "sound.mp4")
    (footage / "cut.mp4").write_bytes((footage / "a.mp4").read_bytes()[:500])
    photograph(footage / "half.png", RED).write_bytes((footage / "half.png").read_bytes()[:200])
    write_video(footage / "one frame.mp4", [Shot(0.1, {})])
    write_video(footage / "tiny.mp4", [Shot(0.5, {})], width=2, height=2)
    events: list[Event] = []
    for _ in range(2):
        events.clear()
        summary = index(tmp_path / "archive", footage, hook=events.append)
        failed = {f.path: f.reason for f in summary.failures}
        assert failed.keys() == {"cut.mp4", "empty.mp4", "half.png", "sound.mp4", "text.mov"} and all(failed.values())
        assert sorted(e.path for e in events if isinstance(e, Failed)) == sorted(failed)
        assert summary.videos["failed"] == 5
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().sources == 6 and {f.path: f.reason for f in catalogue.failures()} == failed
        assert catalogue.status().runs[0].outcome == "failures"
    film(footage / "empty.mp4", CYAN)
    assert index(tmp_path / "archive", footage).videos["indexed"] == 1, "failures are tried again"


def test_a_file_that_vanishes_during_the_run_fails(tmp_path: Path, footage: Path) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, Scanned):
            (footage / "a.mp4").unlink()
            film(footage / "b.mp4", CYAN)

    summary = index(tmp_path / "archive", footage, hook=hook)
    assert {f.path: f.reason for f in summary.failures} == {
        "a.mp4": "it vanished before it was read to its end",
        "b.mp4": "it changed while it was read; index it again when it is complete",
    }
    assert summary.videos["indexed"] == 2
    assert index(tmp_path / "archive", footage).videos == {
        "found": 3,
        "indexed": 1,
        "skipped": 2,
        "failed": 0,
        "ignored": 1,
    }


def test_ids_are_stable_when_footage_is_added(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage / "more clips", footage / "b.mp4")
    before = {a.appearance: a.identity for a in seen(tmp_path / "archive")}
    index(tmp_path / "archive", footage)
    after = {a.appearance: a.identity for a in seen(tmp_path / "archive")}
    assert before.items() <= after.items() and len(after) == 6


def test_the_archive_may_lie_inside_the_footage(tmp_path: Path, footage: Path) -> None:
    for _ in range(2):
        summary = index(footage / "archive", footage)
        assert (summary.videos["found"], summary.identities) == (4, 3)


def test_an_archive_without_faces_has_nobody(tmp_path: Path) -> None:
    write_video(tmp_path / "footage" / "empty.mp4", [Shot(2, {})])
    summary = index(tmp_path / "archive", tmp_path / "footage")
    assert (summary.identities, summary.faces, summary.people) == (0, 0, [])


def test_footage_is_never_written_to(tmp_path: Path, footage: Path) -> None:
    def state() -> list[tuple[str, int, bytes]]:
        return [
            (str(p), p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in sorted(footage.rglob("*"))
        ]

    before = state()
    index(tmp_path / "archive", footage)
    assert state() == before


def test_an_archive_is_rebuilt_from_its_footage(tmp_path: Path, footage: Path) -> None:
    """Lost altogether, an archive comes back the same: appearances, people and the faces in their folders."""
    index(tmp_path / "archive", footage)
    before = seen(tmp_path / "archive")
    faces = {p.name: p.read_bytes() for p in (tmp_path / "archive" / "identities").rglob("*.jpg")}
    shutil.rmtree(tmp_path / "archive")
    index(tmp_path / "archive", footage)
    assert seen(tmp_path / "archive") == before
    assert {p.name: p.read_bytes() for p in (tmp_path / "archive" / "identities").rglob("*.jpg")} == faces


def test_other_models_are_refused(tmp_path: Path, footage: Path) -> None:
    index(tmp_path / "archive", footage / "a.mp4")
    before = seen(tmp_path / "archive")
    with pytest.raises(
        CatalogueError, match="squares:000000000000 and colours:000000000000, not with squares:111111111111"
    ):
        index_footage(
            tmp_path / "archive", [footage], painted_settings(), lambda e: None, open_parts=open_others, engine="inline"
        )
    with pytest.raises(CatalogueError, match="not with mtcnn and dlib_resnet"):
        choice = Choice(("mtcnn",), ("dlib_resnet",), "embedded", "asked for", "")
        index_footage(tmp_path / "archive", [footage], painted_settings(), lambda e: None, choice=choice)
    assert seen(tmp_path / "archive") == before
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert [run.outcome.partition(":")[0] for run in catalogue.status().runs] == [
            "stopped by CatalogueError",
            "done",
        ]


def test_an_archive_keeps_to_its_models_when_better_ones_appear(tmp_path: Path) -> None:
    for name in SETS["light"].detectors + SETS["light"].embedders:
        weights = TABLE[name].weights
        assert weights
        (tmp_path / weights.file).touch()
    settings = painted_settings(model_dir=str(tmp_path))
    with Catalogue.create_or_open(tmp_path / "archive") as catalogue:
        assert choose_models(catalogue, settings).set_name == "light"
        own = {"detector": "mtcnn:0", "embedder": "dlib_resnet:0", "set": "embedded"}
        catalogue.settle_models(own)
        kept = choose_models(catalogue, settings)
        assert (kept.detectors, kept.embedders, kept.set_name) == (("mtcnn",), ("dlib_resnet",), "embedded")
        named = choose_models(catalogue, painted_settings(model_dir=str(tmp_path), models="light"))
        assert named.detectors == ("scrfd_500m",), "what the user names is tried, and then refused"


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="there is no such file or folder"):
        index(tmp_path / "archive", tmp_path / "nothing")
    assert not (tmp_path / "archive").exists()


def test_a_folder_cannot_be_footage_and_archive(tmp_path: Path, footage: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be footage and archive at once"):
        index(footage, footage)
    assert not (footage / "catalogue.sqlite").exists()


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path, footage: Path) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, Finished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(tmp_path / "archive", footage, hook=hook)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.status().runs[0].outcome == "stopped by KeyboardInterrupt"
        assert catalogue.status().sources == 1
    resumed = index(tmp_path / "archive", footage)
    assert resumed.videos == {"found": 4, "indexed": 3, "skipped": 1, "failed": 0, "ignored": 1}
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


@pytest.mark.parametrize("stage", [Scanned, Started, Finished, WritingFolders])
def test_stopped_anywhere_the_next_run_goes_on(tmp_path: Path, footage: Path, stage: type) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, stage):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        index(tmp_path / "archive", footage, hook=hook)
    index(tmp_path / "archive", footage)
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


def test_ctrl_c_in_the_middle_of_a_statement_is_still_ctrl_c(tmp_path: Path, footage: Path) -> None:
    def interrupt(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "INSERT INTO pictures" in statement:
            raise KeyboardInterrupt

    event.listen(Engine, "after_cursor_execute", interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            index(tmp_path / "archive", footage)
    finally:
        event.remove(Engine, "after_cursor_execute", interrupt)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert (catalogue.status().tracks, catalogue.status().sources) == (0, 0)
    index(tmp_path / "archive", footage)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert [run.outcome for run in catalogue.status().runs] in (["done", "stopped"], ["stopped", "done"])


def test_one_worker_or_two_give_the_same_archive(tmp_path: Path, footage: Path) -> None:
    film(footage / "e.mp4", MAGENTA, YELLOW)
    for jobs in (1, 2):
        settings = painted_settings(jobs=jobs)
        index_footage(
            tmp_path / str(jobs), [footage], settings, lambda event: None, open_parts=open_fakes, engine="local"
        )
    index(tmp_path / "inline", footage)
    assert files(tmp_path / "1") == files(tmp_path / "2") == files(tmp_path / "inline")


SCRIPT = """
import sys, time
from pathlib import Path
from archive.events import Finished
from archive.index import index_footage
from builders import painted_settings
from fakes import open_fakes

def hook(event):
    if isinstance(event, Finished):
        print("finished", flush=True)
        time.sleep(0.1)

if __name__ == "__main__":
    archive, footage, engine = sys.argv[1:]
    index_footage(Path(archive), [Path(footage)], painted_settings(jobs=2), hook, open_parts=open_fakes, engine=engine)
"""


def start(tmp_path: Path, engine: str) -> subprocess.Popen[str]:
    """`index` in a process of its own, up to its first finished video."""
    (tmp_path / "script.py").write_text(SCRIPT)
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "archive"), str(tmp_path / "footage"), engine],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout and running.stdout.readline() == "finished\n"
    return running


def gone(pids: Sequence[int]) -> bool:
    """Have all these processes ended, after a short while?"""
    for _ in range(100):
        if not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("engine", ["inline", "local"])
def test_killed_in_the_middle_the_next_run_goes_on(tmp_path: Path, footage: Path, engine: str) -> None:
    for i in range(6):
        film(footage / f"x{i}.mp4", (RED, GREEN, BLUE)[i % 3], seconds=3 + i / 10)
    running = start(tmp_path, engine)
    with pytest.raises(CatalogueError, match=f"is in use by process {running.pid} "):
        index(tmp_path / "archive", footage)
    workers = children(running.pid)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert gone(workers), "workers end with their parent"

    with Catalogue.open(tmp_path / "archive") as catalogue:
        finished = catalogue.status().sources
    resumed = index(tmp_path / "archive", footage)
    assert 1 <= finished < 10 and resumed.videos["skipped"] == finished and resumed.videos["indexed"] == 10 - finished
    index(tmp_path / "fresh", footage)
    assert files(tmp_path / "archive") == files(tmp_path / "fresh")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_ctrl_c_in_a_terminal_ends_the_workers_quietly(tmp_path: Path, footage: Path) -> None:
    for i in range(6):
        film(footage / f"x{i}.mp4", RED, seconds=3 + i / 10)
    running = start(tmp_path, "local")
    workers = children(running.pid)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert workers and gone(workers)

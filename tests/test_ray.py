"""Work on a Ray cluster: a real one on this machine, of several nodes, some of which go away."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import BLUE, GREEN, RED, Shot, film, painted_settings, white_video, write_video
from distant import ShyPath, grim, slow
from fakes import open_fakes, open_nothing
from graphs import write_embedder
from test_engines import job

from archive.engines import Advances, Began, Broke, Done, Job, Message, Opened, OpenParts
from archive.engines.inline import InlineEngine
from cvid.errors import CvidError, ModelError
from cvid.models.sets import Choice
from cvid.types import VideoAnalysis

pytest.importorskip("ray", reason="Ray is not installed: pip install 'cvid[ray]'")

from clusters import ROOT, RayNodes

from archive.engines.ray.engine import RayEngine
from archive.engines.ray.messages import Patience


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    """A head, and one node that stays."""
    with RayNodes() as nodes:
        nodes.add(XDG_CACHE_HOME=str(tmp_path_factory.getbasetemp() / "cache")).await_start()
        yield nodes


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    colours = zip("abc", (RED, GREEN, BLUE), strict=True)
    return [film(tmp_path / f"{name}.mp4", colour, seconds=0.5) for name, colour in colours]


def engine(open_parts: OpenParts, address: str, patience: Patience | None = None) -> RayEngine:
    return RayEngine(open_parts, painted_settings(jobs=0, ray_address=address), patience)


def outcome(
    engine: RayEngine, jobs: list[Job], hook: Callable[[Message], None] = lambda message: None
) -> dict[str, str]:
    """File → "" or why it broke."""
    messages: list[Message] = []

    def receive(message: Message) -> None:
        messages.append(message)
        hook(message)

    engine.run(jobs, receive)
    assert isinstance(messages[0], Opened)
    assert {m.job.path for m in messages if isinstance(m, Began)} == {job.path for job in jobs}
    return {m.job.path.name: m.reason if isinstance(m, Broke) else "" for m in messages if isinstance(m, Done | Broke)}


def analyses(engine: RayEngine | InlineEngine, paths: list[Path]) -> dict[str, VideoAnalysis]:
    found: dict[str, VideoAnalysis] = {}

    def receive(message: Message) -> None:
        if isinstance(message, Done):
            found[message.job.path.name] = message.analysis

    engine.run([job(path) for path in paths], receive)
    return found


class Told(logging.Handler):
    """Writes a remark of the engine into a folder, for a detector that waits for it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        (self._folder / "remark").write_text(record.getMessage())


def test_results_are_those_of_this_machine(cluster: RayNodes, clips: list[Path]) -> None:
    there = analyses(engine(open_fakes, cluster.address), clips)
    here = analyses(InlineEngine(open_fakes, painted_settings()), clips)
    assert there.keys() == here.keys() == {"a.mp4", "b.mp4", "c.mp4"}
    for name, own in here.items():
        assert there[name].counts == own.counts and there[name].faces == own.faces > 0
        for theirs, ours in zip(there[name].tracks, own.tracks, strict=True):
            assert (theirs.track.xyxy == ours.track.xyxy).all() and theirs.track.xyxy.flags.writeable
            assert (theirs.template.vectors == ours.template.vectors).all() and theirs.pictures == ours.pictures


def test_a_node_that_is_killed_costs_nothing(cluster: RayNodes, tmp_path: Path) -> None:
    doomed = cluster.add().await_start()
    films = [film(tmp_path / f"{number}.mp4", RED, seconds=2) for number in range(5)]
    met = tmp_path / "met"

    def kill(message: Message) -> None:
        if isinstance(message, Advances) and len(list(met.iterdir())) == 2:
            doomed.kill()

    found = outcome(engine(slow(met, processes=2), cluster.address), [job(path) for path in films], kill)
    assert found == {path.name: "" for path in films}
    assert len(list(met.iterdir())) == 2 and not doomed.processes()


def test_what_a_worker_dies_of_is_tried_once_more_and_then_fails(
    cluster: RayNodes, clips: list[Path], tmp_path: Path
) -> None:
    white, black = white_video(tmp_path / "white.mp4"), write_video(tmp_path / "black.mp4", [Shot(1, {}, ground=40)])
    letters = tmp_path / "letters"
    found = outcome(engine(grim(letters), cluster.address), [job(path) for path in [white, black, *clips]])
    assert found == {
        "a.mp4": "",
        "b.mp4": "",
        "c.mp4": "",
        "white.mp4": "the analysis broke down on it twice: its process ended",
        "black.mp4": "the analysis broke down on it twice: ZeroDivisionError: black",
    }
    assert sorted(letters.read_text()) == ["b", "b", "w", "w"]


def test_what_one_node_does_not_see_is_done_by_another(
    cluster: RayNodes, clips: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blind = cluster.add(CVID_TEST_BLIND="1").await_start()
    opening = slow(tmp_path / "met", processes=2)
    found = outcome(engine(opening, cluster.address), [job(ShyPath(path)) for path in clips])
    assert found == {"a.mp4": "", "b.mp4": "", "c.mp4": ""}
    assert f"({blind.address}) does not see it; another one tries" in caplog.text
    blind.kill()


def test_weights_go_where_they_lack(
    cluster: RayNodes, clips: list[Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    weights = write_embedder(tmp_path / "models" / "inception_resnet_v1_vggface2.onnx", 160, 512)
    choice = Choice(("mtcnn",), ("inception_resnet",), "", "asked for", str(weights.parent))
    assert outcome(engine(choice.open, cluster.address), [job(clips[0])]) == {"a.mp4": ""}
    kept = list((tmp_path_factory.getbasetemp() / "cache" / "cvid" / "cluster").rglob("*.onnx"))
    assert [path.read_bytes() for path in kept] == [weights.read_bytes()]


def test_a_node_with_other_code_is_left_out(cluster: RayNodes, clips: list[Path], tmp_path: Path) -> None:
    for package in ("cvid", "archive"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package)
    with (tmp_path / "other" / "cvid" / "align.py").open("a") as file:
        file.write("# other\n")
    other = cluster.add(PYTHONPATH=str(tmp_path / "other")).await_start()
    told, opening = Told(tmp_path / "told"), slow(tmp_path / "told")
    logging.getLogger("archive.engines.ray").addHandler(told)
    try:
        assert outcome(engine(opening, cluster.address), [job(clips[0])]) == {"a.mp4": ""}
    finally:
        logging.getLogger("archive.engines.ray").removeHandler(told)
    assert f"({other.address}) is left out: it has cvid's code" in (tmp_path / "told" / "remark").read_text()
    other.kill()


def test_models_that_no_node_can_open_end_the_run(cluster: RayNodes, clips: list[Path]) -> None:
    with pytest.raises(ModelError, match="weights of 'squares'"):
        engine(open_nothing, cluster.address).run([job(clips[0])], lambda message: None)


def test_what_the_receiver_raises_ends_the_workers_and_not_the_cluster(
    cluster: RayNodes, clips: list[Path], tmp_path: Path
) -> None:
    def receive(message: Message) -> None:
        if isinstance(message, Began):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine(slow(tmp_path / "never"), cluster.address).run([job(path) for path in clips], receive)
    deadline = time.monotonic() + 10
    while any(node.processes("ray::Worker") for node in cluster.nodes) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(node.processes("raylet") and not node.processes("ray::Worker") for node in cluster.nodes[:2])


def test_no_cluster_at_the_address(clips: list[Path]) -> None:
    with pytest.raises(CvidError, match=r"the Ray cluster at 127\.0\.0\.9:1 does not answer; see docs/cluster\.md"):
        engine(open_fakes, "127.0.0.9:1", Patience(join_s=3)).run([job(clips[0])], lambda message: None)


def test_a_cluster_that_goes_away_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "2")
    films = [film(tmp_path / f"{name}.mp4", RED, seconds=2) for name in "ab"]
    done: list[str] = []
    with RayNodes(cpus=1) as nodes:

        def receive(message: Message) -> None:
            if isinstance(message, Done):
                done.append(message.job.path.name)
                for node in nodes.nodes:
                    node.kill()

        with pytest.raises(CvidError, match=r"is gone.*what was finished is kept"):
            engine(slow(tmp_path / "met", processes=1), nodes.address).run([job(path) for path in films], receive)
    assert len(done) == 1


def test_a_cluster_of_ones_own_is_started_and_ended(
    cluster: RayNodes, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    before = _rays()
    assert outcome(engine(open_fakes, "local"), [job(clips[0])]) == {"a.mp4": ""}
    assert _rays() == before


def _rays() -> set[str]:
    return {entry.name for entry in Path("/proc").glob("[0-9]*") if b"gcs/gcs_server" in _command(entry)}


def _command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""

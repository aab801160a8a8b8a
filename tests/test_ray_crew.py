"""What a crew does about nodes and workers that fail, on a cluster that is played."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import RED, film, painted_settings
from fakes import open_fakes, open_others
from test_engines import job

from archive.engines import Broke, Done, Message
from archive.engines.ray.luggage import config_home, opening, packed, stored, unpack
from archive.engines.ray.messages import Patience
from archive.engines.ray.queue import NODE_LOSSES, Queue
from archive.engines.tasks import Assembly, Task
from cvid.errors import CvidError, ModelError
from cvid.models.sets import Choice

pytest.importorskip("ray", reason="Ray is not installed: pip install 'cvid[ray]'")

from ray.exceptions import ActorDiedError, ActorUnavailableError

from archive.engines.ray.cluster import Host, refusal
from archive.engines.ray.crew import Crew
from archive.engines.ray.node import Prepared, Worker, versions

ROOT = Path(__file__).resolve().parent.parent
BLAMELESS = ActorUnavailableError("the line is dead", None)
WORKERS_A_GPU = 4


@dataclass(eq=False)
class Handle:
    """What comes of a call; `ready` is False where nothing ever does."""

    value: Any
    ready: bool = True


@dataclass(eq=False)
class Actor:
    """A worker of a played cluster, called at once."""

    host: Host
    cluster: PlayedCluster
    worker: Worker = field(default_factory=Worker)

    def __getattr__(self, name: str) -> Any:
        return Method(self, name)


@dataclass
class Method:
    actor: Actor
    name: str

    def remote(self, *arguments: Any) -> Handle:
        cluster, host = self.actor.cluster, self.actor.host
        cluster.calls.append((host.id, self.name))
        if self.name == "open" and host.id in cluster.opening:
            arguments = (cluster.opening[host.id], *arguments[1:])
        trouble = cluster.trouble.get((host.id, self.name))
        happens = trouble.pop(0) if trouble else None
        return happens if isinstance(happens, Handle) else Handle(getattr(self.actor.worker, self.name)(*arguments))


@dataclass(eq=False)
class PlayedCluster:
    """Nodes that are there one look after the other, and what goes wrong on them."""

    looks: list[list[Host]]
    trouble: dict[tuple[str, str], list[Handle | None]] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)
    opening: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    shares: list[tuple[str, float]] = field(default_factory=list)
    living: set[Actor] = field(default_factory=set)
    name: str = "the Ray cluster at home"

    def hosts(self) -> list[Host]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def prepare(self, host: Host, expected: dict[str, str], items: Sequence[Any], device: str) -> Handle:
        return Handle(self.prepared.get(host.id, Prepared(expected)))

    def hire(self, host: Host, gpus: float) -> Actor:
        self.shares.append((host.id, gpus))
        actor = Actor(host, self)
        self.living.add(actor)
        return actor

    def dismiss(self, actor: Actor) -> None:
        self.living.remove(actor)

    def ready(self, handles: Sequence[Handle], timeout_s: float) -> list[Handle]:
        return [handle for handle in handles if handle.ready]

    def get(self, handle: Handle) -> Any:
        if isinstance(handle.value, Exception):
            raise handle.value
        return handle.value


def host(name: str, cpus: float = 1, gpus: float = 0) -> Host:
    return Host(name, name, cpus, gpus)


def work(
    cluster: PlayedCluster, paths: Sequence[Path], patience: Patience | None = None, **settings: Any
) -> tuple[dict[str, str], list[str]]:
    """File → "" or why it broke; and what the user was told."""
    found: dict[str, str] = {}
    remarks: list[str] = []

    def receive(message: Message) -> None:
        if isinstance(message, Done | Broke):
            found[message.job.path.name] = message.reason if isinstance(message, Broke) else ""

    chosen = painted_settings(**{"jobs": 0, **settings})
    assembly = Assembly([job(path) for path in paths], chosen, receive)
    crew = Crew(
        cluster,  # type: ignore[arg-type]
        [],
        open_fakes,
        chosen,
        assembly,
        receive,
        remarks.append,
        lambda: None,
        patience or Patience(nodes_s=0.1),
    )
    try:
        crew.work()
    finally:
        crew.dismiss()
        assert not cluster.living
    return found, remarks


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [film(folder / f"{name}.mp4", RED, seconds=0.3) for name in "abcd"]


WELL = {"a.mp4": "", "b.mp4": "", "c.mp4": "", "d.mp4": ""}


def test_work_goes_to_all_nodes_and_no_more_workers_than_tasks(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x", 2), host("y", 64), host("head", 0)]])
    assert work(cluster, clips) == (WELL, [])
    assert sorted(cluster.shares) == [("x", 0), ("x", 0), ("y", 0), ("y", 0)]


def test_no_more_workers_than_were_asked_for(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x", 2), host("y", 2)]])
    assert work(cluster, clips, jobs=2) == (WELL, [])
    assert sorted(cluster.shares) == [("x", 0), ("y", 0)]


def test_a_node_that_joins_gets_work(clips: list[Path]) -> None:
    cluster = PlayedCluster([[], [host("late")]])
    assert work(cluster, clips, Patience(nodes_s=30)) == (WELL, [])


def test_a_node_that_goes_leaves_its_task_to_another(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x"), host("y")], [host("y")]], {("x", "do"): [Handle(None, ready=False)]})
    assert work(cluster, clips) == (WELL, ["x has left the cluster; what it did is done elsewhere"])


def test_a_dead_line_is_no_fault_of_the_task(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x")]], {("x", "do"): [Handle(BLAMELESS)] * (NODE_LOSSES - 1)})
    assert work(cluster, clips[:1]) == ({"a.mp4": ""}, [])


def test_a_task_that_ends_node_after_node_is_given_up(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x")]], {("x", "do"): [Handle(BLAMELESS)] * NODE_LOSSES})
    reason = f"{NODE_LOSSES} nodes of the cluster went away while they analysed it"
    assert work(cluster, clips[:1]) == ({"a.mp4": reason}, [])


def test_a_dead_process_costs_one_retry_when_all_else_is_done(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x")]], {("x", "do"): [Handle(ActorDiedError())]})
    found, remarks = work(cluster, clips)
    assert found == WELL and list(found) == ["b.mp4", "c.mp4", "d.mp4", "a.mp4"]
    assert [remark.partition(": ")[2] for remark in remarks] == ["its process ended on x; it is tried once more, alone"]


def test_a_task_that_comes_no_further_is_ended(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x")]], {("x", "do"): [Handle(None, ready=False)]})
    found, _ = work(cluster, clips[:2], Patience(stalled_s=0.3))
    assert found == {"a.mp4": "the decoder hangs on it", "b.mp4": ""}


def test_a_node_where_processes_die_at_once_is_left_out(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x"), host("y")]], {("x", "open"): [Handle(ActorDiedError())] * 9})
    found, remarks = work(cluster, clips)
    assert found == WELL and remarks in ([], ["the node x is left out: it cannot load the models: its process ended"])


def test_nodes_of_other_versions_are_told(clips: list[Path]) -> None:
    other = Prepared(versions() | {"numpy": "1.0"})
    with pytest.raises(CvidError, match=r"home has no node that will do: x has numpy 1\.0, and this machine numpy \d"):
        work(PlayedCluster([[host("x")]], prepared={"x": other}), clips)
    found, remarks = work(PlayedCluster([[host("x"), host("y")]], prepared={"x": other}), clips)
    assert found == WELL and remarks[0].startswith("the node x is left out: it has numpy 1.0, and this machine numpy")


def test_nodes_of_other_models_are_left_out(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x"), host("y")]], opening={"y": open_others})
    found, remarks = work(cluster, clips)
    assert found == WELL and remarks == ["the node y is left out: it has other models than the nodes before it"]


def test_no_node_with_a_cpu(clips: list[Path]) -> None:
    with pytest.raises(CvidError, match=r"home has no node with a CPU; start one, what was finished is kept"):
        work(PlayedCluster([[host("head", 0)]]), clips)


def test_workers_share_a_gpu(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x", 16, 1)]], prepared={"x": Prepared(versions(), gpu=True)})
    assert work(cluster, [*clips, *clips], device="cuda")[1] == []
    assert cluster.shares == [("x", 1 / WORKERS_A_GPU)] * WORKERS_A_GPU


def test_a_gpu_that_ray_does_not_know_of_is_told(clips: list[Path]) -> None:
    cluster = PlayedCluster([[host("x")]], prepared={"x": Prepared(versions(), gpu=True)})
    with pytest.raises(CvidError, match="x declares no GPU to Ray, and --device cuda was asked for"):
        work(cluster, clips, device="cuda")


def test_clusters_that_cannot_be_joined() -> None:
    lost = ConnectionError("Failed to connect to Ray cluster at h:1")
    assert refusal("the Ray cluster at h:1", "h:1", lost) == (
        "the Ray cluster at h:1 cannot be joined (Failed to connect to Ray cluster at h:1); see docs/cluster.md"
    )
    lost.__cause__ = RuntimeError("Failed to connect to GCS: … Unauthenticated: RPC error: InvalidAuthToken: …")
    assert "wants another token than this machine has: copy ~/.ray/auth_token" in refusal("it", "h:1", lost)
    mismatch = RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.1\n    Python: 3.12")
    assert refusal("it", "h:1", mismatch).startswith("it is of another version: Version mismatch: The cluster was")
    assert "--ray-address local" in refusal("it", "auto", ConnectionError("Could not find any running Ray instance"))


def unseen_on(*nodes: str) -> Callable[[list[Path]], tuple[list[str], list[bool]]]:
    """What a queue does with a task whose file these nodes do not see, of the nodes x, y and z."""

    def tried(clips: list[Path]) -> tuple[list[str], list[bool]]:
        reasons: list[str] = []

        def receive(message: Message) -> None:
            if isinstance(message, Broke):
                reasons.append(message.reason)

        queue = Queue(Assembly([job(clips[0])], painted_settings(), receive))
        again = []
        for node in nodes:
            task = queue.next(node, [], [])
            assert task
            again.append(queue.not_seen(task, node, f"the node {node} does not see it", ["x", "y", "z"]))
            assert queue.next(node, [], []) is None
        return reasons, again

    return tried


def test_a_file_that_no_node_sees_is_given_up(clips: list[Path]) -> None:
    assert unseen_on("x", "y")(clips) == ([], [True, True])
    reasons, again = unseen_on("x", "y", "z")(clips)
    assert again == [True, True, False] and reasons == [
        "the node x does not see it; the node y does not see it; the node z does not see it: mount its storage there "
        "under the same path, and index again"
    ]


def test_a_trial_runs_alone_on_its_node(clips: list[Path]) -> None:
    queue = Queue(Assembly([job(path) for path in clips[:2]], painted_settings(), lambda message: None))
    first, second = queue.next("x", [], []), queue.next("x", [], [])
    assert first and second and queue.broke(first, "x", "its process ended")
    assert queue.next("x", [second], [second]) is None and queue.next("y", [second], []) is None
    assert queue.broke(second, "x", "its process ended")
    trial = queue.next("x", [], [])
    assert trial == first and queue.next("x", [first], [first]) is None
    assert queue.next("y", [first], []) == second


def test_what_died_on_a_node_that_is_gone_is_no_suspect(clips: list[Path]) -> None:
    queue = Queue(Assembly([job(clips[0])], painted_settings(), lambda message: None))
    task = queue.next("x", [], [])
    assert isinstance(task, Task) and queue.broke(task, "x", "its process ended")
    queue.forget("x")
    assert queue.next("y", [], []) == task and queue.broke(task, "y", "its process ended")


def test_luggage_is_carried_once_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, where in (("XDG_CACHE_HOME", "node"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(tmp_path / where))
    (tmp_path / "models").mkdir()
    weights = tmp_path / "models" / "inception_resnet_v1_vggface2.onnx"
    weights.write_bytes(b"weights")
    (tmp_path / "config" / "cvid").mkdir(parents=True)
    (tmp_path / "config" / "cvid" / "calibrations.json").write_bytes(b"{}")
    choice = Choice(("mtcnn",), ("inception_resnet",), "", "asked for", str(weights.parent))
    fetched: list[str] = []

    def get(handle: str) -> bytes:
        fetched.append(handle)
        return bytes.fromhex(handle)

    items = stored(packed(choice.open), bytes.hex)
    folder = Path(unpack(items, get))
    assert (folder / "weights" / weights.name).read_bytes() == b"weights"
    assert Path(config_home(str(folder)), "cvid", "calibrations.json").read_bytes() == b"{}"
    assert (tmp_path / "node") in folder.parents and unpack(items, get) == str(folder) and len(fetched) == 2
    (folder / "weights" / weights.name).write_bytes(b"damaged")
    unpack(items, get)
    assert (folder / "weights" / weights.name).read_bytes() == b"weights" and len(fetched) == 3
    with pytest.raises(ModelError, match="damaged as soon as it was written"):
        (folder / "weights" / weights.name).unlink()
        unpack(items, lambda handle: b"other")
    opened: Any = opening(choice.open, str(folder))
    assert opened.__self__.model_dir == str(folder / "weights")


def test_what_opens_parts_otherwise_has_no_luggage() -> None:
    assert packed(open_fakes) == [] and unpack([], bytes) == "" and opening(open_fakes, "") is open_fakes


def test_without_ray_the_pip_line_is_told() -> None:
    code = (
        "import importlib.util as u; found = u.find_spec; u.find_spec = lambda n, p=None: None if n == 'ray' else "
        "found(n, p)\nfrom archive.engines import ENGINES\nENGINES.load('ray')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("the engine 'ray' needs the package 'ray': pip install 'cvid[ray]'")


def test_only_the_driver_imports_ray() -> None:
    code = "import sys, archive.engines.ray.engine; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]

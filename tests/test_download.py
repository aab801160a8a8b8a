"""Downloads: what is resumed, tried again, verified and refused, and what is left on the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from builders import may_read_everything
from calling import ROOT
from graphs import write_embedder
from serving import Served, Shop, serving, sha, zip_of

from cvid.errors import ModelError, UnknownBackend
from cvid.models.download import Plan, by_hand, download, models_named, plan
from cvid.models.licences import accept, accepted, licences_file
from cvid.models.store import fetched_as, record_of, verified
from cvid.models.table import MODELS, Model
from cvid.models.transfer import Patience

QUICK = Patience(timeout_s=5, attempts=3, pause_s=0.01)
CONTENT = bytes(range(256)) * 400  # 100 kB
RESEARCH = "research only [x]"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVID_MODEL_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving() as shop:
        yield shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def fetch(folder: Path, *models: Model, patience: Patience = QUICK) -> dict[str, Path]:
    table = {model.name: model for model in models}
    return download(plan(list(table), str(folder), table), folder, lambda what, done, total: None, patience)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def plain(shop: Shop, content: bytes = CONTENT, **more: object) -> Model:
    shop.files["a.onnx"] = Served(content, **more)  # type: ignore[arg-type]
    return shop.model("a", "a.onnx", sha(content))


# what comes


def test_a_file_comes_whole_and_alone(shop: Shop, folder: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    model = plain(shop)
    made = download(plan(["a"], "", {"a": model}), folder, lambda *step: steps.append(step), QUICK)
    assert made == {"a": folder / "a.onnx"} and (folder / "a.onnx").read_bytes() == CONTENT
    assert names_in(folder) == ["a.onnx"]
    assert steps[-1] == ("a.onnx", len(CONTENT), len(CONTENT)) and [s[1] for s in steps] == sorted(s[1] for s in steps)
    assert plan(["a"], str(folder), {"a": model}).present == made


def test_what_is_here_is_not_fetched_again(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    fetch(folder, model)
    assert fetch(folder, model) == {} and len(shop.asked) == 1
    (folder / "a.onnx").write_bytes(b"cut short")
    other = replace(model, weights=replace(fetched_as(model), sha256="0" * 64))
    for damaged in (model, other):
        verified.cache_clear()
        with pytest.raises(ModelError, match=r"damaged or another file .* remove it and fetch it again"):
            fetch(folder, damaged)


def test_models_of_one_zip_fetch_it_once(shop: Shop, folder: Path) -> None:
    shop.files["pack.zip"] = Served(zip_of(one_onnx=b"1" * 5000, two_onnx=b"2" * 5000, three_onnx=b"3"))
    one = shop.model("one", "pack.zip", sha(b"1" * 5000), "one.onnx")
    two = shop.model("two", "pack.zip", sha(b"2" * 5000), "pack/two.onnx")
    one, two = (replace(m, weights=replace(fetched_as(m), size=5000)) for m in (one, two))
    assert set(fetch(folder, one, two)) == {"one", "two"}
    assert names_in(folder) == ["one.onnx", "two.onnx"] and len(shop.asked) == 1
    assert (folder / "two.onnx").read_bytes() == b"2" * 5000, "in whichever folder of the zip it lies"


def test_a_redirect_is_followed(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    shop.files["b/elsewhere"] = shop.files.pop("a.onnx")
    shop.redirects["a.onnx"] = f"{shop.url}/b/elsewhere"
    assert fetch(folder, model)["a"].read_bytes() == CONTENT


# resuming


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_is_taken_up_again(ranges: bool, shop: Shop, folder: Path) -> None:
    model = plain(shop, ranges=ranges)
    shop.cuts = [30_000, 40_000]
    fetch(folder, model)
    assert (folder / "a.onnx").read_bytes() == CONTENT and names_in(folder) == ["a.onnx"]
    asked = [asked for _, asked in shop.asked]
    assert asked == ["", "bytes=30000-", "bytes=70000-" if ranges else "bytes=40000-"]


def test_the_next_run_goes_on(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    shop.cuts = [30_000]
    with pytest.raises(ModelError, match=r"the connection was cut; .* have come and are kept, the same line goes on"):
        fetch(folder, model, patience=Patience(5, 1, 0))
    (left,) = names_in(folder)
    assert left.startswith("a.onnx.") and left.endswith(".part") and (folder / left).read_bytes() == CONTENT[:30_000]
    fetch(folder, model)
    assert shop.asked[-1] == ("a.onnx", "bytes=30000-") and names_in(folder) == ["a.onnx"]


def test_what_came_whole_is_not_fetched_again(shop: Shop, folder: Path) -> None:
    """Killed between the last byte and the check."""
    model = plain(shop)
    shop.cuts = [10]
    with pytest.raises(ModelError):
        fetch(folder, model, patience=Patience(5, 1, 0))
    (folder / names_in(folder)[0]).write_bytes(CONTENT)
    fetch(folder, model)
    assert shop.asked[-1] == ("a.onnx", f"bytes={len(CONTENT)}-") and (folder / "a.onnx").read_bytes() == CONTENT


def test_what_has_changed_upstream_is_begun_anew(shop: Shop, folder: Path) -> None:
    plain(shop, b"x" * 50_000)
    shop.cuts = [20_000]
    with pytest.raises(ModelError):
        fetch(folder, shop.model("a", "a.onnx"), patience=Patience(5, 1, 0))
    model = plain(shop, b"y" * 50_000, etag='"two"')
    fetch(folder, model)
    assert (folder / "a.onnx").read_bytes() == b"y" * 50_000 and names_in(folder) == ["a.onnx"]


def test_parts_that_do_not_fit_together_are_thrown_away_once(shop: Shop, folder: Path) -> None:
    """A server that changes a file under the same ETag."""
    model = plain(shop)
    shop.cuts = [20_000]
    with pytest.raises(ModelError):
        fetch(folder, model, patience=Patience(5, 1, 0))
    part = folder / names_in(folder)[0]
    part.write_bytes(b"?" * 20_000)
    fetch(folder, model)
    assert (folder / "a.onnx").read_bytes() == CONTENT
    assert [asked for _, asked in shop.asked] == ["", "bytes=20000-", ""]


def test_a_busy_server_is_asked_again(shop: Shop, folder: Path) -> None:
    shop.statuses = [503, 429]
    fetch(folder, plain(shop))
    assert len(shop.asked) == 3
    shop.statuses = [500] * 9
    with pytest.raises(ModelError, match="the server says 500"):
        fetch(folder / "other", plain(shop))
    assert len(shop.asked) == 6


def test_a_silent_server_is_not_waited_for(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    shop.pause_s = 3
    began = time.monotonic()
    with pytest.raises(ModelError, match="timed out"):
        fetch(folder, model, patience=Patience(0.2, 1, 0))
    assert time.monotonic() - began < 2


def test_two_downloads_at_once(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    shop.pause_s = 0.002
    waited: list[str] = []
    plans = [plan(["a"], str(folder), {"a": model}) for _ in range(2)]
    made: list[dict[str, Path]] = []

    def work(wanted: Plan) -> None:
        made.append(download(wanted, folder, lambda what, *_: waited.append(what), QUICK))

    threads = [threading.Thread(target=work, args=[wanted]) for wanted in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [{"a": folder / "a.onnx"}] * 2 and (folder / "a.onnx").read_bytes() == CONTENT
    assert len(shop.asked) == 1 and "waiting for another download" in waited and names_in(folder) == ["a.onnx"]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise")
def test_an_interrupt_leaves_a_part_that_the_next_run_resumes(shop: Shop, folder: Path, tmp_path: Path) -> None:
    model = plain(shop)
    shop.pause_s = 0.05
    code = (
        "import sys; from pathlib import Path; sys.path[:0] = ['tests', '.'];"
        "from test_download import fetch; from cvid.models.table import Model, Weights;"
        f"fetch(Path({str(folder)!r}), {model!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) as process:
        while not any(path.stat().st_size > 5000 for path in folder.glob("*.part")):
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    (left,) = names_in(folder)
    had = (folder / left).stat().st_size
    assert left.endswith(".part") and 5000 < had < len(CONTENT)
    shop.pause_s = 0
    fetch(folder, model)
    assert shop.asked[-1] == ("a.onnx", f"bytes={had}-") and (folder / "a.onnx").read_bytes() == CONTENT


# bad cases: one sentence each, with the remedy, and nothing left


def refused(folder: Path, model: Model, why: str) -> str:
    with pytest.raises(ModelError, match=why) as caught:
        fetch(folder, model)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_without_a_network_the_file_to_fetch_by_hand_is_named(folder: Path) -> None:
    shop = Shop(url="https://no-such-host.invalid")
    shop.files["pack.zip"] = Served(b"")
    model = shop.model("one", "pack.zip", "ab" * 32, "one.onnx")
    told = refused(folder, model, r"pack\.zip cannot be fetched: no-such-host\.invalid cannot be .* want of a network")
    for part in (fetched_as(model).url, "by hand", "one.onnx", "ab" * 32, "out of it", str(folder)):
        assert part in told
    refused(
        folder,
        Shop(url="http://127.0.0.1:1").model("a", "a.onnx"),
        r"cannot be reached \(Connection refused\), perhaps",
    )


def test_only_https_leaves_the_machine(shop: Shop, folder: Path) -> None:
    for url in ("http://example.org", "file:///etc", "ftp://example.org"):
        refused(folder, Shop(url=url).model("a", "a.onnx"), "its address is not https")
    shop.redirects["a.onnx"] = "http://example.org/a.onnx"
    refused(folder, shop.model("a", "a.onnx"), "redirected to http://example.org/a.onnx, which is not https")


def test_a_file_that_is_gone_is_not_asked_for_twice(shop: Shop, folder: Path) -> None:
    refused(folder, shop.model("a", "gone.onnx"), r"gone\.onnx cannot be fetched: it is no longer at its .* \(404\)")
    assert len(shop.asked) == 1 and names_in(folder) == []
    shop.statuses = [403]
    refused(folder, plain(shop), "the server says 403")


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream"])
@pytest.mark.parametrize("sha256", ["", "ab" * 32])
def test_a_page_in_place_of_a_file_is_no_file(kind: str, sha256: str, shop: Shop, folder: Path) -> None:
    shop.files["a.onnx"] = Served(b"\n<!DOCTYPE html><html>Please log in</html>", kind=kind)
    refused(folder, shop.model("a", "a.onnx", sha256), "a web page came in its place, as from a proxy or a login page")
    assert names_in(folder) == []


def test_other_content_is_thrown_away(shop: Shop, folder: Path) -> None:
    model = plain(shop)
    shop.files["a.onnx"] = Served(CONTENT[::-1])
    told = refused(folder, model, "was fetched and thrown away: .* sha256 .* is expected")
    assert "by hand" in told and names_in(folder) == [] and len(shop.asked) == 1
    shop.files["a.onnx"] = Served(CONTENT[:-1])
    refused(folder, model, "offers 102,399 bytes where 102,400 are expected")
    shop.files["a.onnx"] = Served(CONTENT[:-1], length=False)
    refused(folder, model, "was fetched and thrown away")
    assert names_in(folder) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no zip", "it is no zip file that can be read"),
        (zip_of(other_onnx=b"1"), r"it holds no one\.onnx"),
        (zip_of(one_onnx=b"12"), "has 2 bytes where 1 are expected"),
        (zip_of(one_onnx=b"2"), "has the sha256"),
        (zip_of(one_onnx=b"1")[:-30], "it is no zip file"),
    ],
)
def test_zips_that_are_not_what_they_should_be(content: bytes, why: str, shop: Shop, folder: Path) -> None:
    shop.files["pack.zip"] = Served(content)
    model = shop.model("one", "pack.zip", sha(b"1"), "one.onnx")
    refused(folder, replace(model, weights=replace(fetched_as(model), size=1)), why)
    assert names_in(folder) == []


def test_a_full_disk_is_noticed_before(shop: Shop, folder: Path) -> None:
    shop.files["pack.zip"] = Served(zip_of(one_onnx=b"1"))
    model = shop.model("one", "pack.zip", sha(b"1"), "one.onnx")
    model = replace(model, weights=replace(fetched_as(model), size=10**18))
    assert "--model-dir" in refused(folder, model, r"MB free where 1,000,000,000,000 MB are needed; make room")
    assert names_in(folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_meanwhile_keeps_the_part(shop: Shop, folder: Path) -> None:
    import resource

    model, limits = plain(shop), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        refused(folder, model, r"cannot be written to \(File too large\); .* have come and are kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [name.rpartition(".")[2] for name in names_in(folder)] == ["part"]
    fetch(folder, model)
    assert (folder / "a.onnx").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_used(shop: Shop, tmp_path: Path) -> None:
    model = plain(shop)
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        refused(folder, model, r"cannot be used for downloads \(.*\); check its rights, or name another")
    if not may_read_everything():
        (tmp_path / "closed").mkdir(mode=0o500)
        refused(tmp_path / "closed", model, "cannot be written to")
        (tmp_path / "dark").mkdir(mode=0o000)
        refused(tmp_path / "dark", model, "cannot be looked into")
    assert not any(path.name.startswith("a.onnx") for path in tmp_path.rglob("*"))


# files whose hash nobody knows beforehand


def test_an_unknown_file_must_be_a_graph_and_stay_the_same(shop: Shop, folder: Path, tmp_path: Path) -> None:
    graph = write_embedder(tmp_path / "graph.onnx", 8, 5).read_bytes()
    shop.files["a.onnx"] = Served(graph)
    model = shop.model("a", "a.onnx")
    path = fetch(folder, model)["a"]
    assert names_in(folder) == ["a.onnx", "a.onnx.sha256"]
    assert record_of(path).read_text() == f"{sha(graph)}  a.onnx\n", "as sha256sum -c takes it"
    verified.cache_clear()
    assert verified(path, "") == sha(graph)[:12]
    path.write_bytes(graph[:-10])
    verified.cache_clear()
    with pytest.raises(ModelError, match=r"another file .*; remove it and a\.onnx\.sha256 and fetch it again"):
        verified(path, "")
    record_of(path).write_text("odd")
    with pytest.raises(ModelError, match="not the record of a hash"):
        verified(path, "")
    record_of(path).unlink()
    assert verified(path, ""), "put there by hand: nothing to compare it with"


@pytest.mark.parametrize(("content", "why"), [(b"", "it is empty"), (b"words", "no model that ONNX Runtime can load")])
def test_an_unknown_file_that_is_no_graph(content: bytes, why: str, shop: Shop, folder: Path) -> None:
    shop.files["a.onnx"] = Served(content)
    refused(folder, shop.model("a", "a.onnx"), why)
    assert names_in(folder) == []


# licences


def test_a_licence_is_accepted_once(tmp_path: Path) -> None:
    assert not accepted(RESEARCH)
    accept(RESEARCH)
    before = licences_file().read_bytes()
    accept(RESEARCH)
    assert accepted(RESEARCH) and not accepted("another") and licences_file().read_bytes() == before
    accept("another")
    times = json.loads(licences_file().read_bytes())["accepted"]
    assert set(times) == {RESEARCH, "another"}
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in times.values())
    assert licences_file() == tmp_path / "config" / "cvid" / "licences.json"
    assert names_in(licences_file().parent) == ["licences.json"]
    if os.name == "posix":
        assert licences_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["[]", "{", '{"accepted": 1}', "{}"])
def test_a_damaged_list_of_licences_is_not_taken_for_a_yes(content: str) -> None:
    licences_file().parent.mkdir(parents=True)
    licences_file().write_text(content)
    for call in (accepted, accept):
        with pytest.raises(ModelError, match=r"licences\.json: not a list of accepted licences; remove it"):
            call(RESEARCH)
    assert licences_file().read_text() == content


def test_an_acceptance_that_cannot_be_kept_is_none(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(ModelError):
        accept(RESEARCH)


def test_nothing_comes_without_an_accepted_licence(shop: Shop, folder: Path) -> None:
    model = replace(plain(shop), commercial=False, licence=RESEARCH)
    refused(folder, model, r"research only \[x\] has to be accepted first")
    assert shop.asked == [] and not folder.exists()
    accept(RESEARCH)
    fetch(folder, model)
    licences_file().unlink()
    assert fetch(folder, model) == {}, "what is here is not asked about"


# names


def test_what_names_stand_for() -> None:
    assert models_named(["standard"]) == ("scrfd_10g", "arcface_r50")
    assert models_named(["ArcFace", "yunet", "arcface_r50"]) == ("arcface_r50", "yunet")
    with pytest.raises(UnknownBackend, match=r"no model, family or set named 'best'; choose one of: embedded, light"):
        models_named(["best"])


def test_what_has_no_address_is_told_with_its_source(tmp_path: Path) -> None:
    wanted = plan(["retinaface_mnet", "mtcnn"], str(tmp_path))
    assert [m.name for m in wanted.by_hand] == ["retinaface_mnet"] and [m.name for m in wanted.packaged] == ["mtcnn"]
    told = by_hand(MODELS["retinaface_mnet"], tmp_path)
    for part in (
        "retinaface_mnet025.onnx",
        MODELS["retinaface_mnet"].source,
        "10ba7891",
        "MIT (Pytorch_Retinaface)",
        str(tmp_path),
    ):
        assert part in told


def test_every_address_is_safe_and_zips_name_their_members() -> None:
    for model in MODELS.values():
        if model.weights and model.weights.url:
            assert model.weights.url.startswith("https://") and bool(model.weights.member) == (
                model.weights.url.endswith(".zip")
            )
            assert model.weights.sha256 or not model.weights.member, "a member's hash is all that vouches for a zip"

"""`cvid models`, `cvid models download`, and the question at `index`: what is shown, asked, fetched and refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from calling import ROOT, call, in_terminal, run
from rich.console import Console
from serving import Served, Shop, serving, sha, zip_of

from cvid.detectors.mtcnn_graphs import FILES
from cvid.models.figures import FIGURES
from cvid.models.licences import accept, accepted, licences_file
from cvid.models.listing import listed
from cvid.models.sets import SETS
from cvid.models.table import MODELS, Model, Weights
from reports.models import Fetching, models_table

DETECTOR, EMBEDDER = b"d" * 40_000, b"e" * 80_000
RESEARCH = "research only [x]"
PARTS = ("scrfd_10g", "arcface_r50")
terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVID_MODEL_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "cvid" / "models"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The set `standard` lies in one zip of ours, under a licence of ours."""
    with serving() as shop:
        shop.files["pack.zip"] = Served(zip_of(d_onnx=DETECTOR, e_onnx=EMBEDDER))
        for name, member, content in zip(PARTS, ("d.onnx", "e.onnx"), (DETECTOR, EMBEDDER), strict=True):
            weights = Weights(f"{name}.onnx", len(content), sha(content), f"{shop.url}/pack.zip", member)
            model = replace(MODELS[name], weights=weights, licence=RESEARCH, commercial=False)
            monkeypatch.setitem(MODELS, name, model)
        yield shop


def script_with(models: dict[str, Model], folder: Path) -> Path:
    """`python main.py` with these models in the table."""
    path = folder / "main.py"
    path.write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from cvid.models.table import MODELS, Model, Weights\n"
        f"MODELS.update({models!r})\n"
        "from reports.cli import main\nmain()\n",
        encoding="utf-8",
    )
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# the list


def test_json_by_contract(tmp_path: Path) -> None:
    (tmp_path / "MobileFaceNet.onnx").write_bytes(b"here")
    told = json.loads(run("models", "--json", "--model-dir", tmp_path).stdout)
    assert set(told) == {"schema_version", "models", "sets"}
    keys = {"name", "kind", "licence", "commercial", "present", "path", "bytes", "source"}
    models = {model["name"]: model for model in told["models"]}
    assert list(models) == list(MODELS) and all(set(model) == keys for model in models.values())
    assert models["mobilefacenet"]["present"] is True and models["mobilefacenet"]["bytes"] == 4
    assert models["mobilefacenet"]["path"] == str(tmp_path / "MobileFaceNet.onnx")
    assert models["scrfd_10g"]["present"] is False and models["scrfd_10g"]["path"] is None
    assert models["scrfd_10g"]["bytes"] == 16923827, "what upstream says"
    for packaged in ("mtcnn", "dlib_resnet"):
        one = models[packaged]
        assert one["present"] and Path(one["path"]).exists() and one["bytes"] > 1e6
    assert set(told["sets"]) == set(SETS)
    assert told["sets"]["light"] == {
        "detectors": ["scrfd_500m"],
        "embedders": ["mobilefacenet"],
        "present": False,
        "missing": ["scrfd_500m_kps.onnx"],
    }
    assert told["sets"]["embedded"]["present"] is True and told["sets"]["embedded"]["missing"] == []


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    (tmp_path / "MobileFaceNet.onnx").write_bytes(b"here")
    result = run("models", "--model-dir", tmp_path)
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    for part in (str(tmp_path / "MobileFaceNet.onnx"), "light, permissive"):
        assert part in lines["mobilefacenet"]
    assert " no " in lines["scrfd_10g"] and "16.9 MB" in lines["scrfd_10g"]
    assert "inside the package mtcnn" in lines["mtcnn"] and "?" in lines["vggface"]
    assert "det_10g.onnx, w600k_r50.onnx" in lines["standard"]


def test_the_list_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(width=80, file=StringIO(), markup=False)
    model = replace(listed()[0].model, licence="[bold]odd")
    console.print(models_table([replace(listed()[0], model=model, present=True, path="a\x1b[1m.onnx", lacks="pkg")]))
    told = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]
    assert "[bold]odd" in told and "\\x1b" in told and "\x1b" not in told and "pkg" in told


def test_the_packaged_files_are_those_that_are_read() -> None:
    assert MODELS["mtcnn"].packaged == tuple(FILES.values())
    for model in MODELS.values():
        assert bool(model.packaged) == (model.weights is None)


def test_the_page_is_what_the_verb_says() -> None:
    """docs/models.md and `cvid models` agree on every model."""
    lines = (ROOT / "docs" / "models.md").read_text(encoding="utf-8").splitlines()
    start = lines.index(next(line for line in lines if line.startswith("| model | kind | licence")))
    header, rows = lines[start], lines[start + 2 : lines.index("", start)]
    names = [name.strip() for name in header.strip("|").split("|")]
    page = [dict(zip(names, (c.strip() for c in row.strip("|").split("|")), strict=True)) for row in rows]
    told = json.loads(run("models", "--json").stdout)
    assert [row["model"].strip("`") for row in page] == [model["name"] for model in told["models"]]
    for row, model in zip(page, told["models"], strict=True):
        name = model["name"]
        assert row["kind"] == model["kind"] and row["licence"] == model["licence"]
        assert row["commercial use"] == ("yes" if model["commercial"] else "no")
        assert model["source"] in row["where from"]
        used = [one for one, parts in told["sets"].items() if name in parts["detectors"] + parts["embedders"]]
        assert row["sets"] == (", ".join(used) or "–")
        assert row["measured here"] == ("yes" if MODELS[name].measured else "no")
        assert (row["LFW TAR"] == "–") == (name not in FIGURES or FIGURES[name].tar is None)


# download


def test_a_script_must_accept_the_licence(shop: Shop, cache: Path) -> None:
    result = run("models", "download", "standard")
    assert result.exit_code == 1 and shop.asked == [] and not cache.exists()
    assert RESEARCH in result.stderr and "--accept-licence" in result.stderr and result.stderr.count("\n") == 1
    for part in ("scrfd_10g.onnx", "40 kB", "80 kB", RESEARCH, f"{shop.url}/pack.zip"):
        assert part in result.stdout, "what would be fetched"
    result = run("models", "download", "standard", "--accept-licence")
    assert result.exit_code == 0 and names_in(cache) == ["arcface_r50.onnx", "scrfd_10g.onnx"]
    assert f"scrfd_10g is here now: {cache / 'scrfd_10g.onnx'}" in result.stdout and len(shop.asked) == 1
    assert accepted(RESEARCH)
    result = run("models", "download", "standard")
    assert result.exit_code == 0 and "arcface_r50 is here already, and as it should be" in result.stdout
    assert len(shop.asked) == 1


def test_json_of_a_download(shop: Shop, tmp_path: Path) -> None:
    accept(RESEARCH)
    result = run("models", "download", "arcface", "mtcnn", "--json", "--model-dir", tmp_path / "w")
    assert json.loads(result.stdout) == {
        "schema_version": 1,
        "downloaded": {"arcface_r50": str(tmp_path / "w" / "arcface_r50.onnx")},
        "present": {},
        "by_hand": [],
    }
    assert "mtcnn comes inside the package mtcnn" in result.stderr and "pack.zip" in result.stderr


def test_what_is_to_be_had_by_hand_only(shop: Shop, cache: Path) -> None:
    result = run("models", "download", "retinaface_mnet", "inception_resnet")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    inception = MODELS["inception_resnet"]
    for part in ("retinaface_mnet025.onnx", "inception_resnet_v1_vggface2.onnx", inception.source, str(cache)):
        assert part in result.stderr
    accept(RESEARCH)
    result = run("models", "download", "scrfd_10g", "retinaface_mnet")
    assert result.exit_code == 3 and names_in(cache) == ["scrfd_10g.onnx"]
    assert "get retinaface_mnet025.onnx" in result.stderr


def test_a_file_that_is_wrong_is_refused(shop: Shop, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "scrfd_10g.onnx").write_bytes(b"half")
    result = run("models", "download", "standard", "--accept-licence")
    assert result.exit_code == 1 and shop.asked == []
    assert "scrfd_10g.onnx: damaged or another file" in result.stderr and "remove it" in result.stderr


def test_wrong_names_and_usage(shop: Shop) -> None:
    assert run("models", "download").exit_code == 2
    result = run("models", "download", "nope")
    assert result.exit_code == 1 and "choose one of: embedded, light" in result.stderr
    assert run("models", "nope").exit_code == 2
    assert run("models", "download", "--help").exit_code == run("models", "use", "--help").exit_code == 0


def test_downloads_go_where_they_are_told(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into --model-dir or a settings file's folder; never into CVID_MODEL_DIR, which may be a folder for everybody."""
    accept(RESEARCH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVID_MODEL_DIR", str(tmp_path / "everybody"))
    run("models", "download", "scrfd_10g")
    assert names_in(tmp_path / "everybody") == [] and names_in(tmp_path / "cache/cvid/models") == ["scrfd_10g.onnx"]
    monkeypatch.delenv("CVID_MODEL_DIR")
    (tmp_path / "cvid.toml").write_text('model_dir = "of_toml"\n')
    run("models", "download", "arcface_r50")
    assert names_in(tmp_path / "of_toml") == ["arcface_r50.onnx"]


def test_progress_in_lines_and_as_a_bar() -> None:
    lines: list[str] = []
    with Fetching(Console(file=StringIO()), lines.append) as hook:
        for done in range(0, 101, 5):
            hook("a.zip", done, 100)
        hook("b.onnx", 5, 0)
        hook("b.onnx", 6, 0)
    assert len(lines) == 12 and lines[10:] == ["a.zip: 100 B of 100 B", "b.onnx"]
    shown = StringIO()
    with Fetching(Console(file=shown, force_terminal=True, width=90), lines.append) as hook:
        hook("a[b].zip", 500_000, 1_000_000)
        hook("b.onnx", 5, 0)
    assert "a[b].zip" in shown.getvalue() and len(lines) == 12


@terminal
@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1), (b"\x04", 1)])
def test_in_a_terminal_the_licence_is_asked_once(answer: bytes, code: int, shop: Shop, tmp_path: Path) -> None:
    script = script_with({name: MODELS[name] for name in PARTS}, tmp_path)
    args = ["models", "download", "standard"]
    text = in_terminal(tmp_path, answer, script=script, args=args, exit_code=code)
    assert f"Accept '{RESEARCH}', and download? [y/N]" in text
    assert accepted(RESEARCH) == (code == 0) and len(shop.asked) == (code == 0)
    if code == 0:
        assert "arcface_r50 is here now" in text
    else:
        assert "nothing was downloaded" in text and not licences_file().exists()


@terminal
def test_an_interrupted_download_says_that_the_next_one_goes_on(shop: Shop, cache: Path, tmp_path: Path) -> None:
    accept(RESEARCH)
    shop.files["pack.zip"] = Served(bytes(range(256)) * 4000)
    shop.pause_s = 0.02
    script = script_with({name: MODELS[name] for name in PARTS}, tmp_path)
    args = ["models", "download", "standard"]
    text = in_terminal(tmp_path, b"", script=script, args=args, interrupt_at=b"/1.0 MB", exit_code=130)
    assert "interrupted; what was finished is kept, the next run continues" in text
    (part,) = names_in(cache)
    assert part.startswith("pack.zip.") and part.endswith(".part")


# index


@terminal
def test_index_asks_in_a_terminal(shop: Shop, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    script = script_with({name: MODELS[name] for name in PARTS}, tmp_path)
    args = ["index", "clips", "--archive", "a", "--models", "standard"]
    text = in_terminal(tmp_path, b"n\n", script=script, args=args, exit_code=1)
    assert RESEARCH in text and "40 kB" in text and "Accept" in text and shop.asked == []
    assert "the weights of 'scrfd_10g' are not here" in " ".join(text.split())
    text = in_terminal(tmp_path, b"y\n", script=script, args=args)
    assert names_in(cache) == ["arcface_r50.onnx", "scrfd_10g.onnx"] and "no video or photograph was found" in text
    assert "Accept" not in in_terminal(tmp_path, b"", script=script, args=args)


@terminal
def test_index_asks_for_nothing_that_would_not_do(shop: Shop, tmp_path: Path) -> None:
    """Where other files are to be had by hand only, and where no models were named."""
    (tmp_path / "clips").mkdir()
    script = script_with({name: MODELS[name] for name in PARTS}, tmp_path)
    for more, code in ((["--detectors", "scrfd_10g", "--embedders", "inception_resnet"], 1), ([], 0)):
        args = ["index", "clips", "--archive", "a", *more]
        text = in_terminal(tmp_path, b"", script=script, args=args, exit_code=code)
        assert "[y/N]" not in text and shop.asked == []


def test_index_never_downloads_without_a_terminal(shop: Shop, tmp_path: Path) -> None:
    accept(RESEARCH)
    result = run("index", tmp_path, "--archive", tmp_path / "a", "--models", "standard")
    assert result.exit_code == 1 and shop.asked == []
    assert "run `cvid models download scrfd_10g`" in result.stderr


def test_the_help_loads_nothing() -> None:
    """Help is fast, and the list needs no terminal."""
    code = (
        "import sys; from reports.cli.app import cli; cli(['models', '--help'], standalone_mode=False);"
        "heavy = {'numpy', 'rich', 'pydantic', 'onnxruntime'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, timeout=60)
    done = call("models")
    assert done.returncode == 0 and re.search(r"^standard ", done.stdout, re.MULTILINE)

"""Which models run, where their weights are, and what is said of missing and damaged ones."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

from cvid.detectors import DETECTORS
from cvid.embedders import EMBEDDERS
from cvid.errors import MissingDependency, ModelError, UnknownBackend
from cvid.models.sets import AUTO_ORDER, SETS, choose, missing
from cvid.models.store import fetched_as, find, search_path, sha256_of, verified
from cvid.models.table import FAMILIES, MODELS, Weights
from cvid.packaged import packaged_file
from cvid.registry import Registry
from cvid.sessions import open_session


@pytest.fixture(autouse=True)
def nothing_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights of the machine."""
    monkeypatch.delenv("CVID_MODEL_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def weights_of(model: str) -> Weights:
    weights = MODELS[model].weights
    assert weights
    return weights


def present(folder: Path, *models: str) -> str:
    folder.mkdir(exist_ok=True)
    for model in models:
        (folder / weights_of(model).file).write_bytes(b"weights of " + model.encode())
    return str(folder)


def test_the_store_is_complete() -> None:
    """Every part of a set can be opened, and what `auto` falls back on needs no file."""
    for parts in SETS.values():
        assert set(parts.detectors) <= set(DETECTORS.names()) and set(parts.embedders) <= set(EMBEDDERS.names())
    assert set(AUTO_ORDER) <= set(SETS) and missing(AUTO_ORDER[-1]) == []
    assert all(MODELS[part].commercial for part in SETS["permissive"].detectors + SETS["permissive"].embedders)
    of_kind = {kind: [m.name for m in MODELS.values() if m.kind == kind] for kind in ("detector", "embedder")}
    assert {k: sorted(names) for k, names in of_kind.items()} == {
        "detector": sorted(DETECTORS.names()),
        "embedder": sorted(EMBEDDERS.names()),
    }
    assert {member for members in FAMILIES.values() for member in members} <= set(MODELS)
    for model in MODELS.values():
        assert model.licence and model.source and model.input and (model.weights or model.package)
        if model.weights and model.weights.sha256:
            assert len(bytes.fromhex(model.weights.sha256)) == 32 and model.weights.size


def test_auto_takes_the_best_set_that_is_present(tmp_path: Path) -> None:
    choice = choose()
    assert (choice.set_name, choice.detectors, choice.embedders) == ("embedded", ("mtcnn",), ("dlib_resnet",))
    for lacking in ("scrfd_500m_kps.onnx", "MobileFaceNet.onnx", str(tmp_path / "cache" / "cvid" / "models")):
        assert lacking in choice.reason, "why not the better one, and where its files belong"
    half = present(tmp_path / "half", "scrfd_500m")
    assert choose(model_dir=half).set_name == "embedded" and "MobileFaceNet.onnx" in choose(model_dir=half).reason
    whole = present(tmp_path / "whole", "scrfd_500m", "mobilefacenet")
    choice = choose(model_dir=whole)
    assert (choice.set_name, choice.detectors, choice.embedders) == ("light", ("scrfd_500m",), ("mobilefacenet",))
    assert choice.reason.startswith("the best set whose files are present; 'standard' would be better")


def test_a_named_set_is_taken_or_missed(tmp_path: Path) -> None:
    assert choose("embedded", model_dir=present(tmp_path)).reason == "asked for"
    with pytest.raises(ModelError) as caught:
        choose("light")
    told = str(caught.value)
    for part in (
        "scrfd_500m_kps.onnx",
        MODELS["scrfd_500m"].licence,
        MODELS["scrfd_500m"].source,
        weights_of("scrfd_500m").sha256[:12],
        str(tmp_path / "cache" / "cvid" / "models"),
        "--models embedded",
    ):
        assert part in told


def test_unknown_names_list_the_choices() -> None:
    with pytest.raises(UnknownBackend, match="no model set named 'best'; choose one of: auto, embedded, light"):
        choose("best")
    with pytest.raises(UnknownBackend, match=r"no detector named 'eyes'; choose one of: scrfd_500m, .*mtcnn"):
        choose(detectors="mtcnn,eyes")
    with pytest.raises(UnknownBackend, match="no embedder named 'mtcnn'; choose one of: mobilefacenet, dlib_resnet"):
        choose(embedders="mtcnn")


def test_parts_are_named_singly(tmp_path: Path) -> None:
    choice = choose("embedded", embedders="mobilefacenet", model_dir=present(tmp_path, "mobilefacenet"))
    assert (choice.detectors, choice.embedders, choice.set_name) == (("mtcnn",), ("mobilefacenet",), "")
    with pytest.raises(ModelError, match=r"scrfd_2\.5g_kps\.onnx"):
        choose(detectors="scrfd_2.5g")


def test_a_family_stands_for_its_first_model_that_is_here(tmp_path: Path) -> None:
    folder = present(tmp_path, "scrfd_500m", "scrfd_2.5g", "mobilefacenet")
    choice = choose(detectors="scrfd, MTCNN,scrfd_500m", embedders="mobilefacenet,dlib", model_dir=folder)
    assert choice.detectors == ("scrfd_500m", "mtcnn") and choice.embedders == ("mobilefacenet", "dlib_resnet")
    with pytest.raises(
        ModelError, match=r"weights of 'arcface_r50' are not here: run `cvid models download arcface_r50`"
    ):
        choose(embedders="arcface", model_dir=folder)


def test_another_export_of_the_same_network_will_do(tmp_path: Path) -> None:
    model = MODELS["scrfd_500m"]
    assert model.weights and model.instead
    assert fetched_as(model) is model.instead and fetched_as(MODELS["mobilefacenet"]).file == "MobileFaceNet.onnx"
    other = tmp_path / model.instead.file
    other.write_bytes(b"")
    assert find("scrfd_500m", str(tmp_path)) == other and sha256_of(model, other) == model.instead.sha256
    own = tmp_path / model.weights.file
    own.write_bytes(b"")
    assert find("scrfd_500m", str(tmp_path)) == own and sha256_of(model, own) == model.weights.sha256


def test_other_libraries_caches_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cached = tmp_path / ".insightface" / "models" / "buffalo_l" / "det_10g.onnx"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    assert find("scrfd_10g") == cached


def test_where_weights_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVID_MODEL_DIR", present(tmp_path / "env", "mobilefacenet"))
    assert find("mobilefacenet") == tmp_path / "env" / "MobileFaceNet.onnx"
    named = present(tmp_path / "named", "mobilefacenet")
    assert find("mobilefacenet", named).parent == tmp_path / "named", "what is named wins"
    assert [p.name for p in search_path(named)] == ["named", "env", "models"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert search_path("~/weights")[0] == tmp_path / "weights"
    assert search_path("~nobody-of-that-name/weights")[0] == Path("~nobody-of-that-name/weights")


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    choice = choose("light", model_dir=present(tmp_path, "scrfd_500m", "mobilefacenet"))
    for opened in (choice.open_detector, choice.open_embedder, choice.open):
        with pytest.raises(ModelError, match=r"damaged or another file .*fetch it again"):
            opened()


def test_weights_are_known_by_their_hash(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    path.write_bytes(b"good")
    digest = hashlib.sha256(b"good").hexdigest()
    assert verified(path, digest) == digest[:12]
    with pytest.raises(ModelError, match=f"sha256 {digest[:12]}…, expected 000000000000…"):
        verified(path, "0" * 64)
    with pytest.raises(ModelError, match="cannot be read"):
        verified(tmp_path / "nothing", digest)
    with pytest.raises(ModelError, match="cannot be read"):
        verified(tmp_path, digest)


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.onnx").write_text("words")
    for model in (tmp_path / "words.onnx", b"words", tmp_path / "nothing.onnx"):
        with pytest.raises(ModelError, match="not a model that ONNX Runtime can load"):
            open_session(model)


def test_a_choice_travels_to_a_worker() -> None:
    choice = choose("embedded")
    assert pickle.loads(pickle.dumps(choice)) == choice


def test_registries_import_nothing_before_they_are_asked() -> None:
    registry = Registry("thing", {"json": "json:JSONDecoder", "odd": "no_such_package.part:Part"}, {"odd": "pip it"})
    assert registry.names() == ["json", "odd"] and registry.create("json", strict=False).strict is False
    with pytest.raises(UnknownBackend, match="there is no thing named 'xml'; choose one of: json, odd"):
        registry.load("xml")
    with pytest.raises(MissingDependency, match="the thing 'odd' needs the package 'no_such_package': pip it"):
        registry.load("odd")


def test_packaged_files_are_found_without_importing() -> None:
    import sys

    assert packaged_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat").is_file()
    assert "face_recognition_models" not in sys.modules
    for package, relative in (("no_such_package", "x"), ("face_recognition_models", "models/nothing.dat")):
        with pytest.raises(MissingDependency, match=f"pip install {package}"):
            packaged_file(package, relative)

"""The embedders whose weights are not here: what they show their network, told by small graphs like it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvid.align import ARCFACE_POINTS, arcface_crop
from cvid.embedders import EMBEDDERS, Embedder
from cvid.errors import ModelError
from cvid.guests import guest
from cvid.models.sets import choose
from cvid.opencv import cv2
from cvid.sessions import open_session
from cvid.types import Bytes, FaceChip, Floats
from tests.graphs import write_embedder

ROOT = Path(__file__).resolve().parent.parent
SIGNATURES: dict[str, dict[str, Any]] = {
    "arcface_r50": {"side": 112, "dimensions": 512, "entry": "input.1"},
    "arcface_r100": {"side": 112, "dimensions": 512, "entry": "input.1"},
    "arcface_mbf": {"side": 112, "dimensions": 512, "entry": "input.1"},
    "facenet512": {"side": 160, "dimensions": 512, "channels_last": True},
    "vggface": {"side": 224, "dimensions": 4096, "channels_last": True},
    "inception_resnet": {"side": 160, "dimensions": 512, "entry": "rgb"},
    "sface": {"side": 112, "dimensions": 128, "entry": "data", "batch": 1},
}
ALL = pytest.mark.parametrize("name", SIGNATURES)
DARK, BRIGHT = (10, 20, 40), (120, 220, 250)
"""Their contrast is such that no crop is lifted."""


def opened(name: str, folder: Path, mirror: bool = False, gain: float = 1.0, **signature: Any) -> Embedder:
    path = write_embedder(folder / f"{name}.onnx", **SIGNATURES[name] | signature, gain=gain)
    embedder: Embedder = EMBEDDERS.create(name, path=path, weights="0" * 12, name=name, device="cpu", mirror=mirror)
    return embedder


def seen(embedder: Embedder, chip: FaceChip) -> Floats:
    """What the stand-in network was shown: the means of the channels, and that of the first one's left half."""
    vector = embedder.embed([chip]).vectors[0]
    assert not vector[5:].any()
    return np.asarray(vector[:4] / vector[4])


def board(columns: int = 160, rows: int = 160) -> Bytes:
    """A chequered picture, brighter on its left."""
    y, x = np.mgrid[:rows, :columns]
    bright = ((x // 16 + y // 16) % 2 == 0) & (x % 16 < np.where(x < columns / 2, 16, 8))
    return np.where(bright[..., None], np.array(BRIGHT), np.array(DARK)).astype(np.uint8)


def chip_of(picture: Bytes, box: tuple[float, float, float, float] = (0, 0, 160, 160)) -> FaceChip:
    """A chip with an upright face."""
    points = (ARCFACE_POINTS / 112 * 160).astype(np.float32)
    points[1, 1] = points[0, 1]
    return FaceChip(picture, np.array(box, np.float32), points, 1.0)


def mean_bgr(picture: Bytes) -> Floats:
    return np.asarray(picture.reshape(-1, 3).mean(0), np.float32)


@pytest.mark.parametrize("name", ["arcface_r50", "arcface_r100", "arcface_mbf", "sface"])
def test_the_aligned_crop_goes_in_as_rgb(name: str, tmp_path: Path) -> None:
    chip = chip_of(board())
    rgb = mean_bgr(arcface_crop(chip.bgr, chip.landmarks))[::-1]
    wanted = rgb if name == "sface" else (rgb - 127.5) / 127.5
    assert seen(opened(name, tmp_path), chip)[:3] == pytest.approx(wanted, rel=1e-5)


def test_the_box_itself_goes_into_the_inception_resnet(tmp_path: Path) -> None:
    """Its sides stretched to a square, RGB, (x − 127.5) / 128; clipped where it reaches over the chip."""
    exact = (mean_bgr(board())[::-1] - 127.5) / 128
    assert seen(opened("inception_resnet", tmp_path), chip_of(board()))[:3] == pytest.approx(exact, abs=1e-5)
    picture = np.zeros((220, 220, 3), np.uint8)
    picture[:160, :80] = board(80)
    for box in ((0, 0, 80, 160), (-30, -7, 80, 160)):
        wanted = (mean_bgr(board(80))[::-1] - 127.5) / 128
        assert seen(opened("inception_resnet", tmp_path), chip_of(picture, box))[:3] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("name", ["facenet512", "vggface"])
def test_the_box_goes_into_deepface_as_bgr_between_black_bars(name: str, tmp_path: Path) -> None:
    side = SIGNATURES[name]["side"]
    picture = np.zeros((2 * side, 2 * side, 3), np.uint8)
    picture[40 : 40 + side, 60 : 60 + side] = board(side, side)
    square = chip_of(picture, (60, 40, 60 + side, 40 + side))
    embedder = opened(name, tmp_path)
    assert seen(embedder, square)[:3] == pytest.approx(mean_bgr(board(side, side)) / 255, rel=1e-5)
    narrow = chip_of(picture, (60, 40, 60 + side // 2, 40 + side))
    assert seen(embedder, narrow)[:3] == pytest.approx(mean_bgr(board(side, side)[:, : side // 2]) / 510, rel=1e-5)


def test_deepface_levels_the_eyes(tmp_path: Path) -> None:
    """A face turned by 25° gives the crop of the upright one: dark above, bright below."""
    from cvid.embedders.deepface import level_crop

    picture = np.repeat(np.linspace(0, 255, 240).astype(np.uint8)[:, None, None], 240, axis=1).repeat(3, axis=2)
    box, points = np.array([70, 60, 170, 180], np.float32), (ARCFACE_POINTS + np.float32(64)).astype(np.float32)
    points[1, 1] = points[0, 1]
    turn = cv2.getRotationMatrix2D((120, 120), -25, 1)
    turned = FaceChip(
        np.asarray(cv2.warpAffine(picture, turn, (240, 240)), np.uint8),
        box,
        (points @ turn[:, :2].T + turn[:, 2]).astype(np.float32),
        1.0,
    )
    upright, level = level_crop(FaceChip(picture, box, points, 1.0)), level_crop(turned)
    assert upright.shape == level.shape == (120, 100, 3)
    assert np.array_equal(upright, picture[60:180, 70:170])
    assert np.abs(level.astype(int) - upright).mean() < 3


@ALL
def test_many_faces_in_their_order(name: str, tmp_path: Path) -> None:
    """More than a batch, of different colours; graphs of fixed batches are fed as they ask."""
    chips = [chip_of(np.asarray(board() * np.float32([1, 1 - i / 60, 1]), np.uint8)) for i in range(11)]
    for batch in ("n", 1, 4):
        embedder = opened(name, tmp_path, batch=batch)
        together, singly = embedder.embed(chips), [embedder.embed([chip]).vectors[0] for chip in chips]
        assert np.abs(together.vectors - np.array(singly)).max() < 1e-6
        assert np.abs(np.diff(together.vectors[:, 1])).min() > 1e-4 and np.allclose(
            np.linalg.norm(together.vectors, axis=1), 1
        )
    assert embedder.embed([]).vectors.shape == (0, SIGNATURES[name]["dimensions"])


@ALL
def test_the_mirror_image_is_averaged_where_asked_for(name: str, tmp_path: Path) -> None:
    plain, mirrored = opened(name, tmp_path), opened(name, tmp_path, mirror=True)
    face, turned = chip_of(board()), FaceChip(np.ascontiguousarray(board()[:, ::-1]), *_mirrored_box())
    assert abs(seen(plain, face)[3] - seen(plain, turned)[3]) > 0.05
    both = (plain.embed([face]).vectors + plain.embed([turned]).vectors)[0]
    assert mirrored.embed([face]).vectors[0] == pytest.approx(both / np.linalg.norm(both), abs=0.01)
    assert plain.model != mirrored.model and all(len(e.model.split(":")[1]) == 12 for e in (plain, mirrored))


def _mirrored_box() -> tuple[Floats, Floats, float]:
    points = chip_of(board()).landmarks[[1, 0, 2, 4, 3]] * np.float32([-1, 1]) + np.float32([159, 0])
    return np.array([0, 0, 160, 160], np.float32), points.astype(np.float32), 1.0


def test_arcface_averages_with_the_mirror_image_unless_told_not_to(tmp_path: Path) -> None:
    path = write_embedder(tmp_path / "w.onnx", **SIGNATURES["arcface_r50"])
    default = EMBEDDERS.create("arcface_r50", path=path, device="cpu")
    assert default.model == EMBEDDERS.create("arcface_r50", path=path, device="cpu", mirror=True).model


@ALL
def test_odd_chips_give_vectors_of_unit_length(name: str, tmp_path: Path) -> None:
    embedder = opened(name, tmp_path)
    points = np.zeros((5, 2), np.float32)
    pictures = [np.zeros((h, w, 3), np.uint8) for h, w in ((1, 1), (1, 300), (300, 1), (7, 5))]
    boxes = [(0, 0, 1, 1), (-500, 3, 900, 3.2), (40, 40, 30, 30), (2, -400, 2.5, 400), (1e6, 1e6, 2e6, 2e6)]
    chips = [FaceChip(p, np.array(box, np.float32), points, 1.0) for p in pictures for box in boxes]
    vectors = embedder.embed(chips).vectors
    assert vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@ALL
def test_it_says_what_it_is_and_runs_where_it_is_told(name: str, tmp_path: Path) -> None:
    embedder = opened(name, tmp_path)
    assert (embedder.name, embedder.dimensions) == (name, SIGNATURES[name]["dimensions"])
    assert embedder.providers == ("CPUExecutionProvider",)
    path = write_embedder(tmp_path / "w.onnx", **SIGNATURES[name])
    with pytest.raises(ModelError, match="the device 'tensorrt' is not part of this ONNX Runtime"):
        EMBEDDERS.create(name, path=path, name=name, device="tensorrt")


@ALL
def test_another_graph_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    signature = SIGNATURES[name]
    for change in ({"side": 96}, {"dimensions": 99}, {"channels_last": not signature.get("channels_last")}):
        with pytest.raises(ModelError, match=f"the file of '{name}' holds another kind of model: .*fetch it again"):
            opened(name, tmp_path, **change)
    (tmp_path / "words.onnx").write_text("words")
    with pytest.raises(ModelError, match=r"words.onnx is not a model .*; fetch it again"):
        EMBEDDERS.create(name, path=tmp_path / "words.onnx", name=name)
    with pytest.raises(ModelError, match=f"the embedder '{name}' needs a weights file"):
        EMBEDDERS.create(name, name=name)


@pytest.mark.parametrize("name", ["inception_resnet", "sface"])
def test_a_ready_session_does(name: str, tmp_path: Path) -> None:
    session = open_session(write_embedder(tmp_path / "w.onnx", **SIGNATURES[name]))
    assert EMBEDDERS.create(name, session=session).embed([chip_of(board())]).vectors.shape[0] == 1


@pytest.mark.parametrize(
    ("name", "file"), [("facenet512", "facenet512_weights.onnx"), ("vggface", "vgg_face_weights.onnx")]
)
def test_weights_in_deepfaces_own_folder_are_found_and_loaded(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_embedder(tmp_path / ".deepface" / "weights" / file, **SIGNATURES[name])
    embedder = choose(detectors="mtcnn", embedders=name, device="cpu").open_embedder()
    assert embedder.embed([chip_of(board())]).vectors.shape == (1, SIGNATURES[name]["dimensions"])


def test_deepface_keeps_two_files_apart_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an environment variable nor a folder; and the files do not lie where deepface looks for them."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path / "home"))
    before = dict(os.environ)
    first, second = opened("facenet512", tmp_path / "a"), opened("facenet512", tmp_path / "b", gain=2)
    assert seen(second, chip_of(board())) == pytest.approx(2 * seen(first, chip_of(board())))
    assert dict(os.environ) == before
    assert not list((tmp_path / "temporary").iterdir()) and not (tmp_path / "home").exists()


def test_deepface_never_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even if it should look for another file than it is given."""
    import cvid.embedders.deepface as module

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(module._MODELS, "facenet512", ("Facenet512", "renamed.onnx"))
    with pytest.raises(ModelError, match="not a model that deepface can load") as caught:
        opened("facenet512", tmp_path)
    links: list[str] = []
    link: BaseException | None = caught.value
    while link:
        links.append(str(link))
        link = link.__cause__
    assert "127.0.0.1" in " ".join(links)


def test_deepface_is_not_taken_for_granted_on_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cvid.embedders.deepface as module

    monkeypatch.setattr(module.backend_utils, "_backend_engine", "tensorflow")
    with pytest.raises(ModelError, match="needs deepface on ONNX Runtime"):
        opened("facenet512", tmp_path)


def test_a_guest_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    monkeypatch.setenv("CVID_OF_ALL", "mine")
    environment, filters = dict(os.environ), list(warnings.filters)
    with guest(CVID_OF_ALL="theirs", CVID_NEW="1"):
        assert os.environ["CVID_OF_ALL"] == "theirs"
        del os.environ["CVID_OF_ALL"]
        os.environ["CVID_ANOTHER"] = "2"
        warnings.filterwarnings("ignore")
    assert dict(os.environ) == environment and list(warnings.filters) == filters


MISSING = """
import json, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("werkzeug", "insightface", "retinaface"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from cvid.detectors import DETECTORS
from cvid.embedders import EMBEDDERS
from cvid.errors import MissingDependency
said = []
for registry, name in ((EMBEDDERS, "arcface_r50"), (EMBEDDERS, "vggface"), (DETECTORS, "retinaface_r50")):
    try:
        registry.create(name, name=name)
    except MissingDependency as exc:
        said.append(str(exc))
print(json.dumps(said))
"""


def test_a_missing_package_is_one_sentence_with_the_line_that_installs_it() -> None:
    """Also where deepface itself is there, and what it forgot to declare is not."""
    done = subprocess.run([sys.executable, "-c", MISSING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [
        "the embedder 'arcface_r50' needs the package 'insightface': pip install insightface",
        "the embedder 'vggface' needs the package 'werkzeug': pip install 'cvid[deepface]'",
        "the detector 'retinaface_r50' needs the package 'retinaface': pip install 'cvid[deepface]'",
    ]


def test_the_export_of_the_inception_resnet_runs(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("facenet_pytorch", reason="facenet-pytorch is not installed")
    file = tmp_path / "inception.onnx"
    command = [sys.executable, "-W", "ignore", str(ROOT / "tools/export_inception_resnet/export.py")]
    done = subprocess.run(
        [*command, "--random-weights", "--seed", "3", "-o", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "differs from torch by" in done.stdout and "sha256 " in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    embedder = EMBEDDERS.create("inception_resnet", path=file, device="cpu")
    vectors = embedder.embed([chip_of(board()), chip_of(255 - board())]).vectors
    assert vectors.shape == (2, 512) and vectors[0] @ vectors[1] < 0.999

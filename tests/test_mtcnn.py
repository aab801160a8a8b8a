"""MTCNN: its graphs compute what its layers say, and its cascade treats boxes as it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.typing import NDArray

from cvid.detectors.mtcnn import MtcnnDetector, MtcnnNets, open_nets, patches, squares, suppress
from cvid.detectors.mtcnn_graphs import load_arrays, output_net, proposal_net, refine_net, weight_files, weights_hash
from cvid.errors import MissingDependency, ModelError
from cvid.packaged import packaged_file
from cvid.sessions import open_session
from cvid.types import Floats

REPOSITORY = Path(__file__).resolve().parents[1]


def floats(values: Any) -> Floats:
    return np.array(values, np.float32)


class FakeNet:
    """Stands for one network: answers every picture by a function of it, and remembers what it was shown."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.seen: list[NDArray[np.uint8]] = []

    def get_inputs(self) -> list[Any]:
        return []

    def get_outputs(self) -> list[Any]:
        return []

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def run(self, outputs: list[str] | None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self.seen.append(feed["bgr"])
        return list(self.answer(feed["bgr"]))


def keras_convolution(x: Floats, kernel: Floats, bias: Floats) -> Floats:
    """A "valid" convolution as Keras writes it: x (h, w, in), kernel (kh, kw, in, out)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(0, 1))
    return np.asarray(np.einsum("hwikl,klio->hwo", windows, kernel) + bias, np.float32)


def keras_pool(x: Floats, size: int, same: bool) -> Floats:
    """Max pooling by strides of 2; "same" pads at the end only here, as the sizes have it."""
    rows, columns = ((-(-side // 2) if same else (side - size) // 2 + 1) for side in x.shape[:2])
    padded = np.pad(x, ((0, size), (0, size), (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))[::2, ::2]
    return np.asarray(windows[:rows, :columns].max((-1, -2)))


def prelu(x: Floats, slope: Floats) -> Floats:
    return np.where(x > 0, x, x * slope.reshape(-1))


def softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def random_picture(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)


def as_trained(bgr: NDArray[np.uint8]) -> Floats:
    return ((bgr[:, :, ::-1].astype(np.float32)) - np.float32(127.5)) / np.float32(128)


@pytest.mark.parametrize("shape", [(12, 12), (31, 40), (40, 31)])
def test_proposal_net_computes_its_layers(shape: tuple[int, int]) -> None:
    a, picture = load_arrays(weight_files()["pnet"]), random_picture(*shape)
    x = keras_pool(prelu(keras_convolution(as_trained(picture), a[0], a[1]), a[2]), 2, same=True)
    x = prelu(keras_convolution(x, a[3], a[4]), a[5])
    x = prelu(keras_convolution(x, a[6], a[7]), a[8])
    offsets, face = open_session(proposal_net(a)).run(None, {"bgr": picture[None]})
    assert np.allclose(offsets[0].transpose(1, 2, 0), keras_convolution(x, a[9], a[10]), atol=1e-4)
    assert np.allclose(face[0].transpose(1, 2, 0), softmax(keras_convolution(x, a[11], a[12])), atol=1e-4)


def test_refine_net_computes_its_layers() -> None:
    a, picture = load_arrays(weight_files()["rnet"]), random_picture(24, 24)
    x = keras_pool(prelu(keras_convolution(as_trained(picture), a[0], a[1]), a[2]), 3, same=True)
    x = keras_pool(prelu(keras_convolution(x, a[3], a[4]), a[5]), 3, same=False)
    x = prelu(keras_convolution(x, a[6], a[7]), a[8])
    row = prelu(x.transpose(1, 0, 2).reshape(-1) @ a[9] + a[10], a[11])  # column by column
    offsets, face = open_session(refine_net(a)).run(None, {"bgr": picture[None]})
    assert np.allclose(offsets[0], row @ a[12] + a[13], atol=1e-4)
    assert np.allclose(face[0], softmax(row @ a[14] + a[15]), atol=1e-4)


def test_output_net_computes_its_layers() -> None:
    a, picture = load_arrays(weight_files()["onet"]), random_picture(48, 48)
    x = keras_pool(prelu(keras_convolution(as_trained(picture), a[0], a[1]), a[2]), 3, same=True)
    x = keras_pool(prelu(keras_convolution(x, a[3], a[4]), a[5]), 3, same=False)
    x = keras_pool(prelu(keras_convolution(x, a[6], a[7]), a[8]), 2, same=True)
    x = prelu(keras_convolution(x, a[9], a[10]), a[11])
    row = prelu(x.transpose(1, 0, 2).reshape(-1) @ a[12] + a[13], a[14])
    offsets, points, face = open_session(output_net(a)).run(None, {"bgr": np.stack([picture, picture])})
    assert np.allclose(offsets, row @ a[15] + a[16], atol=1e-4)
    assert np.allclose(points, row @ a[17] + a[18], atol=1e-4)
    assert np.allclose(face, softmax(row @ a[19] + a[20]), atol=1e-4)


def test_weights_of_another_form_are_refused(tmp_path: Path) -> None:
    arrays = load_arrays(weight_files()["pnet"])
    with pytest.raises(ValueError, match="left over"):
        proposal_net([*arrays, arrays[0]])
    for name in ("pnet", "rnet", "onet"):
        joblib.dump(arrays[:5], tmp_path / f"{name}.lz4")
    with pytest.raises(ModelError, match="reinstall"):
        open_nets({name: tmp_path / f"{name}.lz4" for name in ("pnet", "rnet", "onet")})
    (tmp_path / "pnet.lz4").write_bytes(b"cut short")
    with pytest.raises(ModelError, match="reinstall"):
        open_nets({name: tmp_path / f"{name}.lz4" for name in ("pnet", "rnet", "onet")})


def test_the_hash_stands_for_all_three_files(tmp_path: Path) -> None:
    files = weight_files()
    other = tmp_path / "onet.lz4"
    other.write_bytes(files["onet"].read_bytes() + b"!")
    assert weights_hash(files) == MtcnnDetector().weights != weights_hash(files | {"onet": other})


def test_a_missing_package_is_named_with_the_line_that_installs_it() -> None:
    with pytest.raises(MissingDependency, match="pip install no_such_package"):
        packaged_file("no_such_package", "weights.lz4")


def test_the_cascade_narrows_down_what_the_first_network_proposes() -> None:
    """One P-Net cell fires on the finest level it sees; R- and O-Net are shown the same square and agree."""

    def proposal(picture: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        rows, columns = (picture.shape[1] - 10) // 2, (picture.shape[2] - 10) // 2
        face = np.zeros((1, 2, rows, columns), np.float32)
        if picture.shape[1:3] == (30, 30):
            face[0, 1, 2, 3] = 0.9
        return np.zeros((1, 4, rows, columns), np.float32), face

    def refine(crops: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        return np.zeros((len(crops), 4), np.float32), np.tile(floats([0.1, 0.9]), (len(crops), 1))

    def confirm(crops: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        points = floats([[0.3, 0.7, 0.5, 0.35, 0.65, 0.4, 0.4, 0.6, 0.8, 0.8]])
        return floats([[0.1, 0, -0.1, 0]]), points, floats([[0, 0.99]])

    nets = MtcnnNets(FakeNet(proposal), FakeNet(refine), FakeNet(confirm), "0" * 12)
    detector = MtcnnDetector(nets, reach=0.4, min_face_px=1, step=0.5)
    faces = detector.detect(np.zeros((60, 60, 3), np.uint8))
    # The cell (row 2, column 3) covers 6..18 by 4..16 px at half size: 12..36 by 8..32 px of the picture.
    assert np.allclose(faces.xyxy, [[14.4, 8, 33.6, 32]], atol=1e-4)
    assert np.allclose(
        faces.landmarks[0], [[19.2, 17.6], [28.8, 17.6], [24, 22.4], [20.4, 27.2], [27.6, 27.2]], atol=1e-4
    )
    assert faces.score[0] == pytest.approx(0.99)
    assert detector.weights == "0" * 12


def test_nothing_proposed_runs_no_further_network() -> None:
    nothing = FakeNet(lambda picture: (np.zeros((1, 4, 1, 1), np.float32), np.zeros((1, 2, 1, 1), np.float32)))
    unused = FakeNet(lambda crops: pytest.fail("must not run"))
    assert len(MtcnnDetector(MtcnnNets(nothing, unused, unused, "")).detect(np.zeros((90, 120, 3), np.uint8))) == 0
    assert nothing.seen


def test_patches_come_from_the_coarsest_level_that_is_sharp_enough() -> None:
    fine, coarse = np.full((100, 100, 3), 10, np.uint8), np.full((50, 50, 3), 200, np.uint8)
    boxes = floats([[20, 20, 60, 60], [0, 0, 80, 80]])
    small, large = patches([(1.0, fine), (0.5, coarse)], boxes, 24)
    assert (small == 10).all() and (large == 200).all()


def test_patches_keep_places_and_fill_with_grey_beyond_the_edge() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 255
    cut = patches([(1.0, picture)], floats([[8, 8, 32, 32], [-24, 0, 0, 24]]), 24)
    assert (cut[0, :, :12] == 0).all() and (cut[0, :, 12:] == 255).all()
    assert (cut[1, 1:-1, 1:-1] == 128).all()


def test_suppression_keeps_the_best_and_measures_by_union_or_by_the_smaller() -> None:
    boxes = floats([[0, 0, 10, 10], [1, 0, 11, 10], [3, 3, 6, 6], [50, 50, 60, 60]])
    score = floats([0.6, 0.9, 0.7, 0.5])
    assert suppress(boxes, score, 0.5).tolist() == [1, 2, 3]
    assert suppress(boxes, score, 0.5, of_smaller=True).tolist() == [1, 3]
    assert suppress(boxes[:0], score[:0], 0.5).tolist() == []


def test_squares_keep_the_centre() -> None:
    assert squares(floats([[0, 10, 4, 20]])).tolist() == [[-3, 10, 7, 20]]


def test_the_set_runs_without_setuptools_tensorflow_and_dlib() -> None:
    """In a fresh interpreter where importing any of them fails; finding files inside their packages must still work."""
    code = """
import builtins
plain = builtins.__import__
BLOCKED = {"setuptools", "pkg_resources", "tensorflow", "keras", "torch", "dlib", "mtcnn", "face_recognition_models"}
def guarded(name, *args, **kwargs):
    if name.split(".")[0] in BLOCKED:
        raise ModuleNotFoundError(f"blocked: {name}", name=name)
    return plain(name, *args, **kwargs)
builtins.__import__ = guarded
import sys
import numpy as np
from cvid.chips import cut_chip
from cvid.models.sets import choose
choice = choose("embedded")
picture = np.zeros((80, 80, 3), np.uint8)
assert len(choice.open_detector().detect(picture)) == 0
points = np.array([[30, 30], [50, 30], [40, 40], [32, 50], [48, 50]], np.float32)
chip = cut_chip(picture, np.array([20, 20, 60, 60], np.float32), points)
assert choice.open_embedder().embed([chip]).vectors.shape == (1, 128)
assert not BLOCKED & {name.split(".")[0] for name in sys.modules}, "imported in spite of the guard"
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr

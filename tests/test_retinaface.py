"""RetinaFace with ResNet-50: what the package retina-face is shown and what becomes of its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cvid.detectors import DETECTORS, Detector
from cvid.errors import ModelError
from cvid.models.sets import choose
from cvid.types import Bytes
from tests.graphs import write_embedder, write_retinaface

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    path = write_retinaface(tmp_path_factory.mktemp("weights") / "retinaface.onnx")
    made: Detector = DETECTORS.create("retinaface_r50", path=path, weights="0" * 12, device="cpu")
    return made


def scene(bgr: tuple[int, int, int] = (0, 0, 230), rows: int = 320, columns: int = 640) -> Bytes:
    """One cell of 32 px painted, whose upper left corner lies at (288, 96)."""
    picture = np.zeros((rows, columns, 3), np.uint8)
    picture[96:128, 288:320] = bgr
    return picture


def test_box_score_and_points_come_in_our_order_and_px(detector: Detector) -> None:
    """The anchor of that cell is 256 px wide around (295.5, 103.5); the box is a quarter of it, whole px."""
    faces = detector.detect(scene())
    assert len(faces) == 1 and faces.score[0] == pytest.approx(230 / 255)
    assert faces.xyxy[0] == pytest.approx([263.5, 71.5, 327.5, 135.5], abs=1)
    assert faces.landmarks[0] == pytest.approx(np.array([(295.5 + 4 * (i - 2), 103.5) for i in range(5)]), abs=0.01)
    assert faces.votes.tolist() == [1]


def test_the_image_left_eye_comes_first(detector: Detector) -> None:
    """Its "right eye" is the person's own, the one on the left of the picture."""
    points = detector.detect(scene()).landmarks[0]
    assert points[0, 0] < points[1, 0] < points[2, 0] < points[3, 0] < points[4, 0]


@pytest.mark.parametrize("bgr", [(230, 0, 0), (0, 230, 0), (255, 255, 100)])
def test_the_network_sees_rgb(detector: Detector, bgr: tuple[int, int, int]) -> None:
    assert len(detector.detect(scene(bgr))) == 0


def test_it_is_shown_640_px_a_side_and_answers_in_px_of_the_picture(detector: Detector) -> None:
    twice = detector.detect(np.kron(scene(), np.ones((2, 2, 1), np.uint8)))
    assert twice.xyxy[0] == pytest.approx([527, 143, 655, 271], abs=2)
    assert twice.landmarks[0, 2] == pytest.approx([591, 207], abs=0.1)
    half = detector.detect(np.ascontiguousarray(scene()[::2, ::2]))
    assert half.landmarks[0, 2] == pytest.approx([147.75, 51.75], abs=0.1)


def test_best_score_first_and_none_below_the_bar(detector: Detector) -> None:
    faces = detector.detect(np.vstack([scene((0, 0, 140)), scene((0, 0, 250))]))
    assert faces.score == pytest.approx([250 / 255, 140 / 255])
    assert len(detector.detect(scene((0, 0, 120)))) == 0


def test_no_picture_is_larger_than_what_the_package_leaves_as_it_is(detector: Detector) -> None:
    """It shrinks what is larger itself; our factors would not know of it."""
    picture = np.kron(scene(), np.ones((4, 4, 1), np.uint8))
    sides = [DETECTORS.create("retinaface_r50", session=detector._network.session, side_px=px) for px in (1024, 9999)]
    first, second = (made.detect(picture) for made in sides)
    assert len(first) and np.array_equal(first.xyxy, second.xyxy)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 7), (33, 1999)])
def test_any_size_is_legal(detector: Detector, shape: tuple[int, int]) -> None:
    assert len(detector.detect(np.zeros((*shape, 3), np.uint8))) == 0


def test_the_picture_is_not_written_to(detector: Detector) -> None:
    picture = scene()
    picture.flags.writeable = False
    assert len(detector.detect(picture)) == 1


def test_it_says_what_it_is(detector: Detector) -> None:
    assert (detector.name, detector.weights) == ("retinaface_r50", "0" * 12)
    assert detector.providers == ("CPUExecutionProvider",)


def test_another_graph_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = write_embedder(tmp_path / "other.onnx", 160, 512, channels_last=True)
    with pytest.raises(ModelError, match=r"the file of 'retinaface_r50' holds another kind of model: .*fetch it again"):
        DETECTORS.create("retinaface_r50", path=path)
    with pytest.raises(ModelError, match="the detector 'retinaface_r50' needs a weights file"):
        DETECTORS.create("retinaface_r50")


def test_weights_in_the_packages_own_folder_are_found_and_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_retinaface(tmp_path / ".deepface" / "weights" / "retinaface.onnx")
    found = choose(detectors="retinaface_r50", embedders="dlib_resnet", device="cpu").open_detector()
    assert len(found.detect(scene())) == 1


def test_importing_it_takes_no_framework_and_changes_nothing() -> None:
    code = (
        "import os, sys, warnings; before = dict(os.environ); import cvid.opencv, cvid.sessions\n"
        "environment, filters = dict(os.environ), list(warnings.filters)\n"
        "import cvid.detectors.retinaface_r50, cvid.embedders.deepface\n"
        "assert dict(os.environ) == environment, 'environment'\n"
        "assert list(warnings.filters) == filters, 'filters'\n"
        "assert not {'torch', 'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "DEEPFACE_BACKEND_ENGINE": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_reported_to_the_maker_of_onnx_runtime(tmp_path: Path) -> None:
    """Without `ORT_DISABLE_TELEMETRY` it keeps a database of events in the home folder, to be sent."""
    write_retinaface(tmp_path / "weights.onnx")
    code = "import sys; from pathlib import Path; import cvid.sessions as s; s.open_session(Path(sys.argv[1]))"
    environment = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY",)}
    environment |= {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "weights.onnx")], cwd=ROOT, env=environment, check=True)
    assert not (tmp_path / "home").exists()

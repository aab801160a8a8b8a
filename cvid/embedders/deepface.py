"""FaceNet-512 and VGG-Face as deepface offers them, through deepface's own code, on ONNX Runtime.

Needs the extra `deepface` (docs/decisions/0008-deepface-is-an-extra.md).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cvid.embedders.crops import CropEmbedder
from cvid.errors import ModelError
from cvid.guests import ON_ONNX_RUNTIME, guest
from cvid.opencv import cv2
from cvid.sessions import expect, open_session
from cvid.types import Bytes, FaceChip, Floats

with guest(**ON_ONNX_RUNTIME):
    from deepface.commons import backend_utils
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules import detection, modeling, preprocessing

_MODELS = {
    "facenet512": ("Facenet512", "facenet512_weights.onnx"),
    "vggface": ("VGG-Face", "vgg_face_weights.onnx"),
}
"""Our name → deepface's name, and the file that it looks for."""
_NOWHERE = "http://127.0.0.1:9"
_NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE) | dict.fromkeys(
    ("NO_PROXY", "no_proxy"), ""
)
"""Environment in which deepface, should it ever look for another file than the one it is given, downloads nothing."""
_SLIMMEST = 64  # the longer side of a crop is this many times the shorter one at most


class DeepFaceEmbedder(CropEmbedder):
    """512-d (FaceNet-512) or 4096-d (VGG-Face) vectors, as `DeepFace.represent` gives them by default.

    Args:
        path: the ONNX file.
        weights: first 12 hex digits of the file's sha256.
        name: the registry's name.
        mirror: average with the mirror image; deepface does not.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    def __init__(
        self,
        path: Path | None = None,
        weights: str = "",
        name: str = "facenet512",
        mirror: bool = False,
        device: str = "auto",
    ) -> None:
        if path is None or not path.is_file():
            raise ModelError(f"the embedder '{name}' needs a weights file" + (f"; {path} is none" if path else ""))
        self._network = _load(path, name)
        # deepface's session takes all cores in each of our processes; ours keeps to its device and thread. VGG-Face's
        # 580 MB are so read twice: 5 s instead of 3 when a process starts.
        self._network.model = None
        self._network.model = session = open_session(path, device=device)
        height, width = self._network.input_shape
        at_once = expect(session, name, (height, width, 3), (self._network.output_shape,))
        super().__init__(name, weights, session, self._network.output_shape, at_once, mirror)

    def _cut(self, chip: FaceChip) -> Bytes:
        return level_crop(chip)

    def _describe(self, crops: list[Bytes]) -> Floats:
        height, width = self._network.input_shape
        pictures = [preprocessing.resize_image(crop / 255, (width, height)) for crop in crops]
        blob = preprocessing.normalize_input(np.concatenate(pictures))
        return np.asarray(self._network.forward(blob), np.float32).reshape(len(crops), -1)


def level_crop(chip: FaceChip) -> Bytes:
    """The face as deepface cuts it, uint8 (h, w, 3): its box out of the picture turned so that the eyes are level.

    Black where the chip ends.
    """
    height, width = chip.bgr.shape[:2]
    top, left = height // 2 + 1, width // 2 + 1  # deepface frames a whole picture so, for boxes at its edge
    framed = cv2.copyMakeBorder(chip.bgr, top, top, left, left, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    x, y = (int(np.clip(edge, -s // 2, s - 1)) for edge, s in zip(chip.xyxy[:2], (width, height), strict=True))
    right, bottom = (int(np.clip(e, 0, 1.5 * s)) for e, s in zip(chip.xyxy[2:], (width, height), strict=True))
    w, h = max(right - x, 1), max(bottom - y, 1)
    eyes = [(float(px) + left, float(py) + top) for px, py in chip.landmarks[:2]]
    region = FacialAreaRegion(
        # Left and right are the person's own to deepface.
        x=x + left, y=y + top, w=w, h=h, left_eye=eyes[1], right_eye=eyes[0], confidence=1,
    )  # fmt: skip
    face = detection.extract_face(
        facial_area=region,
        img=framed,
        align=True,
        expand_percentage=0,
        width_border=left,
        height_border=top,
        detector_backend="cvid",
    ).img
    shorter, longer = sorted(face.shape[:2])
    if longer > _SLIMMEST * shorter:  # a line is no face, and deepface fails at it
        face = cv2.resize(chip.bgr, (_SLIMMEST, _SLIMMEST))
    return np.asarray(face, np.uint8)


def _load(path: Path, name: str) -> Any:
    """The client of a model, which has loaded the file.

    Not by `build_model`, which keeps one client a model for ever, whatever file it was asked to load.
    """
    title, file = _MODELS[name]
    try:
        with (
            _home(path, file) as home,
            guest(**ON_ONNX_RUNTIME, **_NO_NETWORK, DEEPFACE_HOME=str(home), DEEPFACE_ONNX_PROVIDERS="cpu"),
        ):
            if backend_utils.get_backend_engine() != backend_utils.ONNX:
                raise ModelError(
                    f"the embedder '{name}' needs deepface on ONNX Runtime; it runs on something else here"
                )
            return modeling.get_model_class("facial_recognition", title)()
    except ValueError as exc:
        raise ModelError(f"{path} is not a model that deepface can load; fetch it again") from exc
    except OSError as exc:
        raise ModelError(f"deepface needs {path} in a temporary folder ({exc.strerror}); make room there") from exc


@contextmanager
def _home(path: Path, file: str) -> Iterator[Path]:
    """A home folder in which deepface finds the file, where it looks for it: in .deepface/weights."""
    path = path.absolute()
    if path.parts[-3:] == (".deepface", "weights", file):
        yield path.parents[2]
        return
    with TemporaryDirectory(prefix="cvid-") as folder:
        weights = Path(folder, ".deepface", "weights")
        weights.mkdir(parents=True)
        try:
            (weights / file).symlink_to(path)
        except OSError:  # Windows asks for a right that few have
            shutil.copyfile(path, weights / file)
        yield Path(folder)

"""deepface with its default detector, and the one of its recognisers whose file comes in a package.

`DeepFace.represent` finds, aligns and describes. Its default, VGG-Face, is 580 MB of GitHub's, which need a network;
dlib's file is the one that face_recognition_models holds, linked into a home folder of its own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from recipes import Faces, Unusable

WHAT = "DeepFace.represent: OpenCV's cascade, its default, and dlib's ResNet"
PIP = (
    "pip install deepface==0.0.103 flask dlib-bin face_recognition_models 'setuptools<80' scikit-learn"
    " 'opencv-contrib-python-headless<5'"
)
# deepface itself later: it makes its home folder when it is imported, and asks for dlib at the first face.
IMPORTS = ("dlib", "face_recognition_models")
METRIC, EPS = "cosine", 0.07
FROM = "deepface's own threshold for this model, cosine distance 0.07"
WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"


def opened(data: Path) -> Faces:
    import numpy as np
    from face_recognition_models import face_recognition_model_location

    folder = tempfile.TemporaryDirectory()
    weights = Path(folder.name, ".deepface", "weights")
    weights.mkdir(parents=True)
    (weights / WEIGHTS).symlink_to(face_recognition_model_location())
    os.environ["DEEPFACE_HOME"] = folder.name
    from deepface import DeepFace

    def faces(picture, home=folder):  # the folder lives as long as this function
        for face in DeepFace.represent(picture, model_name="Dlib", enforce_detection=False):
            if face["face_confidence"]:  # 0: nobody was found, and this is the whole picture
                at = face["facial_area"]
                box = at["x"], at["y"], at["x"] + at["w"], at["y"] + at["h"]
                yield box, np.array(face["embedding"], np.float32)

    try:
        list(faces(np.zeros((90, 160, 3), np.uint8)))
    except ValueError as exc:
        raise Unusable(" ".join(str(exc).split())) from exc
    return faces

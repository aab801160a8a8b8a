"""face_recognition as its README uses it: the HOG detector, one upsampling, the small landmarks, dlib's ResNet."""

from __future__ import annotations

from pathlib import Path

from recipes import Faces

WHAT = "dlib's HOG detector and ResNet, the recogniser of `embedded`"
PIP = (
    "pip install dlib-bin face_recognition_models 'setuptools<80' numpy pillow scikit-learn opencv-python-headless"
    " && pip install --no-deps face_recognition"
)
# The models first: without them face_recognition ends the process, with exit code 0.
IMPORTS = ("face_recognition_models", "face_recognition")
METRIC, EPS = "euclidean", 0.6
FROM = "the default tolerance of compare_faces, distance 0.6"


def opened(data: Path) -> Faces:
    import numpy as np
    from face_recognition import face_encodings, face_locations

    def faces(picture):
        rgb = np.ascontiguousarray(picture[:, :, ::-1])
        places = face_locations(rgb)
        for (top, right, bottom, left), vector in zip(places, face_encodings(rgb, places), strict=True):
            yield (left, top, right, bottom), vector

    return faces

"""facenet-pytorch as its examples use it: MTCNN, whose weights come along, and InceptionResnetV1, whose do not."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

from recipes import Faces, Unusable

WHAT = "MTCNN and InceptionResnetV1 of VGGFace2"
PIP = "pip install facenet-pytorch scikit-learn opencv-python-headless  (and torchvision built for the same torch)"
IMPORTS = ("torch", "torchvision")
METRIC, EPS = "euclidean", 1.0
FROM = "a guess: the package names no threshold, FaceNet's paper 1.1 for another network"


def opened(data: Path) -> Faces:
    import torch
    from facenet_pytorch import MTCNN, InceptionResnetV1

    try:
        recogniser = InceptionResnetV1(pretrained="vggface2").eval()
    except (URLError, OSError) as exc:
        raise Unusable(f"the recogniser's weights, 107 MB, cannot be downloaded: {exc}") from exc
    detector = MTCNN(keep_all=True, post_process=True)

    def faces(picture):
        rgb = picture[:, :, ::-1].copy()
        boxes, _ = detector.detect(rgb)
        if boxes is None:
            return
        with torch.no_grad():
            vectors = recogniser(detector.extract(rgb, boxes, None)).numpy()
        yield from zip(boxes, vectors, strict=True)

    return faces

"""insightface's model zoo with the files of cvid's `light` set, ONNX Runtime with its own default of threads."""

from __future__ import annotations

from pathlib import Path

from recipes import Faces

WHAT = "SCRFD-500M through insightface, MobileFaceNet: the files of `light`"
PIP = "pip install insightface onnxruntime scikit-image scikit-learn"
IMPORTS = ("insightface.model_zoo", "insightface.utils.face_align", "onnxruntime")
METRIC, EPS = "cosine", 0.52
FROM = "the default of insightface's album, cosine 0.48"


def opened(data: Path) -> Faces:
    import numpy as np
    import onnxruntime as ort
    from insightface.model_zoo import get_model
    from insightface.utils.face_align import norm_crop

    detector = get_model(str(data / "models" / "scrfd_500m_kps.onnx"), providers=["CPUExecutionProvider"])
    detector.prepare(ctx_id=-1, input_size=(640, 640), det_thresh=0.5)
    embedder = ort.InferenceSession(str(data / "models" / "MobileFaceNet.onnx"), providers=["CPUExecutionProvider"])

    def faces(picture):
        boxes, points = detector.detect(picture)
        for box, landmarks in zip(boxes, points, strict=True):
            crop = norm_crop(picture, landmarks)[:, :, ::-1].astype(np.float32) / 255
            crop = (crop - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
            vector = embedder.run(None, {"input0": crop.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
            yield box[:4], vector / np.linalg.norm(vector)

    return faces

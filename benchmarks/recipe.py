#!/usr/bin/env python3
"""What a user would run instead of cvid: two frames a second, every face embedded, one DBSCAN over all faces.

    CVID_BENCH_DATA=… python benchmarks/recipe.py [--sets composed-11]

The same SCRFD and MobileFaceNet files as the `light` set, the detector through insightface's model zoo as its users
do, ONNX Runtime with its own default of threads, scikit-learn's DBSCAN at cosine 0.48 (insightface's album).
Prints linked F and video seconds a second.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from data import KINDS, data_folder, videos_of
from insightface.model_zoo import get_model
from insightface.utils.face_align import norm_crop
from score import read, score
from sklearn.cluster import DBSCAN

RATE_HZ = 2.0
COSINE = 0.48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(KINDS["composed"] + KINDS["lookalikes"]))
    parser.add_argument("--min-samples", type=int, default=2)
    a = parser.parse_args()
    data = data_folder()
    started = time.perf_counter()
    detector = get_model(str(data / "models" / "scrfd_500m_kps.onnx"), providers=["CPUExecutionProvider"])
    detector.prepare(ctx_id=-1, input_size=(640, 640), det_thresh=0.5)
    embedder = ort.InferenceSession(str(data / "models" / "MobileFaceNet.onnx"), providers=["CPUExecutionProvider"])
    loading = time.perf_counter() - started
    for name in a.sets.split(","):
        started = time.perf_counter()
        rows, vectors, seconds = [], [], 0.0
        for video in videos_of(data / "footage" / name):
            seconds += look(video, detector, embedder, rows, vectors)
        labels = DBSCAN(eps=1 - COSINE, min_samples=a.min_samples, metric="cosine").fit_predict(np.array(vectors))
        spent = time.perf_counter() - started + loading
        for row, label in zip(rows, labels, strict=True):
            row["identity"] = f"P{label}" if label >= 0 else ""
        r = score(read(data / "footage" / name / "truth.csv"), rows)
        print(
            f"{name:16} linked F {r['linked_f']:.3f}  precision {r['linked_p']:.3f}  macro {r['linked_macro_f']:.3f}  "
            f"found {r['found']:.3f}  {seconds / spent:.1f} video s/s",
            flush=True,
        )


def look(video: Path, detector: object, embedder: ort.InferenceSession, rows: list, vectors: list) -> float:
    """Detect and embed every face of every sampled frame; the video's length in seconds."""
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS)
    every, index = max(round(fps / RATE_HZ), 1), 0
    while capture.grab():
        if index % every == 0:
            _, frame = capture.retrieve()
            boxes, points = detector.detect(frame)
            for box, landmarks in zip(boxes, points, strict=True):
                crop = norm_crop(frame, landmarks)[:, :, ::-1].astype(np.float32) / 255
                crop = (crop - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
                vector = embedder.run(None, {"input0": crop.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
                vectors.append(vector / np.linalg.norm(vector))
                x1, y1, x2, y2 = box[:4]
                at = index / fps
                rows.append(
                    {
                        "video": video.name,
                        "start_s": at,
                        "end_s": at,
                        "best_s": at,
                        "x1": x1,
                        "y1": y1,
                        "x2": x2,
                        "y2": y2,
                    }
                )
        index += 1
    return index / fps


if __name__ == "__main__":
    main()

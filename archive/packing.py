"""Arrays as bytes: little-endian, so that an archive can be carried to any machine."""

from __future__ import annotations

import numpy as np

from cvid.types import Crop, Floats, Track

_FACE = np.dtype(
    [("time_s", "<f8"), ("frame_index", "<i8"), ("xyxy", "<f4", (4,)), ("score", "<f4"), ("quality", "<f4")]
)


def pack_vectors(vectors: Floats) -> bytes:
    """Vectors, float32 (n, d), as bytes."""
    return vectors.astype("<f4").tobytes()


def unpack_vectors(data: bytes, count: int) -> Floats:
    """The reverse: float32 (count, d)."""
    return np.frombuffer(data, "<f4").astype(np.float32).reshape(count, -1)


def pack_points(crop: Crop) -> bytes:
    """Box and landmarks of a crop as bytes."""
    return np.concatenate([crop.xyxy, crop.landmarks.ravel()]).astype("<f4").tobytes()


def unpack_crop(points: bytes, scale: float, quality: float, jpeg: bytes) -> Crop:
    """The crop again."""
    numbers = np.frombuffer(points, "<f4").astype(np.float32)
    return Crop(jpeg, numbers[:4], numbers[4:].reshape(5, 2), scale, quality)


def pack_track(track: Track) -> bytes:
    """All faces of a track → bytes."""
    faces = np.zeros(len(track), _FACE)
    for name in _FACE.names or ():
        faces[name] = getattr(track, name)
    return faces.tobytes()


def unpack_track(data: bytes) -> Track:
    """The reverse."""
    faces = np.frombuffer(data, _FACE)
    return Track(
        faces["time_s"].astype(np.float64),
        faces["frame_index"].astype(np.int64),
        faces["xyxy"].astype(np.float32),
        faces["score"].astype(np.float32),
        faces["quality"].astype(np.float32),
    )

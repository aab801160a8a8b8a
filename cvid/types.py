"""The types that travel between the rooms: frozen structs of arrays, checked at birth.

`n = 0` is legal everywhere. Functions return new objects and never write into an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def check(name: str, array: Any, dtype: Any, shape: tuple[int | None, ...]) -> None:
    """Refuse an array of another dtype or shape; `None` in `shape` stands for any length.

    Raises:
        ValueError: with the expected and the actual dtype and shape.
    """
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} must be an array, not {type(array).__name__}")
    fits = len(array.shape) == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        raise ValueError(f"{name} must be {np.dtype(dtype)} {shape}, not {array.dtype} {array.shape}")


@dataclass(frozen=True, eq=False)
class VideoInfo:
    """What is known of one source file before its frames are looked at.

    `sha256` is the key, never the path. Sizes are those of the upright picture, in px.
    `duration_s` is 0 where the container does not tell, and for photographs.
    """

    path: str
    sha256: str
    kind: str  # "video" or "picture"
    width: int
    height: int
    duration_s: float
    rate: Fraction  # frames a second; 0 where unknown
    codec: str
    rotation_deg: int  # 0, 90, 180 or 270, counter-clockwise as stored; already undone in frames

    def __post_init__(self) -> None:
        if self.kind not in ("video", "picture"):
            raise ValueError(f"kind must be video or picture, not {self.kind}")


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame, upright.

    `luma` is the decoder's own brightness plane, uint8 (h, w). `bgr`, uint8 (h, w, 3), is
    converted the first time it is asked for: most frames are skipped on their luma alone.
    """

    index: int
    time_s: float
    luma: Bytes
    to_bgr: Callable[[], Bytes] = field(repr=False)

    def __post_init__(self) -> None:
        check("Frame.luma", self.luma, np.uint8, (None, None))

    @cached_property
    def bgr(self) -> Bytes:
        """The colour picture, uint8 (h, w, 3), BGR."""
        picture = self.to_bgr()
        check("Frame.bgr", picture, np.uint8, (*self.luma.shape, 3))
        return picture


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces found in one frame.

    `landmarks` are image-left eye, image-right eye, nose, image-left and image-right mouth
    corner. `votes` counts the detectors that agreed.
    """

    xyxy: Floats  # (n, 4), px in the full upright frame
    score: Floats  # (n,), 0..1
    landmarks: Floats  # (n, 5, 2), px
    votes: Bytes  # (n,)

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        check("Faces.xyxy", self.xyxy, np.float32, (n, 4))
        check("Faces.score", self.score, np.float32, (n,))
        check("Faces.landmarks", self.landmarks, np.float32, (n, 5, 2))
        check("Faces.votes", self.votes, np.uint8, (n,))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, key: Any) -> Self:
        """The faces at a mask, a slice or an array of indices."""
        return replace(self, **{f.name: getattr(self, f.name)[key] for f in fields(self)})

    @classmethod
    def empty(cls) -> Self:
        """No face."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, 5, 2), np.float32),
            np.zeros(0, np.uint8),
        )


@dataclass(frozen=True, eq=False)
class FaceChip:
    """A face cut out of its frame with some surroundings: what quality and embedders look at.

    `xyxy` and `landmarks` are px inside `bgr`. A chip may be smaller than the face was: it is
    shrunk to what the models need, so that a waiting track stays small. `scale` is chip px per frame px.
    """

    bgr: Bytes  # (h, w, 3)
    xyxy: Floats  # (4,)
    landmarks: Floats  # (5, 2)
    scale: float

    def __post_init__(self) -> None:
        check("FaceChip.bgr", self.bgr, np.uint8, (None, None, 3))
        check("FaceChip.xyxy", self.xyxy, np.float32, (4,))
        check("FaceChip.landmarks", self.landmarks, np.float32, (5, 2))


@dataclass(frozen=True, eq=False)
class Track:
    """One person in one shot of one video: parallel arrays over its t faces, in time order."""

    time_s: Doubles  # (t,), increasing
    frame_index: Ints  # (t,), increasing
    xyxy: Floats  # (t, 4), px in the upright frame
    score: Floats  # (t,), 0..1
    quality: Floats  # (t,), 0..1

    def __post_init__(self) -> None:
        t = len(self.time_s)
        check("Track.time_s", self.time_s, np.float64, (t,))
        check("Track.frame_index", self.frame_index, np.int64, (t,))
        check("Track.xyxy", self.xyxy, np.float32, (t, 4))
        check("Track.score", self.score, np.float32, (t,))
        check("Track.quality", self.quality, np.float32, (t,))
        if t > 1 and (np.diff(self.time_s) <= 0).any():
            raise ValueError("Track.time_s must increase")

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def best(self) -> int:
        """Index of the face of highest quality; the first of equals."""
        return int(np.argmax(self.quality))


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Unit vectors of one model. Vectors of different models are never compared."""

    vectors: Floats  # (n, d), unit length
    model: str  # name + weights hash

    def __post_init__(self) -> None:
        check("Embeddings.vectors", self.vectors, np.float32, (None, None))
        if len(self.vectors) and not np.allclose(np.linalg.norm(self.vectors, axis=1), 1, atol=1e-3):
            raise ValueError("Embeddings.vectors must have unit length")

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Crop:
    """A face chip as it is stored, so that another model can look at it later without the footage."""

    jpeg: bytes
    xyxy: Floats  # (4,), px in the chip
    landmarks: Floats  # (5, 2)
    scale: float  # chip px per frame px
    quality: float  # of the face, 0..1

    def __post_init__(self) -> None:
        check("Crop.xyxy", self.xyxy, np.float32, (4,))
        check("Crop.landmarks", self.landmarks, np.float32, (5, 2))


@dataclass(frozen=True, eq=False)
class TrackAnalysis:
    """A track with what recognition needs of it.

    `exemplars` are the vectors of its best faces, best first; none for a track too poor to embed,
    which is then never clustered. `template` is their quality-weighted mean, (1, d) or (0, d).
    `pictures` are JPEG files of the kept faces, as (time_s, bytes), best first. `crops` are the faces
    of the exemplars, in their order; none where they are not to be kept.
    """

    track: Track
    exemplars: Embeddings
    template: Embeddings
    pictures: Sequence[tuple[float, bytes]]
    crops: Sequence[Crop] = ()

    def __post_init__(self) -> None:
        if self.exemplars.model != self.template.model or len(self.template) != min(len(self.exemplars), 1):
            raise ValueError("TrackAnalysis needs one template, of the exemplars' model, where it has exemplars")


@dataclass(frozen=True)
class FrameCounts:
    """How many frames were decoded, and why each was analysed or skipped: reason → number."""

    decoded: int
    reasons: dict[str, int]

    @classmethod
    def summed(cls, counts: Iterable[FrameCounts]) -> Self:
        """Those of several spans together."""
        decoded, reasons = 0, dict[str, int]()
        for count in counts:
            decoded += count.decoded
            for reason, number in count.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + number
        return cls(decoded, reasons)


@dataclass(frozen=True, eq=False)
class VideoAnalysis:
    """Everything that cvid saw in one video; knows nothing of where it will be stored."""

    info: VideoInfo
    tracks: Sequence[TrackAnalysis]
    counts: FrameCounts
    faces: int  # detections, also those that founded no track
    seconds: float  # computing time
    duration_s: float  # last presentation time seen, the truth where the container's word is missing
    damage: str  # "" of a sound file, else a fragment of a sentence: "damaged after 3.2 s of 10.0 s"


@dataclass(frozen=True, eq=False)
class TrackSet:
    """Tracks that have a vector, all of an archive or those that are sorted again: what a clusterer works on.

    `cannot` lists pairs of rows that are never one person (seen at one moment of one video, or a human said so).
    `founding` says who may found a person: 2 may alone, two of 1 may together, 0 may only join. `person` is a human's
    word: rows of one number are one person, rows of different numbers never are; of −1 nothing was said. `size` is
    how many tracks the whole archive holds, which the bar follows, and `others` are some of those that are not here,
    each of somebody else.
    """

    template: Floats  # (n, d), unit length
    exemplars: Floats  # (m, d), unit length
    owner: NDArray[np.int32]  # (m,), row of the track each exemplar belongs to, ascending
    quality: Floats  # (n,), of each track's best face
    founding: Bytes  # (n,), 0, 1 or 2
    cannot: NDArray[np.int32]  # (k, 2)
    person: NDArray[np.int32]  # (n,), −1 = free
    size: int
    others: Floats  # (c, d), unit length
    model: str

    def __post_init__(self) -> None:
        n, d = self.template.shape
        check("TrackSet.template", self.template, np.float32, (n, d))
        check("TrackSet.exemplars", self.exemplars, np.float32, (None, d))
        check("TrackSet.owner", self.owner, np.int32, (len(self.exemplars),))
        check("TrackSet.quality", self.quality, np.float32, (n,))
        check("TrackSet.founding", self.founding, np.uint8, (n,))
        check("TrackSet.cannot", self.cannot, np.int32, (None, 2))
        check("TrackSet.person", self.person, np.int32, (n,))
        check("TrackSet.others", self.others, np.float32, (None, d))

    def __len__(self) -> int:
        return len(self.template)

    def __getitem__(self, rows: Ints) -> Self:
        """Some of the tracks, rows int64 (k,) ascending, with the rules between them."""
        place: NDArray[np.int32] = np.full(len(self), -1, np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        cannot, owner = place[self.cannot], place[self.owner]
        return replace(
            self,
            template=self.template[rows],
            exemplars=self.exemplars[owner >= 0],
            owner=owner[owner >= 0],
            quality=self.quality[rows],
            founding=self.founding[rows],
            cannot=cannot[(cannot >= 0).all(axis=1)],
            person=self.person[rows],
        )


@dataclass(frozen=True, eq=False)
class Clusters:
    """One label a track: 0, 1, … in order of first appearance, −1 = unassigned."""

    labels: NDArray[np.int32]  # (n,)

    def __post_init__(self) -> None:
        check("Clusters.labels", self.labels, np.int32, (None,))

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.labels.max(initial=-1)) + 1

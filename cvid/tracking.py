"""Follow faces through one shot: two-stage association after ByteTrack (Zhang et al., ECCV 2022).

Faces with a high score are matched first, by where a Kalman filter expects them and by how they look; then the
faint ones, which can only extend a track. What is left of the high ones starts new tracks. A cut ends all tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cvid.align import arcface_crop
from cvid.assignment import cheapest
from cvid.chips import jpeg
from cvid.detectors.boxes import overlap
from cvid.kalman import BoxFilter
from cvid.opencv import cv2
from cvid.settings import FaceSettings, TrackingSettings
from cvid.types import FaceChip, Faces, Floats, Ints, Track

_LOOK_PX = 12
_REPEATED = 0.6
"""How much a face loses that repeats a better one; 0.3 gains less, 0.9 no more (docs/LOG.md)."""


@dataclass
class Sighting:
    """One face of a track: where, when, how good, and its picture while the track needs it."""

    time_s: float
    frame_index: int
    xyxy: Floats
    score: float
    quality: float
    chip: FaceChip | None
    picture: bytes = b""  # JPEG, where the pictures of all faces are kept
    vector: Floats | None = None  # once it is embedded


@dataclass
class OpenTrack:
    """A track that is still being followed."""

    number: int  # 1, 2, … in the order in which the tracks of a video began
    filter: BoxFilter
    look: Floats
    time_s: float
    expected: Floats
    sightings: list[Sighting] = field(default_factory=list)
    best: list[Sighting] = field(default_factory=list)  # those that still have their chip
    first_look: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.first_look = self.look

    def as_track(self) -> Track:
        """The parallel arrays of what was seen."""
        s = self.sightings
        return Track(
            np.array([x.time_s for x in s], np.float64),
            np.array([x.frame_index for x in s], np.int64),
            np.array([x.xyxy for x in s], np.float32).reshape(-1, 4),
            np.array([x.score for x in s], np.float32),
            np.array([x.quality for x in s], np.float32),
        )


class Tracker:
    """Follows the faces of one video; one tracker a video."""

    def __init__(self, settings: TrackingSettings, faces: FaceSettings) -> None:
        self.settings, self.faces = settings, faces
        self._open: list[OpenTrack] = []
        self._begun = 0

    def update(
        self, time_s: float, frame_index: int, faces: Faces, chips: Sequence[FaceChip], quality: Floats
    ) -> list[OpenTrack]:
        """Take in the faces of the next analysed frame; the tracks that ended by being unseen too long come back.

        Args:
            time_s: later than at the last call.
            faces: n faces, with `chips` and `quality` (n,) in the same order.
        """
        ended = [t for t in self._open if time_s - t.sightings[-1].time_s > self.settings.max_gap_s]
        self._open = [t for t in self._open if time_s - t.sightings[-1].time_s <= self.settings.max_gap_s]
        for track in self._open:
            track.expected = track.filter.predict(time_s - track.time_s)
            track.time_s = time_s
        looks = np.array([look_of(chip) for chip in chips], np.float32).reshape(len(faces), _LOOK_PX**2)
        high = np.flatnonzero(faces.score >= self.settings.high_score)
        low = np.flatnonzero(faces.score < self.settings.high_score)
        free = np.arange(len(self._open))
        left: list[Ints] = []
        for stage in (high, low):
            pairs = self._match(free, faces.xyxy[stage], looks[stage])
            for t, d in pairs:
                track, face = self._open[free[t]], int(stage[d])
                track.filter.correct(faces.xyxy[face])
                track.look = looks[face]
                self._add(track, time_s, frame_index, faces, chips, quality, face)
            free = np.delete(free, [t for t, _ in pairs])
            left.append(np.delete(stage, [d for _, d in pairs]))
        for d in left[0]:
            self._begun += 1
            self._open.append(OpenTrack(self._begun, BoxFilter(faces.xyxy[d]), looks[d], time_s, faces.xyxy[d]))
            self._add(self._open[-1], time_s, frame_index, faces, chips, quality, int(d))
        return ended

    def hold(self, time_s: float, frame_index: int) -> None:
        """Nothing has changed since the last update: whoever was seen then is where he was."""
        for track in self._open:
            last = track.sightings[-1]
            if last.time_s == track.time_s:
                track.sightings.append(replace(last, time_s=time_s, frame_index=frame_index, chip=None, picture=b""))
                track.filter.predict(time_s - track.time_s)
                track.filter.correct(last.xyxy)
                track.time_s = time_s

    def last_seen(self) -> Floats:
        """Where the tracks of the last analysed frame were, float32 (k, 4), px."""
        seen = [t.sightings[-1] for t in self._open if t.sightings[-1].time_s == t.time_s]
        return np.array([s.xyxy for s in seen], np.float32).reshape(-1, 4)

    def end_shot(self) -> list[OpenTrack]:
        """A cut, or the end of the video: all tracks end here."""
        ended, self._open = self._open, []
        return ended

    def visible(self) -> list[int]:
        """Numbers of the tracks that have a face in the frame of the last update."""
        return [t.number for t in self._open if t.sightings[-1].time_s == t.time_s]

    def _match(self, free: Ints, xyxy: Floats, looks: Floats) -> list[tuple[int, int]]:
        """Pairs (place in `free`, face) of the cheapest assignment among the allowed ones."""
        return associate([self._open[i] for i in free], xyxy, looks, self.settings)

    def _add(
        self,
        track: OpenTrack,
        time_s: float,
        frame_index: int,
        faces: Faces,
        chips: Sequence[FaceChip],
        quality: Floats,
        d: int,
    ) -> None:
        """Add a face; only the chips of the best faces stay in memory, however long the track."""
        new = Sighting(time_s, frame_index, faces.xyxy[d], float(faces.score[d]), float(quality[d]), chips[d])
        if self.faces.keep == "all":
            new.picture = jpeg(chips[d])
        track.sightings.append(new)
        track.best.append(new)
        thin_out(track.best, self.faces)


def associate(
    tracks: Sequence[OpenTrack], xyxy: Floats, looks: Floats, settings: TrackingSettings
) -> list[tuple[int, int]]:
    """Pairs (track, face) of the cheapest assignment (Hungarian), by place and look, among the allowed ones.

    Args:
        tracks: k tracks, each `expected` where it should be by now.
        xyxy: float32 (n, 4), px, and looks: float32 (n, 144), of the faces.
    """
    if not tracks or not len(xyxy):
        return []
    near = overlap(np.array([t.expected for t in tracks], np.float32), xyxy)
    alike = np.array([t.look for t in tracks], np.float32) @ looks.T
    moved = (near >= settings.min_overlap) & (alike >= settings.min_likeness)
    allowed = moved | ((near > 0.02) & (alike >= settings.sure_likeness))
    return cheapest(2 - near - alike, allowed)


def thin_out(best: list[Sighting], settings: FaceSettings) -> None:
    """Leave only as many of a track's best faces as are embedded; the others lose their chips."""
    while len(best) > settings.exemplars:
        worst = _least_useful(best, settings.apart_s)
        worst.chip = None
        best.remove(worst)


def _least_useful(best: Sequence[Sighting], apart_s: float) -> Sighting:
    """The face that is missed least: poor, or soon before or after a better one, which shows the same pose again."""

    def use(s: Sighting) -> tuple[float, float]:
        better = [o.time_s for o in best if (o.quality, -o.time_s) > (s.quality, -s.time_s)]
        gap_s = min((abs(s.time_s - time_s) for time_s in better), default=np.inf)
        crowded = float(np.exp(-gap_s / apart_s)) if apart_s else 0.0
        return s.quality * (1 - _REPEATED * crowded), -s.time_s

    return min(best, key=use)


def look_of(chip: FaceChip) -> Floats:
    """How a face looks, cheaply: its aligned luma on a coarse grid, float32 (144,), zero mean, unit length.

    The dot product of two is their normalised cross-correlation. Enough to tell neighbours in one shot apart;
    recognition is the embedder's work.
    """
    grey = cv2.cvtColor(arcface_crop(chip.bgr, chip.landmarks, 56), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_LOOK_PX, _LOOK_PX), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)

"""FrameSelector: which frames are worth a look, and why. The heart of the index.

Most frames of a video show what the frame before showed. The selector sees every frame, on a small luma picture
alone, and keeps a frame for analysis when

- `cut`     a new shot begins,
- `motion`  enough moved since the last analysed frame (not since the last frame: a slow pan would look still),
- `floor`   nothing moved, but the last look is long ago: people who sit still must be seen,
- `end`     the shot ends after it, and the last look is a while ago: until when somebody was there.

It skips a frame that is

- `dark`    too dark to show a face, though a dim one is kept,
- `soon`    hardly later than the last analysed one,
- `still`   without motion since the last analysed one, or hardly later than one that was.

Where a look is due and not even a small part of the picture has changed, there is none: whoever was there still is
(`Decision.hold`), and nobody has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from cvid.motion import MotionMeter
from cvid.opencv import cv2
from cvid.settings import SelectionSettings
from cvid.types import Bytes, Frame, FrameCounts

KEPT = ("cut", "motion", "floor", "end")
SKIPPED = ("dark", "soon", "still")

_POINTS = 2
"""Every pixel of the small picture is the mean of so many by so many points of the frame, whatever its size. All
points would cost ten times as much at 1080p; that changes no cut and no result (docs/LOG.md)."""
_PART_PX = 8
"""Side of the parts in which a picture is compared with the last analysed one: a twentieth of its width."""
_LEAST_LOOKS = 2
"""So many looks there are at what does not change: the mean of several is a better likeness."""
_SMALLEST_PX = 32
"""With less a side OpenCV's flow ends the process: its coarse pictures are then smaller than the 8 px it compares."""


@dataclass(frozen=True)
class Decision:
    """What the selector decided on one frame."""

    keep: bool
    reason: str  # one of KEPT or SKIPPED
    cut: bool  # a new shot begins here, whether or not the frame is kept
    flow: float  # motion since the last analysed frame, in picture widths; 0 where it was not needed
    luma: float  # brightness of the frame's brightest percent, 0..255
    hold: bool = False  # a skipped frame that would show what the last analysed one did: its faces are still there


@dataclass(frozen=True, eq=False)
class Edge:
    """The small picture that the selector saw last, and how much it differed from the one before."""

    small: Bytes
    change: float


class FrameSelector:
    """Decides frame by frame, in order. One selector a video."""

    def __init__(self, settings: SelectionSettings) -> None:
        self.settings = settings
        self.reasons: Counter[str] = Counter()
        self._motion = MotionMeter()
        self.first: Bytes | None = None  # the small picture of the first frame
        self.last: Edge | None = None  # of the last one
        self._still_s = -np.inf  # when nothing was found to have moved
        self._seen_s = -np.inf  # when it was looked at last, or nothing had changed when a look was due
        self._analysed: Bytes | None = None
        self._analysed_s = -np.inf
        self._looks = 0  # at what has not changed
        self._shot_is_new = True

    def select(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Decision]]:
        """Decide on every frame of a video, in order; each decision is counted when it is given out."""
        held: tuple[Frame, Decision] | None = None
        seen_s, same = -np.inf, False  # as of the held frame
        for frame in frames:
            before_s = self._seen_s
            decision, is_same = self._consider(frame)
            if held is not None:
                yield self._settled(held, seen_s, same, shot_ends=decision.cut)
            held, seen_s, same = (frame, decision), before_s, is_same
        if held is not None:
            yield self._settled(held, seen_s, same, shot_ends=True)

    def _settled(
        self, held: tuple[Frame, Decision], seen_s: float, same: bool, shot_ends: bool
    ) -> tuple[Frame, Decision]:
        """The held frame and its decision, which its successor may still change: a shot's last frame is kept."""
        frame, decision = held
        s = self.settings
        late = frame.time_s - seen_s >= s.min_gap_s
        if shot_ends and late and decision.reason in ("soon", "still") and not s.fixed_rate_hz:
            decision = replace(decision, hold=True) if same else replace(decision, keep=True, reason="end")
        self.reasons[decision.reason] += 1
        return frame, decision

    def _consider(self, frame: Frame) -> tuple[Decision, bool]:
        """What is decided on a frame, and whether it shows the same as the last analysed one."""
        s, time_s = self.settings, frame.time_s
        small = small_of(frame.luma, s.width_px)
        cut, change = is_cut(small, self.last, s)
        self.first = small if self.first is None else self.first
        self.last = Edge(small, change)
        self._shot_is_new |= cut
        luma = _brightest(small)
        alike = self._alike(small)
        same = alike and self._looks >= _LEAST_LOOKS and time_s - self._analysed_s < s.same_s - 1e-3
        keep, reason, flow = self._judge(time_s, small, luma, change, same)
        hold = same and reason == "still" and time_s - self._seen_s >= s.floor_s - 1e-3
        if keep:
            self._analysed, self._analysed_s, self._shot_is_new = small, time_s, False
            self._still_s = -np.inf
            self._looks = self._looks + 1 if alike else 1
        if keep or hold:
            self._seen_s = time_s
        return Decision(keep, reason, cut, flow, luma, hold), same

    def _alike(self, small: Bytes) -> bool:
        """Has no part of the picture changed since the last look?"""
        s = self.settings
        if self._analysed is None or self._shot_is_new or not s.flow:
            return False
        size = (max(small.shape[1] // _PART_PX, 1), max(small.shape[0] // _PART_PX, 1))
        now, then = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (small, self._analysed))
        return float(cv2.norm(now, then, cv2.NORM_INF)) <= s.same_change

    def counts(self) -> FrameCounts:
        """How many frames were seen so far, by reason."""
        return FrameCounts(sum(self.reasons.values()), {r: self.reasons[r] for r in KEPT + SKIPPED})

    def _judge(self, time_s: float, small: Bytes, luma: float, change: float, same: bool) -> tuple[bool, str, float]:
        s = self.settings
        since_s = time_s - self._analysed_s
        if s.fixed_rate_hz:
            due = since_s >= 1 / s.fixed_rate_hz - 1e-3
            return due, "floor" if due else "soon", 0.0
        if s.brightness and luma < s.dark_luma:
            return False, "dark", 0.0
        if self._shot_is_new or self._analysed is None:
            return True, "cut", 0.0
        if since_s < s.min_gap_s - 1e-3:
            return False, "soon", 0.0
        if not s.flow:
            return True, "floor", 0.0
        if same:
            return False, "still", 0.0
        lately = time_s - self._still_s < s.flow_gap_s - 1e-3 and change < s.cut_change
        if lately and since_s < s.floor_s - 1e-3:
            return False, "still", 0.0
        flow = self._motion.between(self._analysed, small)
        if flow >= s.motion:
            return True, "motion", flow
        if since_s >= s.floor_s - 1e-3:
            return True, "floor", flow
        self._still_s = time_s
        return False, "still", flow


def small_of(luma: Bytes, width_px: int) -> Bytes:
    """A small picture of a frame, uint8 (h, w), on which cuts and motion are judged."""
    height, width = luma.shape
    wide, high = width_px, min(max(round(height * width_px / width), _SMALLEST_PX), 4 * width_px)
    points = cv2.resize(luma, (_POINTS * wide, _POINTS * high), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(points, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)


def is_cut(small: Bytes, before: Edge | None, settings: SelectionSettings) -> tuple[bool, float]:
    """Does a new shot begin with this small picture, and how much does it differ from the one before?

    A cut changes much at once, leaves no likeness, and stands out from the motion before it.
    """
    if before is None or before.small.shape != small.shape:
        return True, 0.0
    change = float(cv2.norm(small, before.small, cv2.NORM_L1)) / small.size
    if change < settings.cut_change or change < settings.cut_rise * before.change:
        return False, change
    return _likeness(small, before.small) < settings.cut_likeness, change


def _likeness(a: Bytes, b: Bytes) -> float:
    """The correlation of two pictures, −1..1; a flat picture has no likeness to anything."""
    x, y = (picture.astype(np.float32).ravel() - picture.mean(dtype=np.float32) for picture in (a, b))
    length = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    return float(x @ y) / length if length else 0.0


def _brightest(small: Bytes) -> float:
    """Brightness that one percent of the picture reaches: what a lit face in the dark would have."""
    histogram = cv2.calcHist([small], [0], None, [64], [0, 256]).ravel()
    above = np.cumsum(histogram[::-1])
    return float(63 - int(np.searchsorted(above, small.size / 100))) * 4 + 2

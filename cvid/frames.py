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
- `still`   without motion since the last analysed one.
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


class FrameSelector:
    """Decides frame by frame, in order. One selector a video."""

    def __init__(self, settings: SelectionSettings) -> None:
        self.settings = settings
        self.reasons: Counter[str] = Counter()
        self._motion = MotionMeter()
        self._previous: Bytes | None = None
        self._change = 0.0  # how much the previous frame differed from its own predecessor
        self._analysed: Bytes | None = None
        self._analysed_s = -np.inf
        self._shot_is_new = True

    def select(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Decision]]:
        """Decide on every frame of a video, in order; each decision is counted when it is given out."""
        held: tuple[Frame, Decision] | None = None
        analysed_s = -np.inf  # as of the held frame
        for frame in frames:
            seen_s = self._analysed_s
            decision = self._consider(frame)
            if held is not None:
                yield self._settled(held, analysed_s, shot_ends=decision.cut)
            held, analysed_s = (frame, decision), seen_s
        if held is not None:
            yield self._settled(held, analysed_s, shot_ends=True)

    def _settled(self, held: tuple[Frame, Decision], analysed_s: float, shot_ends: bool) -> tuple[Frame, Decision]:
        """The held frame and its decision, which its successor may still change: a shot's last frame is kept."""
        frame, decision = held
        s = self.settings
        late = frame.time_s - analysed_s >= s.min_gap_s
        if shot_ends and late and decision.reason in ("soon", "still") and not s.fixed_rate_hz:
            decision = replace(decision, keep=True, reason="end")
        self.reasons[decision.reason] += 1
        return frame, decision

    def _consider(self, frame: Frame) -> Decision:
        small = self._small(frame)
        cut = self._is_cut(small)
        self._shot_is_new |= cut
        luma = _brightest(small)
        keep, reason, flow = self._judge(frame.time_s, small, luma)
        if keep:
            self._analysed, self._analysed_s, self._shot_is_new = small, frame.time_s, False
        return Decision(keep, reason, cut, flow, luma)

    def counts(self) -> FrameCounts:
        """How many frames were seen so far, by reason."""
        return FrameCounts(sum(self.reasons.values()), {r: self.reasons[r] for r in KEPT + SKIPPED})

    def _judge(self, time_s: float, small: Bytes, luma: float) -> tuple[bool, str, float]:
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
        flow = self._motion.between(self._analysed, small)
        if flow >= s.motion:
            return True, "motion", flow
        return since_s >= s.floor_s - 1e-3, "floor" if since_s >= s.floor_s - 1e-3 else "still", flow

    def _small(self, frame: Frame) -> Bytes:
        height, width = frame.luma.shape
        wide = self.settings.width_px
        high = min(max(round(height * wide / width), _SMALLEST_PX), 4 * wide)
        return np.asarray(cv2.resize(frame.luma, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)

    def _is_cut(self, small: Bytes) -> bool:
        """A cut changes much at once, leaves no likeness, and stands out from the motion before it."""
        before, self._previous = self._previous, small
        if before is None or before.shape != small.shape:
            return True
        s = self.settings
        change, change_before = float(cv2.norm(small, before, cv2.NORM_L1)) / small.size, self._change
        self._change = change
        if change < s.cut_change or change < s.cut_rise * change_before:
            return False
        return _likeness(small, before) < s.cut_likeness


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

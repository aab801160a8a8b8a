"""The spans in which a long video is looked through, from key frame to key frame, so that one film uses all cores."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cvid.types import VideoInfo

SPAN_S = 60.0
"""How long a span is where nobody says otherwise."""
_WHOLE_BELOW = 2.5
"""Videos of fewer spans stay whole."""


@dataclass(frozen=True)
class Span:
    """From the first key frame at or after `start_s` to the first one at or after `end_s`, seconds of the video's time.

    A span from 0 begins at the first frame, whatever it is; one without end reaches to the last.
    """

    start_s: float = 0.0
    end_s: float = math.inf

    @property
    def whole(self) -> bool:
        """Is this all of a video?"""
        return self == WHOLE


WHOLE = Span()


class IndivisibleError(Exception):
    """The timestamps of a file do not allow to look through it in spans; it must be done in one go."""


def spans_of(info: VideoInfo, span_s: float = SPAN_S) -> list[Span]:
    """The spans of a video, each about `span_s` seconds long, in order; one for a short one.

    They follow from the file alone, not from who looks through them.
    """
    if info.kind != "video" or info.duration_s < _WHOLE_BELOW * span_s:
        return [WHOLE]
    count = max(int(info.duration_s / span_s), 2)
    starts = [place * span_s for place in range(count)]
    return [Span(start, end) for start, end in zip(starts, [*starts[1:], math.inf], strict=True)]

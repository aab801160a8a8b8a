"""What is damaged in a file, gathered while it is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LACKING_MIN_S, _LACKING_MIN = 1.0, 0.1
"""How much a video must be shorter than its container says to count as damaged: both, in seconds and as a share."""


@dataclass
class Course:
    """How the decoding of a file goes, or of a span of it: where it is, and what was damaged on the way."""

    begun: bool = False
    time_s: float = 0.0  # of the last frame, from the start of the container
    end_s: float = 0.0  # until when the last frame is shown, by the container's own clock
    places: int = 0  # damaged ones, after the first frame: many a recording begins in the middle of a picture
    first_s: float = 0.0  # where the first of them lies
    stopped: bool = False
    stated_end_s: float = 0.0  # when the video ends by its container's own word and clock; 0 where it says nothing
    origin_s: float = 0.0  # where the container's clock begins
    _sound: bool = True

    def sound(self) -> None:
        """A good frame came."""
        self.begun = self._sound = True

    def hurt(self) -> None:
        """Something could not be decoded; all that follows up to the next good frame is the same place."""
        if self.begun and self._sound:
            self.places += 1
            self.first_s = self.first_s if self.places > 1 else self.time_s
        self._sound = False

    def damage(self) -> str:
        """What is damaged, as a fragment of a sentence; empty where nothing is."""
        lacking_s, stated_s = self.stated_end_s - self.end_s, self.stated_end_s - self.origin_s
        if lacking_s > max(_LACKING_MIN_S, _LACKING_MIN * stated_s):
            return f"damaged after {self.time_s:.1f} s of {stated_s:.1f} s"
        if self.stopped:
            return f"damaged after {self.time_s:.1f} s"
        if self.places:
            where = f"{self.places} places, the first " if self.places > 1 else ""
            return f"damaged {'in ' if where else ''}{where}at {self.first_s:.1f} s"
        return ""


def whole_course(courses: Sequence[Course]) -> Course:
    """The course of a file whose spans were decoded one by one, in order; at least one."""
    hurt = [course for course in courses if course.places]
    return Course(
        begun=any(course.begun for course in courses),
        time_s=max(course.time_s for course in courses),
        end_s=max(course.end_s for course in courses),
        places=sum(course.places for course in courses),
        first_s=hurt[0].first_s if hurt else 0.0,
        stopped=any(course.stopped for course in courses),
        stated_end_s=courses[0].stated_end_s,
        origin_s=courses[0].origin_s,
    )

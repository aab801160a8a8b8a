"""What the pages say: how people and footage are called, and how sure a guess is, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from archive.names import slug
from archive.overview import Source
from archive.records import Appearance, Glance
from reports.names import printable
from reports.wording import clock, count

NEAR_MARGIN = 0.05
"""Below this margin somebody else is called nearly as similar, as `cvid.clustering.certainty` does."""


@dataclass(frozen=True)
class Level:
    """A degree of certainty: its word in the catalogue, its class in the style sheet, a sign, and what it means."""

    word: str
    style: str
    sign: str
    label: str
    meaning: str


LEVELS = (
    Level("confirmed", "confirmed", "✓", "confirmed", "a human said so"),
    Level(
        "confident",
        "confident",
        "●",
        "confident",
        "strangers are hardly ever as alike, or appearances in two other videos speak for it",
    ),
    Level("doubtful", "doubtful", "?", "doubtful", "alike enough to be put there, but little else speaks for it"),
    Level("", "alone", "○", "alone", "the person's only appearance: there is nothing to compare it with"),
)
LEVEL_OF = {level.word: level for level in LEVELS}


@dataclass(frozen=True)
class Who:
    """How a person is called; `file` is a part of paths and holds nothing but letters, digits and dashes."""

    id: str
    name: str
    file: str

    @property
    def called(self) -> str:
        """The name, or else the id."""
        return self.name or self.id

    @property
    def page(self) -> str:
        """Their first page, from the folder of the report."""
        return f"people/{self.file}.html"


def who_is(person: Glance) -> Who:
    """How one of the people is called."""
    return Who(printable(person.id), printable(person.name), slug(person.id, "person"))


def source_names(sources: Sequence[Source]) -> list[str]:
    """How each video or picture is called: by its path, with its folder of footage where another has the same."""
    plain = [printable(source.path) for source in sources]
    often = Counter(plain)
    rooted = [
        f"{name} ({printable(PurePosixPath(source.root).name) or 'root'})" if often[name] > 1 else name
        for name, source in zip(plain, sources, strict=True)
    ]
    seen: Counter[str] = Counter()
    names = []
    for name in rooted:
        seen[name] += 1
        names.append(f"{name} [{seen[name]}]" if seen[name] > 1 else name)
    return names


def ending(name: str, most: int = 22) -> str:
    """The end of a path that is too long, which tells more than its beginning."""
    return name if len(name) <= most else "…" + name[1 - most :]


def between(start_s: float, end_s: float) -> str:
    """A stretch of a video: `0:07–0:09`, or one moment."""
    start, end = clock(start_s), clock(end_s)
    return start if start == end else f"{start}–{end}"


def figure(value: float | None) -> str:
    """A similarity or margin; a dash where there is nothing to compare with."""
    return "–" if value is None or value != value else f"{value:.2f}".replace("-", "−")


def why(seen: Appearance) -> str:
    """What speaks for an appearance's being this person's, or against it."""
    if seen.reason:
        return printable(seen.reason)
    if seen.certainty in ("confirmed", ""):
        return LEVEL_OF[seen.certainty].meaning
    supported = f"{count(seen.support, 'other appearance')} {'speaks' if seen.support == 1 else 'speak'} for it"
    if seen.margin is None or seen.margin >= NEAR_MARGIN:
        return supported
    rival = "somebody else is more alike" if seen.margin < 0 else "somebody else is nearly as alike"
    return f"{rival}; {supported}"

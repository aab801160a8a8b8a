"""What is said of an annotated video when it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from archive.names import as_text
from reports.annotating.annotate import Cast, Outcome
from reports.annotating.scene import Wish
from reports.names import printable
from reports.wording import count, span

_NAMED_MOST = 5


def summary(outcome: Outcome, wish: Wish, cast: Cast, output: Path, lies_in: Sequence[str] = ()) -> Iterator[str]:
    """Lines for a reader; `lies_in` are the folders of footage that the output lies in."""
    people = {trail.identity for trail in outcome.drawn if trail.identity}
    speed = outcome.duration_s / outcome.seconds if outcome.seconds else 0.0
    yield (
        f"{printable(str(output))}: {span(outcome.duration_s)}, {count(outcome.frames, 'frame')}, "
        f"{count(len(people), 'person', 'people')} in {count(len(outcome.drawn), 'appearance')}, {speed:.1f}× real time"
    )
    if outcome.damage:
        yield f"the video is {outcome.damage}; what can be read of it was written"
    unseen = sorted(wish.only - {trail.identity for trail in cast.trails})
    if unseen:
        yield f"not seen in it: {', '.join(unseen)}"
    if "left out" in outcome.sound:
        yield "sound that nothing here can decode was left out"
    if lies_in:
        yield f"it lies among footage, in {printable(lies_in[0])}: the next index would take it for footage"
    if outcome.replaced:
        yield (
            f"no font here has all letters of the names of {_listed(outcome.replaced)}; ids stand for them "
            "(--font FILE takes another font)"
        )
    if outcome.left_out:
        yield f"the timeline has no room for {count(outcome.left_out, 'person', 'people')} seen least"
    if wish.blur:
        more = f", and {count(outcome.found, 'sighting')} that a second look found beside them" if outcome.found else ""
        yield f"covered: {count(outcome.covered, 'appearance')}{more}"
        doubtful = sum(1 for trail in cast.trails if wish.covers(trail) and wish.blur != "all" and wish.spares(trail))
        if doubtful:
            yield f"{doubtful:,} of them may be people who were to be seen, but doubtfully; `confirm` settles it"
        yield (
            "Faces that were not detected are not covered, and voices are as they were: look at the whole result "
            "before you publish it."
        )


def as_json(outcome: Outcome, wish: Wish) -> dict[str, Any]:
    """The fields of `annotate --json`."""
    people: dict[str, dict[str, Any]] = {}
    for trail in outcome.drawn:
        if trail.identity:
            entry = people.setdefault(trail.identity, {"id": trail.identity, "name": trail.name, "appearances": 0})
            entry["appearances"] += 1
    return {
        "blur": wish.blur or None,
        "frames": outcome.frames,
        "video_seconds": round(outcome.duration_s, 3),
        "seconds": round(outcome.seconds, 3),
        "people": [people[identity] for identity in sorted(people, key=lambda i: (len(i), i))],
        "drawn": len(outcome.drawn),
        "covered": outcome.covered,
        "found_at_second_look": outcome.found,
        "sound": outcome.sound,
        "damage": as_text(outcome.damage),
    }


def _listed(identities: list[str]) -> str:
    more = len(identities) - _NAMED_MOST
    return ", ".join(identities[:_NAMED_MOST]) + (f" and {more} more" if more > 0 else "")

"""Places in footage that decisions speak of: (sha256, time, box) of a face, whatever tracks come and go."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection, Row, select

from archive.packing import unpack_track
from archive.schema import tracks, trails
from cvid.detectors.boxes import overlap
from cvid.types import Floats, Track

SAME_PLACE = 0.3
"""Two boxes of one moment that overlap by this much (intersection over union) are one face: detectors agree better."""
SLACK_S = 0.5
"""How far beyond its first and last face a track still counts as there: half a look at the floor's rate."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 500
_LARGEST = 1e9

Box = tuple[float, float, float, float]


@dataclass(frozen=True, order=True)
class Anchor:
    """A face in footage: the time in s, the box as x1, y1, x2, y2 in px of the upright frame."""

    sha256: str
    time_s: float
    xyxy: Box

    def as_json(self) -> dict[str, Any]:
        """As it is written in the journal and in exports."""
        return {"sha256": self.sha256, "time_s": self.time_s, "xyxy": list(self.xyxy)}

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Read what a stranger may have written.

        Raises:
            ValueError: a field is missing, of another type or out of range; the message names it.
        """
        if not isinstance(content, dict) or set(content) != {"sha256", "time_s", "xyxy"}:
            raise ValueError("an appearance needs the fields sha256, time_s and xyxy, and no others")
        sha256, box = content["sha256"], content["xyxy"]
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise ValueError("sha256 must be 64 hexadecimal digits")
        if not isinstance(box, list) or len(box) != 4:
            raise ValueError("xyxy must be four numbers")
        x1, y1, x2, y2 = (_number("xyxy", edge) for edge in box)
        if x1 >= x2 or y1 >= y2:
            raise ValueError("xyxy must be a box with x1 < x2 and y1 < y2")
        return cls(sha256, _number("time_s", content["time_s"]), (x1, y1, x2, y2))


def anchors_of(connection: Connection, track_ids: Collection[str]) -> dict[str, Anchor]:
    """Track → the place of its best face; without tracks that are not there."""
    found = {}
    for some in _parts(sorted(track_ids)):
        for row in connection.execute(select(tracks).where(tracks.c.id.in_(some))):
            found[row.id] = _anchor(row)
    return found


def resolve(connection: Connection, anchors: Iterable[Anchor]) -> dict[Anchor, str]:
    """Anchor → the track that is there now; without those where nobody is seen.

    The track whose best face it is, else the one whose box at that time overlaps most. No track is two of the anchors
    of one moment.
    """
    wanted = defaultdict(list)
    for anchor in sorted(set(anchors)):
        wanted[anchor.sha256].append(anchor)
    found: dict[Anchor, str] = {}
    for some in _parts(list(wanted)):
        rows = connection.execute(select(tracks).where(tracks.c.sha256.in_(some)).order_by(tracks.c.id)).all()
        exact = {_anchor(row): row.id for row in reversed(rows)}
        found |= {anchor: exact[anchor] for sha256 in some for anchor in wanted[sha256] if anchor in exact}
        left = [anchor for sha256 in some for anchor in wanted[sha256] if anchor not in exact]
        if left:
            found |= _nearest(connection, left, rows, found)
    return found


def box_at(track: Track, time_s: float) -> Floats:
    """Where the face is at a time, float32 (1, 4), px; between two looks it goes straight, beyond the ends it stays."""
    return np.array([[np.interp(time_s, track.time_s, track.xyxy[:, edge]) for edge in range(4)]], np.float32)


def overlap_at(track: Track, time_s: float, xyxy: Sequence[float]) -> float:
    """Intersection over union of a track's box at a time with another box; 0 where the track is not seen then."""
    if not track.time_s[0] - SLACK_S <= time_s <= track.time_s[-1] + SLACK_S:
        return 0.0
    return overlap_of(box_at(track, time_s)[0], xyxy)


def overlap_of(one: Sequence[float] | Floats, other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    return float(overlap(np.array([one], np.float32), np.array([other], np.float32))[0, 0])


def _nearest(
    connection: Connection, left: Sequence[Anchor], rows: Sequence[Row[Any]], found: dict[Anchor, str]
) -> dict[Anchor, str]:
    """The tracks whose boxes overlap most; where several anchors of a moment want one, the best of them has it."""
    near = {anchor: [row.id for row in rows if _is_near(row, anchor)] for anchor in left}
    trail = _trails(connection, {track_id for ids in near.values() for track_id in ids})
    pairs = sorted(
        (-overlap_at(trail[track_id], anchor.time_s, anchor.xyxy), anchor, track_id)
        for anchor, ids in near.items()
        for track_id in ids
    )
    taken = {(anchor.sha256, anchor.time_s, track_id) for anchor, track_id in found.items()}
    chosen: dict[Anchor, str] = {}
    for worse, anchor, track_id in pairs:
        place = (anchor.sha256, anchor.time_s, track_id)
        if -worse >= SAME_PLACE and anchor not in chosen and place not in taken:
            chosen[anchor] = track_id
            taken.add(place)
    return chosen


def _is_near(row: Row[Any], anchor: Anchor) -> bool:
    return bool(row.sha256 == anchor.sha256 and row.start_s - SLACK_S <= anchor.time_s <= row.end_s + SLACK_S)


def _trails(connection: Connection, track_ids: Collection[str]) -> dict[str, Track]:
    found = {}
    for some in _parts(sorted(track_ids)):
        for row in connection.execute(select(trails).where(trails.c.track_id.in_(some))):
            found[row.track_id] = unpack_track(row.data)
    return found


def _anchor(row: Row[Any]) -> Anchor:
    return Anchor(row.sha256, row.best_s, (row.x1, row.y1, row.x2, row.y2))


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _number(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{field} must be a number")
    if abs(value) > _LARGEST or not math.isfinite(value):
        raise ValueError(f"{field} is out of range")
    return float(value)

"""Where those were seen who were forgotten: times and boxes without a face, so that nobody finds them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from archive.decisions.anchors import SAME_PLACE, SLACK_S, Anchor, box_at, overlap_at, overlap_of
from archive.schema import forgotten
from cvid.types import Track, TrackAnalysis

_EVERY_S = 0.5
"""How far apart the places of one appearance are kept: another look may find only a part of it."""


def keep_away(connection: Connection, seen: Iterable[tuple[str, Track]], elsewhere: Iterable[Anchor]) -> None:
    """Note where somebody was seen, (sha256, track), and where decisions say so without a track."""
    rows = [row for sha256, track in seen for row in _places(sha256, track)]
    rows += [_row(anchor.sha256, anchor.time_s, anchor.time_s, anchor.time_s, anchor.xyxy) for anchor in elsewhere]
    if rows:
        connection.execute(insert(forgotten), rows)


def without_forgotten(connection: Connection, sha256: str, found: Sequence[TrackAnalysis]) -> list[TrackAnalysis]:
    """The tracks of a video but those of somebody who was forgotten."""
    places = connection.execute(select(forgotten).where(forgotten.c.sha256 == sha256)).all()
    return [one for one in found if not any(_is_at(one.track, place) for place in places)]


def forgotten_among(connection: Connection, anchors: Collection[Anchor]) -> set[Anchor]:
    """Those places at which somebody was seen who was forgotten."""
    if not connection.execute(select(forgotten.c.id).limit(1)).first():
        return set()
    wanted = defaultdict(list)
    for anchor in anchors:
        wanted[anchor.sha256].append(anchor)
    found = set()
    for sha256, own in wanted.items():
        for place in connection.execute(select(forgotten).where(forgotten.c.sha256 == sha256)).all():
            found |= {anchor for anchor in own if _is_near(anchor, place)}
    return found


def _places(sha256: str, track: Track) -> list[dict[str, Any]]:
    """One place for every half second of a track."""
    start_s, end_s = float(track.time_s[0]), float(track.time_s[-1])
    edges = np.linspace(start_s, end_s, max(int(np.ceil((end_s - start_s) / _EVERY_S)), 1) + 1)
    rows = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        middle = (low + high) / 2
        rows.append(_row(sha256, low, high, middle, box_at(track, middle)[0].tolist()))
    return rows


def _row(sha256: str, start_s: float, end_s: float, time_s: float, xyxy: Sequence[float]) -> dict[str, Any]:
    edges = dict(zip(("x1", "y1", "x2", "y2"), xyxy, strict=True))
    return {"sha256": sha256, "start_s": start_s, "end_s": end_s, "time_s": time_s} | edges


def _is_at(track: Track, place: Any) -> bool:
    """Is this the face that was seen there?"""
    return overlap_at(track, place.time_s, (place.x1, place.y1, place.x2, place.y2)) >= SAME_PLACE


def _is_near(anchor: Anchor, place: Any) -> bool:
    """Is the anchor a face in that place's own half second?"""
    if not place.start_s - SLACK_S <= anchor.time_s <= place.end_s + SLACK_S:
        return False
    return overlap_of(anchor.xyxy, (place.x1, place.y1, place.x2, place.y2)) >= SAME_PLACE

"""Write one video's analysis, wholly or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from archive.forgetting.places import without_forgotten
from archive.packing import pack_points, pack_track, pack_vectors
from archive.schema import crops, files, pictures, tracks, trails, vectors, videos
from archive.sources import drop_replaced
from cvid.types import Crop, Embeddings, TrackAnalysis, VideoAnalysis

_ID_DIGITS = 12
_LONGER_ID_DIGITS = 20


def save_video(connection: Connection, run_id: int, analysis: VideoAnalysis, speed: str) -> None:
    """Store a video with its tracks, but for those of somebody forgotten, in place of what was known of it before."""
    sha256 = analysis.info.sha256
    connection.execute(delete(videos).where(videos.c.sha256 == sha256))
    connection.execute(insert(videos).values(_video(run_id, analysis) | {"speed": speed}))
    kept = without_forgotten(connection, sha256, analysis.tracks)
    pairs = list(zip(_free_ids(connection, sha256, kept), kept, strict=True))
    _insert(connection, tracks, [_track(i, sha256, t) for i, t in pairs])
    _insert(connection, trails, [{"track_id": i, "data": pack_track(t.track)} for i, t in pairs])
    _insert(connection, vectors, [vector_row(i, t.exemplars, t.template) for i, t in pairs if len(t.template)])
    _insert(connection, crops, [row for i, t in pairs for row in crop_rows(i, t.crops)])
    _insert(connection, pictures, [row for i, t in pairs for row in _pictures(i, t)])
    connection.execute(update(files).where(files.c.sha256 == sha256).values(reason=""))
    drop_replaced(connection, sha256)


def damage_reason(damage: str) -> str:
    """How a video that was not read to its end is told among the failures; empty for a whole one."""
    return f"{damage}; indexed as far as it can be read" if damage else ""


def appearance_id(sha256: str, analysis: TrackAnalysis, digits: int = _ID_DIGITS) -> str:
    """The id of a track: the same whenever its video is indexed, from content, time and box of its best face."""
    time_s, box = _anchor(analysis)
    text = f"{sha256} {time_s:.3f} " + " ".join(f"{edge:.1f}" for edge in box)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _free_ids(connection: Connection, sha256: str, analyses: Sequence[TrackAnalysis]) -> list[str]:
    """Appearance ids; longer where one is taken, which chance makes happen once in thousands of large archives."""
    ids = [appearance_id(sha256, analysis) for analysis in analyses]
    taken: set[str] = set()
    for start in range(0, len(ids), 500):
        taken |= set(connection.execute(select(tracks.c.id).where(tracks.c.id.in_(ids[start : start + 500]))).scalars())
    taken |= {i for i in ids if ids.count(i) > 1} if len(set(ids)) < len(ids) else set()
    return [
        appearance_id(f"{sha256} {place}", analysis, _LONGER_ID_DIGITS) if short in taken else short
        for place, (short, analysis) in enumerate(zip(ids, analyses, strict=True))
    ]


def _video(run_id: int, analysis: VideoAnalysis) -> dict[str, Any]:
    info = analysis.info
    return {
        "sha256": info.sha256,
        "run_id": run_id,
        "kind": info.kind,
        "width": info.width,
        "height": info.height,
        "duration_s": analysis.duration_s,
        "rate_numerator": info.rate.numerator,
        "rate_denominator": info.rate.denominator,
        "codec": info.codec,
        "rotation_deg": info.rotation_deg,
        "decoded": analysis.counts.decoded,
        "reasons": analysis.counts.reasons,
        "faces": analysis.faces,
        "seconds": analysis.seconds,
        "damage": damage_reason(analysis.damage),
    }


def _track(track_id: str, sha256: str, analysis: TrackAnalysis) -> dict[str, Any]:
    track = analysis.track
    best_s, (x1, y1, x2, y2) = _anchor(analysis)
    return {
        "id": track_id,
        "sha256": sha256,
        "start_s": float(track.time_s[0]),
        "end_s": float(track.time_s[-1]),
        "best_s": best_s,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "faces": len(track),
        "quality": float(track.quality[track.best]),
    }


def vector_row(track_id: str, exemplars: Embeddings, template: Embeddings) -> dict[str, Any]:
    """A row of `vectors`."""
    return {
        "track_id": track_id,
        "model": template.model,
        "count": len(exemplars),
        "template": pack_vectors(template.vectors[0]),
        "exemplars": pack_vectors(exemplars.vectors),
    }


def crop_rows(track_id: str, kept: Sequence[Crop]) -> list[dict[str, Any]]:
    """Rows of `crops`."""
    return [
        {
            "track_id": track_id,
            "rank": rank,
            "points": pack_points(crop),
            "scale": crop.scale,
            "quality": crop.quality,
            "jpeg": crop.jpeg,
        }
        for rank, crop in enumerate(kept)
    ]


def _pictures(track_id: str, analysis: TrackAnalysis) -> list[dict[str, Any]]:
    return [
        {
            "track_id": track_id,
            "rank": rank,
            "time_s": time_s,
            "digest": hashlib.sha256(jpeg).hexdigest()[:_ID_DIGITS],
            "jpeg": jpeg,
        }
        for rank, (time_s, jpeg) in enumerate(analysis.pictures)
    ]


def _anchor(analysis: TrackAnalysis) -> tuple[float, tuple[float, ...]]:
    """Time and box of the best face: what an appearance is known by."""
    track = analysis.track
    return float(track.time_s[track.best]), tuple(float(edge) for edge in track.xyxy[track.best])


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)

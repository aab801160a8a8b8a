"""Who may found a person: a higher bar than to join one, so that a poor face never becomes somebody."""

from __future__ import annotations

from cvid.settings import ClusteringSettings


def may_found(duration_s: float, kind: str, quality: float, settings: ClusteringSettings) -> bool:
    """May a track found a person?

    Args:
        duration_s: how long the face was followed; a still ("picture") has no duration and needs none.
        kind: "video" or "picture".
        quality: 0..1, of its best face.
        settings: `found_s` and `found_quality`.
    """
    return quality >= settings.found_quality and (kind == "picture" or duration_s >= settings.found_s - 1e-3)

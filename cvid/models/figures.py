"""What was measured of each model here, for docs/models.md; docs/LOG.md has the commands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What a model achieves; None: not measured."""

    tar: float | None = None  # share of pairs of one person accepted on LFW, where one pair of strangers in 1,000 is
    ms: float | None = None  # on one core: a face (embedders), or a frame of 640 px (detectors)


FIGURES: dict[str, Figure] = {
    "scrfd_500m": Figure(ms=13.8),
    "scrfd_2.5g": Figure(ms=54.6),
    "retinaface_mnet": Figure(ms=15.9),
    "mtcnn": Figure(ms=47.8),
    "mobilefacenet": Figure(tar=0.992, ms=11.1),
    "dlib_resnet": Figure(tar=0.878, ms=10.5),
}

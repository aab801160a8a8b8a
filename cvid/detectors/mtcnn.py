"""MTCNN (Zhang et al. 2016): a cascade of three small networks over a pyramid of pictures.

P-Net sweeps the pyramid for anything like a face, R-Net refutes most of it, O-Net confirms, fits the box and sets
the five points. Its weights come inside a Python package, so it needs no download.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np

from cvid.detectors.mtcnn_graphs import load_arrays, output_net, proposal_net, refine_net, weight_files, weights_hash
from cvid.errors import ModelError
from cvid.opencv import cv2
from cvid.sessions import Session, open_session, run_float, running_on
from cvid.types import Bytes, Faces, Floats

_CELL, _STRIDE = 12, 2  # P-Net judges squares of 12 px, one every 2 px
_GREY = (128, 128, 128)  # beyond the picture's edge: zero to the networks


@dataclass(frozen=True)
class MtcnnNets:
    """The three networks, ready to run."""

    proposal: Session
    refine: Session
    output: Session
    weights: str


def open_nets(files: dict[str, Path] | None = None, device: str = "auto") -> MtcnnNets:
    """Build the three graphs from the installed `mtcnn` package, or from `files` of the same kind.

    Raises:
        MissingDependency: the package is not installed.
        ModelError: its files are not the arrays that are expected.
    """
    files = files or weight_files()
    try:
        graphs = [
            build(load_arrays(files[name]))
            for name, build in (("pnet", proposal_net), ("rnet", refine_net), ("onet", output_net))
        ]
    except (ValueError, IndexError, KeyError, EOFError, ImportError, RuntimeError, UnpicklingError) as exc:
        raise ModelError(
            f"{files['pnet'].parent}: not the weights of MTCNN ({exc}); reinstall the package mtcnn"
        ) from exc
    proposal, refine, output = (open_session(graph, device=device) for graph in graphs)
    return MtcnnNets(proposal, refine, output, weights_hash(files))


class MtcnnDetector:
    """MTCNN behind the `Detector` protocol.

    Args:
        nets: the networks; opened from the installed package when left out.
        reach: the smallest face that is searched, as a share of the longer side: 1/28 is 34 px of 960. The cost grows
            with the square of its inverse: 20 ms a frame of 960×540 on one core, 37 ms at 1/48.
        min_face_px: and no smaller than this; R-Net works on 24 px.
        step: ratio of neighbouring pyramid levels. 0.6 finds all of 841 faces in 450 frames, at 20 ms; 0.709 all
            but 2 at 25 ms; 0.5 takes 10 ms, but loses 15 % of faces below 90 px.
        work_px: a larger picture is first shrunk to this longer side; the points do not get better beyond.
        thresholds: the scores that survive P-, R- and O-Net.
        device: where it runs, see `cvid.sessions.open_session`.
    """

    name = "mtcnn"

    def __init__(
        self,
        nets: MtcnnNets | None = None,
        *,
        reach: float = 1 / 28,
        min_face_px: float = 20.0,
        step: float = 0.6,
        work_px: int = 1280,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8),
        device: str = "auto",
    ) -> None:
        self._nets = nets or open_nets(device=device)
        self._reach, self._min_face_px, self._step, self._work_px = reach, min_face_px, step, work_px
        self._thresholds = thresholds
        self.weights = self._nets.weights
        self.providers = running_on([self._nets.proposal, self._nets.refine, self._nets.output])

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """All faces of an upright picture, best score first; see `Detector`."""
        sweep = _CELL / max(self._min_face_px, self._reach * max(bgr.shape[:2]))
        levels = self._pyramid(bgr, sweep)
        boxes = self._propose([level for level in levels if level[0] <= sweep * 1.001])
        boxes = self._refine(levels, boxes)
        return self._confirm(levels, boxes)

    def _pyramid(self, bgr: Bytes, sweep: float) -> list[tuple[float, Bytes]]:
        """(scale, picture): the working size, then steps that hit `sweep`, as long as a P-Net cell fits in."""
        height, width = bgr.shape[:2]
        work = min(1.0, self._work_px / max(height, width))
        scale = sweep * self._step ** np.ceil(np.log(sweep / work) / np.log(1 / self._step))
        scales = [work]
        while min(height, width) * scale >= _CELL:
            if scale < work * 0.99:
                scales.append(scale)
            scale *= self._step
        levels, picture = [], bgr
        for scale in scales:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            if size != (picture.shape[1], picture.shape[0]):
                picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            levels.append((scale, picture))
        return levels

    def _propose(self, levels: list[tuple[float, Bytes]]) -> Floats:
        """P-Net on some levels: squares, float32 (n, 4), px of the full picture."""
        found, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        for scale, picture in levels:
            if min(picture.shape[:2]) < _CELL:
                continue
            offsets, face = run_float(self._nets.proposal, {"bgr": picture[None]})
            row, column = np.nonzero(face[0, 1] > self._thresholds[0])
            corner = np.stack([column, row, column, row], 1) * _STRIDE + np.array([0, 0, _CELL, _CELL])
            boxes = ((corner + offsets[0][:, row, column].T * _CELL) / scale).astype(np.float32)
            score = face[0, 1, row, column]
            keep = suppress(boxes, score, 0.5)
            found.append(boxes[keep])
            scores.append(score[keep])
        boxes, score = np.concatenate(found), np.concatenate(scores)
        return squares(boxes[suppress(boxes, score, 0.7)])

    def _refine(self, levels: list[tuple[float, Bytes]], boxes: Floats) -> Floats:
        """R-Net: the squares that survive, moved onto the face."""
        if not len(boxes):
            return boxes
        offsets, face = run_float(self._nets.refine, {"bgr": patches(levels, boxes, 24)})
        score = face[:, 1]
        sure = score > self._thresholds[1]
        boxes, score = _shifted(boxes, offsets)[sure], score[sure]
        return squares(boxes[suppress(boxes, score, 0.7)])

    def _confirm(self, levels: list[tuple[float, Bytes]], boxes: Floats) -> Faces:
        """O-Net: the faces, with their points."""
        if not len(boxes):
            return Faces.empty()
        offsets, points, face = run_float(self._nets.output, {"bgr": patches(levels, boxes, 48)})
        score = face[:, 1]
        side = boxes[:, 2:] - boxes[:, :2]
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None] + boxes[:, None, :2]
        moved = _shifted(boxes, offsets)
        sure = np.flatnonzero(score > self._thresholds[2])
        keep = sure[suppress(moved[sure], score[sure], 0.7, of_smaller=True)]
        return Faces(
            moved[keep], np.clip(score[keep], 0, 1), landmarks[keep].astype(np.float32), np.ones(len(keep), np.uint8)
        )


def patches(levels: list[tuple[float, Bytes]], boxes: Floats, size: int) -> Bytes:
    """Cut the squares out, each from the coarsest level that still shows it in full detail.

    Args:
        levels: (scale, picture), finest first.
        boxes: float32 (n, 4), px of the full picture; may reach over its edge, which is filled with grey.
        size: side of a patch, px.

    Returns:
        uint8 (n, size, size, 3).
    """
    cut = np.empty((len(boxes), size, size, 3), np.uint8)
    scales = np.array([scale for scale, _ in levels])
    for row, (x1, y1, x2, y2) in enumerate(boxes):
        detailed = int((scales * (x2 - x1) >= size).sum())
        scale, picture = levels[max(detailed - 1, 0)]
        across, down = (x2 - x1) * scale / size, (y2 - y1) * scale / size
        # Pixel centres: patch pixel i shows what lies (i + ½) / size across the square.
        matrix = np.array([[across, 0, x1 * scale + across / 2 - 0.5], [0, down, y1 * scale + down / 2 - 0.5]])
        cut[row] = cv2.warpAffine(
            picture, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=_GREY
        )
    return cut


def suppress(
    boxes: Floats, score: Floats, overlap: float, of_smaller: bool = False
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Non-maximum suppression.

    Args:
        boxes: float32 (n, 4), px.
        score: float32 (n,).
        overlap: a box that shares more than this with a better one goes.
        of_smaller: measure the share of the smaller box instead of the union: a box inside another goes too.

    Returns:
        The rows that stay, best first.
    """
    order = np.argsort(-score, kind="stable")
    x1, y1, x2, y2 = boxes[order].T
    area = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    wide = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
    high = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    whole = np.minimum(area[:, None], area) if of_smaller else area[:, None] + area - shared
    clash = shared > overlap * whole
    alive = np.ones(len(order), bool)
    for row in range(len(order)):
        if alive[row]:
            alive[row + 1 :] &= ~clash[row, row + 1 :]
    return order[alive]


def squares(boxes: Floats) -> Floats:
    """Each box grown to a square about its centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.hstack([centre - half, centre + half]).astype(np.float32)


def _shifted(boxes: Floats, offsets: Floats) -> Floats:
    """The boxes moved by offsets that count in their own width and height."""
    side = boxes[:, 2:] - boxes[:, :2]
    return (boxes + offsets * np.hstack([side, side])).astype(np.float32)

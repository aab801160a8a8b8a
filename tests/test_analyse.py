"""From a file to its tracks, with painted faces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import BLUE, GREEN, LEFT, MIDDLE, RED, RIGHT, Shot, film, painted_settings, photograph, unit, write_video
from fakes import ColourEmbedder, SquareDetector, open_fakes

from cvid.analyse import Parts, Progress, analyse
from cvid.errors import VideoError
from cvid.explain import explain
from cvid.types import Bytes, Embeddings, FaceChip, Faces, Floats, VideoAnalysis


def colours_of(seen: VideoAnalysis) -> list[list[int]]:
    """BGR signs of each track's template: 1 where the face had much of it."""
    return [(t.template.vectors[0] > 0).astype(int).tolist() for t in seen.tracks]


def run(path: Path, **changes: object) -> VideoAnalysis:
    return analyse(path, "abc", open_fakes(), painted_settings(**changes))


def test_who_is_seen_when_and_where(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [Shot(2, {RED: LEFT, GREEN: RIGHT}), Shot(2, {BLUE: MIDDLE})])
    seen = run(path)
    assert colours_of(seen) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]], "by time, then from left to right"
    assert [(t.track.time_s[0], t.track.time_s[-1]) for t in seen.tracks] == [(0, 1.9), (0, 1.9), (2, 3.9)]
    assert seen.tracks[0].track.xyxy[0] == pytest.approx([10, 30, 54, 74], abs=3)
    assert seen.tracks[0].track.xyxy[-1] == pytest.approx([14, 30, 58, 74], abs=3), "it drifts to the right"
    assert seen.faces == sum(len(t.track) for t in seen.tracks)
    assert (seen.counts.decoded, seen.duration_s, seen.damage) == (40, 3.9, "")
    assert (seen.info.sha256, seen.info.path, seen.info.kind) == ("abc", str(path), "video") and seen.seconds > 0
    assert all(1 <= len(t.exemplars) <= 5 and len(t.pictures) == 1 for t in seen.tracks)


def test_one_person_on_both_sides_of_a_cut_is_two_tracks(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [Shot(2, {RED: LEFT}, 60), Shot(2, {RED: LEFT}, 200)])
    assert colours_of(run(path)) == [[0, 0, 1]] * 2


def test_a_photograph(tmp_path: Path) -> None:
    seen = run(photograph(tmp_path / "photo.png", RED, GREEN))
    assert colours_of(seen) == [[0, 0, 1], [0, 1, 0]]
    assert [t.track.time_s.tolist() for t in seen.tracks] == [[0], [0]]
    assert (seen.info.kind, seen.counts.decoded, seen.duration_s, seen.damage) == ("picture", 1, 0, "")


def test_nobody(tmp_path: Path) -> None:
    seen = run(write_video(tmp_path / "empty.mp4", [Shot(2, {})]))
    assert (list(seen.tracks), seen.faces, seen.counts.decoded) == ([], 0, 20)


def test_nobody_looks_twice_at_what_does_not_change(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [Shot(8, {RED: LEFT, GREEN: RIGHT}, drift=0)])
    left, right = run(path, faces={"keep": "all"}).tracks
    assert left.track.time_s.tolist() == right.track.time_s.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7.9]
    assert [at for at, _ in sorted(left.pictures)] == [0, 1, 6], "pictures are of looks alone"
    assert (left.track.xyxy == left.track.xyxy[0]).all() and (left.track.quality > 0).all()
    closely = run(path, selection={"same_s": 0})
    assert closely.faces == 18 and run(path).faces == 6
    assert closely.tracks[0].track.time_s.tolist() == left.track.time_s.tolist()


def test_pictures_asked_for_are_kept(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", RED)
    for keep, count in (("best", 1), ("exemplars", 3), ("all", 4)):
        (track,) = run(path, faces={"keep": keep, "exemplars": 3}).tracks
        assert (len(track.pictures) == count) if keep != "all" else (len(track.pictures) == len(track.track) > 3)
        assert all(data[:2] == b"\xff\xd8" for _, data in track.pictures)


def test_the_same_file_gives_the_same_analysis(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", RED, GREEN)
    first, second = run(path), run(path)
    for a, b in zip(first.tracks, second.tracks, strict=True):
        assert np.array_equal(a.template.vectors, b.template.vectors) and a.pictures == b.pictures
        assert np.array_equal(a.track.xyxy, b.track.xyxy) and np.array_equal(a.track.time_s, b.track.time_s)


def test_progress_is_told(tmp_path: Path) -> None:
    class SlowDetector(SquareDetector):
        def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
            time.sleep(0.06)
            return super().detect(bgr)

    told: list[Progress] = []
    path = film(tmp_path / "clip.mp4", RED)
    parts = Parts(SlowDetector(), ColourEmbedder())
    seen = analyse(path, "abc", parts, painted_settings(selection={"fixed_rate_hz": 10}), told.append)
    assert 3 <= len(told) <= 25 and [p.decoded for p in told] == sorted(p.decoded for p in told)
    last = told[-1]
    assert (last.decoded, last.analysed, last.faces, last.time_s) == (25, 25, 25, seen.duration_s)
    assert last.reasons == seen.counts.reasons and all(p.duration_s == 2.5 for p in told)
    assert all(sum(p.reasons.values()) == p.decoded for p in told)


def test_only_kept_frames_are_converted_and_looked_at(tmp_path: Path) -> None:
    class CountingDetector(SquareDetector):
        looks = 0

        def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
            self.looks += 1
            return super().detect(bgr)

    detector = CountingDetector()
    path = write_video(tmp_path / "clip.mp4", [Shot(3, {})])
    seen = analyse(path, "abc", Parts(detector, ColourEmbedder()), painted_settings())
    kept = sum(seen.counts.reasons[r] for r in ("cut", "motion", "floor", "end"))
    assert detector.looks == kept < 8 < seen.counts.decoded


def test_faces_over_the_edge_of_the_picture(tmp_path: Path) -> None:
    """A detector may give boxes that reach beyond the picture, or lie outside it."""

    class WildDetector(SquareDetector):
        def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
            boxes = np.array([[-30, -30, 30, 30], [140, 100, 300, 300], [400, 400, 420, 420]], np.float32)
            points = np.repeat(boxes[:, None, :2], 5, axis=1) + np.arange(5, dtype=np.float32)[None, :, None]
            return Faces(boxes, np.full(3, 0.9, np.float32), points, np.ones(3, np.uint8))

    class BlindEmbedder(ColourEmbedder):
        def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
            assert all(min(chip.bgr.shape) >= 1 for chip in chips)
            return Embeddings(np.tile(unit(1, 0, 0), (len(chips), 1)), self.model)

    path = film(tmp_path / "clip.mp4", RED)
    seen = analyse(path, "abc", Parts(WildDetector(), BlindEmbedder()), painted_settings())
    assert len(seen.tracks) >= 3 and all(0 <= q <= 1 for t in seen.tracks for q in t.track.quality)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("words")
    for path in (tmp_path / "words.mp4", tmp_path / "nothing.mp4"):
        with pytest.raises(VideoError) as caught:
            run(path)
        assert caught.value.path == str(path)
        with pytest.raises(VideoError):
            list(explain(path, open_fakes(), painted_settings()))


def test_explain_names_the_tracks(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [Shot(2, {RED: LEFT, GREEN: RIGHT}), Shot(2, {BLUE: MIDDLE})])
    told = list(explain(path, open_fakes(), painted_settings()))
    assert {e.tracks for e in told if e.kept} == {(1, 2), (3,)}
    assert all(len(e.tracks) == e.faces for e in told) and not any(e.tracks for e in told if not e.kept)

"""A video looked through in spans is the same as one looked through in one go."""

from __future__ import annotations

import gc
import math
import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from builders import BLUE, GREEN, LEFT, MIDDLE, RED, RIGHT, Shot, painted_settings, write_video
from fakes import open_fakes
from filming import noise, write

from archive.engines import Advances, Began, Broke, Done, Job, Message
from archive.engines.tasks import Advanced, Assembly, Indivisible, Seen, Task, Unseen, do
from archive.found import Stamp
from cvid.analyse import Progress, analyse, analyse_span
from cvid.explain import explain
from cvid.seams import join
from cvid.settings_sources import load_settings
from cvid.spans import WHOLE, IndivisibleError, Span, spans_of
from cvid.speeds import SPEEDS
from cvid.types import Frame, VideoAnalysis, VideoInfo
from cvid.video import FrameReader, Which, probe

SETTINGS = painted_settings(selection={"decode": "all"})


def cut_at(*limits: float) -> list[Span]:
    return [Span(start, end) for start, end in pairwise((0.0, *limits, math.inf))]


def told(frames: list[Frame], offset: int = 0) -> list[tuple[int, float, int]]:
    return [(frame.index + offset, round(frame.time_s, 6), int(frame.luma.sum())) for frame in frames]


# reading

CODED = [
    ("mp4", {"g": "20"}),
    ("mkv", {"g": "20", "bf": "3", "b-pyramid": "normal"}),
    ("ts", {"g": "20", "bf": "2"}),
    ("mp4", {"g": "15", "bf": "3", "x264-params": "open-gop=1:keyint=15:bframes=3"}),
    ("mkv", {"g": "500", "keyint_min": "500", "sc_threshold": "0"}),
]


@pytest.mark.parametrize("which", ["all", "reference", "key"])
@pytest.mark.parametrize(("suffix", "options"), CODED)
def test_spans_have_the_frames_of_the_whole(suffix: str, options: dict[str, str], which: Which, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{suffix}"
    write(path, noise(90), options=options, rate=30)
    info = probe(path)
    whole = FrameReader(path, info, WHOLE, which)
    expected = told(list(whole))
    random = np.random.default_rng(len(expected))
    for limits in ([1.0], [0.7, 1.4, 2.0], sorted(random.uniform(0.05, 2.95, 5).tolist())):
        readers = [FrameReader(path, info, span, which) for span in cut_at(*limits)]
        found: list[tuple[int, float, int]] = []
        start = 0
        for reader in readers:
            found += told(list(reader), start)
            start += reader.count
        assert found == expected and start == whole.count == 90
        seen = [reader for reader in readers if reader.begins_s is not None]
        assert all(before.ends_s == after.begins_s for before, after in pairwise(seen))


def test_only_frames_that_others_need_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, noise(90), options={"g": "30", "bf": "3", "b_strategy": "0", "sc_threshold": "0"}, rate=30)
    all_frames, reference, key = (list(FrameReader(path, probe(path), WHOLE, w)) for w in ("all", "reference", "key"))
    assert [frame.index for frame in all_frames] == list(range(90))
    assert 20 < len(reference) < 60 and [frame.index for frame in key] == [0, 30, 60]
    by_index = dict(zip(range(90), told(all_frames), strict=True))
    assert told(reference) == [by_index[frame.index] for frame in reference]
    for frame, (index, time_s, brightness) in zip(key, (by_index[i] for i in (0, 30, 60)), strict=True):
        assert (frame.index, round(frame.time_s, 6)) == (index, time_s)
        assert float(frame.luma.sum()) == pytest.approx(brightness, rel=0.01), "blocky, for they are not smoothed"


def test_of_a_slow_video_all_frames_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, noise(40), options={"g": "30", "bf": "3", "b_strategy": "0", "sc_threshold": "0"}, rate=10)
    assert len(list(FrameReader(path, probe(path), WHOLE, "reference"))) == 40


def test_how_long_a_video_is_does_not_depend_on_what_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, noise(95), options={"g": "30", "bf": "3"}, rate=25)
    for which in ("all", "reference", "key"):
        reader = FrameReader(path, probe(path), WHOLE, which)
        assert len(list(reader)) and reader.course.time_s == pytest.approx(3.76) and not reader.damage


def test_a_container_without_stamps_is_read_in_one_go(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write(path, noise(40), "mpeg4", options={"g": "10"})
    with pytest.raises(IndivisibleError):
        list(FrameReader(path, probe(path), Span(2.0, 3.0), "reference"))
    assert len(list(FrameReader(path, probe(path), WHOLE, "key"))) == 40, "and wholly, for times hang on every frame"


def test_explain_tells_of_the_frames_that_the_index_decodes(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, noise(90), options={"g": "30", "bf": "3", "b_strategy": "0", "sc_threshold": "0"}, rate=30)
    for decode in ("all", "reference", "key"):
        settings = painted_settings(selection={"decode": decode})
        told_of = list(explain(path, open_fakes(), settings))
        assert len(told_of) == analyse(path, "abc", open_fakes(), settings).counts.decoded
    assert len(told_of) == 3


# joining


def same(one: VideoAnalysis, other: VideoAnalysis) -> bool:
    def key(seen: VideoAnalysis) -> list[tuple[object, ...]]:
        return [
            (t.track.time_s.tolist(), t.track.frame_index.tolist(), t.track.xyxy.tolist(), t.exemplars.vectors.tolist())
            for t in seen.tracks
        ]

    return key(one) == key(other)


def in_spans(path: Path, spans: list[Span]) -> VideoAnalysis:
    info = probe(path, "abc")
    return join([analyse_span(path, info, open_fakes(), SETTINGS, span) for span in spans], SETTINGS)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people side by side over a key frame every 2 s; then another person after a cut."""
    path = tmp_path_factory.mktemp("spans") / "clip.mkv"
    shots = [Shot(7, {RED: LEFT, GREEN: RIGHT}), Shot(5, {BLUE: MIDDLE}, ground=200)]
    return write_video(path, shots, options={"g": "20", "keyint_min": "20", "sc_threshold": "0"})


@pytest.mark.parametrize("limits", [[4.0], [2.0, 4.0, 6.0], [7.0], [8.0], [3.9, 4.0, 4.1], [50.0]])
def test_a_track_goes_on_over_a_seam(clip: Path, limits: list[float]) -> None:
    whole, parted = in_spans(clip, [WHOLE]), in_spans(clip, cut_at(*limits))
    assert len(parted.tracks) == len(whole.tracks) == 3
    for one, other in zip(parted.tracks, whole.tracks, strict=True):
        assert one.track.time_s[[0, -1]] == pytest.approx(other.track.time_s[[0, -1]])
        assert np.isin(other.track.frame_index[[0, -1]], one.track.frame_index).all()
        assert 1 <= len(one.exemplars) <= 5 and len(one.pictures) == 1
        assert float(one.template.vectors[0] @ other.template.vectors[0]) > 0.99
    assert (parted.counts.decoded, parted.duration_s) == (whole.counts.decoded, whole.duration_s) == (120, 11.9)


def test_a_cut_at_a_seam_ends_all_tracks(tmp_path: Path) -> None:
    """The same person at the same place on both sides: only the cut parts them."""
    shots = [Shot(4, {RED: LEFT}, ground=60), Shot(4, {RED: LEFT}, ground=200)]
    path = write_video(tmp_path / "clip.mkv", shots, options={"g": "20", "keyint_min": "20", "sc_threshold": "0"})
    assert same(in_spans(path, cut_at(4.0)), in_spans(path, [WHOLE])) and len(in_spans(path, cut_at(4.0)).tracks) == 2


def test_another_person_behind_a_seam_is_another_track(tmp_path: Path) -> None:
    shots = [Shot(4, {RED: (10, 40), GREEN: (100, 0)}), Shot(4, {RED: (20, 40), BLUE: (100, 70)})]
    path = write_video(tmp_path / "clip.mkv", shots, options={"g": "20", "keyint_min": "20", "sc_threshold": "0"})
    parted = in_spans(path, cut_at(4.0))
    assert same(parted, in_spans(path, [WHOLE])) and len(parted.tracks) == 4


def test_pieces_that_do_not_meet_are_refused(clip: Path) -> None:
    info = probe(clip, "abc")
    first, second, third = (analyse_span(clip, info, open_fakes(), SETTINGS, span) for span in cut_at(4.0, 8.0))
    join([first, second, third], SETTINGS)
    with pytest.raises(IndivisibleError):
        join([first, third], SETTINGS)
    with pytest.raises(IndivisibleError):
        join([first, second, second], SETTINGS)


def test_short_videos_and_photographs_stay_whole(clip: Path) -> None:
    def info(duration_s: float, kind: str = "video") -> VideoInfo:
        known = probe(clip)
        return VideoInfo("", "", kind, 2, 2, duration_s, known.rate, "h264", 0)

    assert spans_of(info(12.0)) == spans_of(info(0.0)) == spans_of(info(9000.0, "picture")) == [WHOLE]
    film = spans_of(info(7200.0))
    assert film[0].start_s == 0 and film[-1].end_s == math.inf and 60 <= len(film) <= 120
    assert all(before.end_s == after.start_s for before, after in pairwise(film))


# handing out


def job(path: Path, duration_s: float = 300.0) -> Job:
    known = probe(path)
    info = VideoInfo(known.path, "", "video", 160, 120, duration_s, known.rate, known.codec, 0)
    return Job(path, "0" * 64, Stamp.of(path.stat()), info)


def handed_out(assembly: Assembly) -> list[Task]:
    tasks = []
    while task := assembly.next():
        tasks.append(task)
    return tasks


def test_spans_of_a_film_come_together_whatever_their_order(clip: Path) -> None:
    messages: list[Message] = []
    assembly = Assembly([job(clip)], SETTINGS, messages.append)
    assert assembly.left == 5
    tasks = handed_out(assembly)
    assert len(tasks) == 5 and assembly.left == 0 and not assembly.done
    for task in reversed(tasks):
        assembly.took(Advanced(task, Progress(2.0, 12.0, 20, 5, 5, {"cut": 1})))
        assembly.took(do(task, open_fakes(), SETTINGS, lambda message: None))
    assert assembly.done and [type(m).__name__ for m in messages] == ["Began", *["Advances"] * 5, "Done"]
    done = messages[-1]
    assert isinstance(done, Done) and same(done.analysis, in_spans(clip, [WHOLE]))
    last = messages[-2]
    assert isinstance(last, Advances) and last.progress.time_s == 10.0, "spans advance together"


def test_pieces_are_joined_as_they_come_and_none_is_kept(clip: Path) -> None:
    """A day of film would fill the memory of the process that joins it."""
    messages: list[Message] = []
    assembly = Assembly([job(clip)], SETTINGS, messages.append)
    seen = [do(task, open_fakes(), SETTINGS, lambda message: None) for task in handed_out(assembly)]
    assert len(seen) == 5
    kept = [weakref.ref(one.piece) for one in seen if isinstance(one, Seen)]
    for place in (1, 0, 2, 4):
        assembly.took(seen[place])
    last = seen[3]
    del seen
    gc.collect()
    assert [piece() is None for piece in kept] == [True, True, True, False, False], (
        "the last waits for the one before it"
    )
    assembly.took(last)
    assert assembly.done and isinstance(messages[-1], Done)


def test_what_cannot_be_parted_is_done_again_in_one_go(clip: Path) -> None:
    messages: list[Message] = []
    assembly = Assembly([job(clip)], SETTINGS, messages.append)
    first = assembly.next()
    assert first
    assembly.took(Indivisible(first))
    (again,) = handed_out(assembly)
    assert again.span == WHOLE
    assembly.took(do(again, open_fakes(), SETTINGS, lambda message: None))
    assembly.took(do(first, open_fakes(), SETTINGS, lambda message: None))
    assert assembly.done and [type(m).__name__ for m in messages] == ["Began", "Done"], "what comes late is passed over"


def test_a_span_that_fails_fails_its_file_alone(clip: Path, tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.mkv", [Shot(1, {RED: LEFT})])
    messages: list[Message] = []
    assembly = Assembly([job(clip), job(other, 1.0)], SETTINGS, messages.append)
    first, second = assembly.next(), assembly.next()
    assert first and second and first.job == second.job
    assert assembly.wants(second)
    assembly.took(Unseen(first, "it is broken"))
    assert not assembly.wants(second), "which is not tried once more for nothing"
    assembly.lost(second, "twice")
    (rest,) = handed_out(assembly)
    assert rest.job.path == other
    outcome = do(rest, open_fakes(), SETTINGS, lambda message: None)
    assert isinstance(outcome, Seen)
    assembly.took(outcome)
    ends = [(m.job.path.name, type(m)) for m in messages if not isinstance(m, Began)]
    assert assembly.done and ends == [(clip.name, Broke), (other.name, Done)]


# speeds


def test_a_speed_sets_what_is_not_set_singly() -> None:
    assert load_settings(flags={"speed": "balanced"}) == load_settings()
    skim = load_settings(flags={"speed": "skim"})
    assert skim.selection.decode == "key" and skim.tracking.max_gap_s > load_settings().tracking.max_gap_s
    singly = load_settings(flags={"speed": "skim", "selection.floor_s": "2.5"})
    assert singly.selection.floor_s == 2.5 and singly.selection.decode == "key"
    for name in SPEEDS:
        assert load_settings(flags={"speed": name}).speed == name

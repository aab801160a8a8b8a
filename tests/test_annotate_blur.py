"""Covered faces: nothing of them can be told from the copy, in no frame, and nobody else is touched."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from annotated import GAP_S, cast, film_of, follow, likeness, made, near, part, trail
from builders import (
    BLUE,
    GREEN,
    HEIGHT,
    LEFT,
    MIDDLE,
    RATE,
    RED,
    SIDE,
    WIDTH,
    Place,
    Shot,
    paint,
    painted_settings,
    write_video,
)
from calling import run
from fakes import SquareDetector
from filming import read
from indexing import index, seen
from sqlalchemy import update

from archive.catalogue import Catalogue
from archive.schema import assignments
from archive.trails import content_of, erased_from, trails_of
from cvid.opencv import cv2
from cvid.types import Bytes, Faces, Floats
from reports.annotating.annotate import annotate
from reports.annotating.scene import Wish
from reports.annotating.ways import Cover

ALL, OTHERS, UNNAMED = Wish("all"), Wish("others", frozenset({"P0001"})), Wish("unnamed")
BESIDE = (104, 60)


def texture(seed: int, coarse: tuple[int, int, int] = (110, 120, 130)) -> Bytes:
    """The fine detail of a face: like no other's, with the same means everywhere."""
    chance = np.random.default_rng(seed)
    signs = chance.integers(0, 2, (SIDE // 4, SIDE // 4)) * 2 - 1
    block = np.kron(signs, np.array([[1, 1, -1, -1]] * 2 + [[-1, -1, 1, 1]] * 2))
    return np.asarray(np.array(coarse) + 60 * block[..., None], np.uint8)


def filmed(corners: list[tuple[Place, int]], room: int = 0) -> Bytes:
    """A picture with faces of some seed at some corners, in one of several rooms."""
    slope = np.linspace(-60, 60, WIDTH) if room < 2 else np.linspace(-60, 60, HEIGHT)[:, None]
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (np.broadcast_to(110 + (-1) ** room * slope, (HEIGHT, WIDTH)))[..., None]
    for (x, y), seed in corners:
        face = texture(seed)
        left, top = max(x, 0), max(y, 0)
        visible = face[top - y : HEIGHT - y, left - x : WIDTH - x]
        picture[top : top + visible.shape[0], left : left + visible.shape[1]] = visible
    return picture


def wander(time_s: float) -> Place:
    """There and back again, faster in the middle."""
    return round(58 + 50 * np.sin(time_s * np.pi)), round(36 + 10 * np.cos(time_s * 2))


def test_a_face_is_covered_in_every_frame_of_its_track_and_around_it(tmp_path: Path) -> None:
    """Seen five times a second, from the third frame to the last but two; it is there from the first to the last."""
    pictures = [filmed([(wander(n / RATE), 1)]) for n in range(20)]
    source = film_of(tmp_path / "a.mp4", pictures)
    output, outcome = made(source, trail(follow([0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.7], wander)), wish=ALL)
    assert outcome.covered == 1 and outcome.drawn == []
    for number, (old, new) in enumerate(zip(read(source), read(output), strict=True)):
        corner = wander(number / RATE)
        before, after = part(old.bgr, corner), part(new.bgr, corner)
        assert likeness(before, before) > 0.99 and abs(likeness(before, after)) < 0.12, number
        assert after.reshape(-1, 3).std(axis=0).max() < 20, "no pattern is left at all"


def test_two_faces_of_the_same_shades_give_the_same_copy(tmp_path: Path) -> None:
    """What is left of a face is its coarse shades and nothing else: the copies of two people cannot be told apart."""
    copies = []
    for seed in (1, 2):
        source = film_of(tmp_path / f"{seed}.mp4", [filmed([(MIDDLE, seed)])] * 10)
        output, _ = made(source, trail(follow([0.0, 0.5, 0.9], lambda s: MIDDLE)), wish=ALL)
        copies.append((read(source), read(output)))
    (old_1, new_1), (old_2, new_2) = copies
    assert np.abs(old_1[5].bgr.astype(int) - old_2[5].bgr).max() > 90
    for one, other in zip(new_1, new_2, strict=True):
        difference = np.abs(part(one.bgr, MIDDLE).astype(int) - part(other.bgr, MIDDLE))
        assert difference.max() <= 14 and difference.mean() < 5


def test_a_cover_is_larger_than_the_face() -> None:
    cover = Cover(follow([1.0, 1.5, 2.0], lambda s: (60, 40)), hold_s=1.0)
    x1, y1, x2, y2 = cover.at(1.2, lambda a, b: False)  # type: ignore[misc]
    assert (x1, y1) == pytest.approx((60 - 0.4 * SIDE, 40 - 0.4 * SIDE)) and x2 - x1 == y2 - y1 > 1.7 * SIDE
    held = cover.at(0.5, lambda a, b: False)
    assert held is not None and held[0] < x1 and held[3] > y2, "it grows where the face is guessed"
    assert cover.at(-0.1, lambda a, b: False) is None and cover.at(3.1, lambda a, b: False) is None
    assert cover.at(0.5, lambda a, b: True) is None and cover.at(2.5, lambda a, b: True) is None
    assert cover.at(1.2, lambda a, b: True) is not None


def test_a_cover_follows_in_gaps_and_where_a_face_came_from() -> None:
    """Unlike a box, it goes on through a gap, and before the first sighting back along the way."""
    track = follow([1.0, 1.2, 1.2 + 2 * GAP_S], lambda s: (round(20 + 40 * s), 40))
    cover = Cover(track, hold_s=1.0)
    for time_s in np.arange(0.6, 4.2, 0.1):
        box = cover.at(float(time_s), lambda a, b: False)
        x = 20 + 40 * float(time_s)
        assert box is not None and box[0] <= x and box[2] >= x + SIDE, time_s


def test_a_cover_does_not_reach_into_another_shot(tmp_path: Path) -> None:
    """The face is there from a cut to a cut, found late and lost early; the shots beside it are not touched."""
    before, after = filmed([], room=1), filmed([], room=2)
    pictures = [before] * 8 + [filmed([(MIDDLE, 3)])] * 14 + [after] * 8
    source = film_of(tmp_path / "a.mp4", pictures)
    output, _ = made(source, trail(follow([1.3, 1.5, 1.7], lambda s: MIDDLE)), wish=ALL)
    for number, (old, new) in enumerate(zip(read(source), read(output), strict=True)):
        if 8 <= number < 22:
            assert abs(likeness(part(old.bgr, MIDDLE), part(new.bgr, MIDDLE))) < 0.12, number
        else:
            assert np.abs(old.bgr.astype(int) - new.bgr).max() < 16, number


def test_others_are_covered_and_the_one_stays_as_he_is(tmp_path: Path) -> None:
    pictures = [filmed([(LEFT, 1), (BESIDE, 2)])] * 12
    source = film_of(tmp_path / "a.mp4", pictures)
    ways = follow([0.0, 0.5, 1.1], lambda s: LEFT), follow([0.0, 0.5, 1.1], lambda s: BESIDE)
    output, outcome = made(source, trail(ways[0], "P0001"), trail(ways[1], ""), wish=OTHERS)
    assert [t.identity for t in outcome.drawn] == ["P0001"] and outcome.covered == 1
    for old, new in zip(read(source), read(output), strict=True):
        inner = (LEFT[0] + 6, LEFT[1] + 6)
        kept = part(old.bgr, inner, SIDE - 12), part(new.bgr, inner, SIDE - 12)
        assert likeness(*kept) > 0.97 and np.abs(kept[0].astype(int) - kept[1]).mean() < 8
        assert abs(likeness(part(old.bgr, BESIDE), part(new.bgr, BESIDE))) < 0.12


@pytest.mark.parametrize(
    ("wish", "trails", "covered"),
    [
        (ALL, [("P0001", "Jane", "confirmed"), ("", "", "")], [True, True]),
        (OTHERS, [("P0001", "", ""), ("P0002", "Joe", "confirmed"), ("", "", "")], [False, True, True]),
        (OTHERS, [("P0001", "", "doubtful"), ("P0001", "", "confident")], [True, False]),
        (UNNAMED, [("P0001", "Jane", ""), ("P0002", "", "confirmed"), ("", "", "")], [False, True, True]),
        (UNNAMED, [("P0001", "Jane", "doubtful"), ("P0001", "Jane", "confirmed")], [True, False]),
        (Wish("unnamed", frozenset({"P0002"})), [("P0001", "Jane", "")], [False]),
        (Wish(), [("P0001", "", ""), ("", "", "")], [False, False]),
    ],
)
def test_who_is_covered(wish: Wish, trails: list[tuple[str, str, str]], covered: list[bool]) -> None:
    """Whoever is left to be seen is surely that person."""
    track = follow([0.0, 1.0], lambda s: LEFT)
    made_of = [trail(track, identity, name, 0.5, certainty) for identity, name, certainty in trails]
    assert [wish.covers(one) for one in made_of] == covered
    assert not any(wish.covers(one) and wish.draws(one) for one in made_of)
    assert wish.draws(made_of[0]) is (not covered[0] and wish.only <= {"P0001"})


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("blur")
    write_video(home / "footage" / "a.mp4", [Shot(2.5, {RED: LEFT, GREEN: BESIDE})])
    write_video(home / "footage" / "b.mp4", [Shot(2.5, {BLUE: MIDDLE})])
    index(home / "archive", home / "footage")
    return home


def test_the_verb_covers_and_says_what_it_cannot(archive: Path, tmp_path: Path) -> None:
    source, output = archive / "footage" / "a.mp4", tmp_path / "o.mp4"
    done = run("annotate", source, "-o", output, "--blur", "all", "--as-indexed", "--archive", archive / "archive")
    assert done.exit_code == 0 and "covered: 2 appearances" in done.stdout
    assert "Faces that were not detected are not covered" in done.stdout and "before you publish it" in done.stdout
    for frame in read(output):
        assert not near(frame.bgr, (LEFT[0] + 13, LEFT[1] + 17), (20, 20, 20), 60), "no eye is left"
    helped = " ".join(run("annotate", "--help").stdout.split())
    assert "Faces that were not detected are NOT covered" in helped


def test_a_doubtful_appearance_of_the_one_is_covered_and_told(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    copy.mkdir()
    (copy / "catalogue.sqlite").write_bytes((archive / "archive" / "catalogue.sqlite").read_bytes())
    red = next(a for a in seen(archive / "archive") if a.video == "a.mp4" and a.x1 < 60)
    with Catalogue.create_or_open(copy) as catalogue:
        doubt = update(assignments).where(assignments.c.track_id == red.appearance).values(certainty="doubtful")
        catalogue.connection.execute(doubt)
    args = (
        "annotate",
        archive / "footage" / "a.mp4",
        "--blur",
        "others",
        "--only",
        red.identity,
        "--as-indexed",
        "--archive",
        copy,
    )
    done = run(*args, "-o", tmp_path / "o.mp4")
    assert "covered: 2 appearances" in done.stdout and "`confirm` settles it" in done.stdout
    told = json.loads(run(*args, "-o", tmp_path / "p.mp4", "--json").stdout)
    assert (told["covered"], told["drawn"], told["blur"]) == (2, 0, "others")


def test_who_was_forgotten_stays_covered(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    index(copy, archive / "footage")
    red = next(a for a in seen(copy) if a.video == "a.mp4" and a.x1 < 60)
    assert run("forget", red.identity, "--yes", "--archive", copy).exit_code == 0
    source, output = archive / "footage" / "a.mp4", tmp_path / "o.mp4"
    with Catalogue.open(copy) as catalogue:
        sha256 = content_of(catalogue.connection, source)
        assert len(trails_of(catalogue.connection, sha256)) == 1
        (way,) = erased_from(catalogue.connection, sha256)
        assert len(way) >= 3
    done = run("annotate", source, "-o", output, "--blur", "all", "--as-indexed", "--archive", copy)
    assert "covered: 2 appearances" in done.stdout
    for frame in read(output):
        assert not near(frame.bgr, (LEFT[0] + 13, LEFT[1] + 17), (20, 20, 20), 60)


def test_a_skimmed_video_is_not_covered(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "skimmed"
    index(copy, archive / "footage", settings=painted_settings(speed="skim"))
    source = archive / "footage" / "a.mp4"
    done = run("annotate", source, "-o", tmp_path / "o.mp4", "--blur", "all", "--as-indexed", "--archive", copy)
    assert done.exit_code == 1 and "was only skimmed" in done.stderr and "--speed thorough" in done.stderr
    assert not (tmp_path / "o.mp4").exists()
    assert run("annotate", source, "-o", tmp_path / "o.mp4", "--archive", copy).exit_code == 0


# the second look


def test_a_face_that_the_index_did_not_find_is_covered(tmp_path: Path) -> None:
    """It walks through a shot in which nobody was found; the shots beside it are not touched."""
    room, other = paint({}, 60), paint({GREEN: MIDDLE}, 220)
    walk = [paint({RED: (10 + 4 * n, 40)}, 60) for n in range(20)]
    source = film_of(tmp_path / "a.mp4", [room] * 5 + walk + [other] * 8)
    spared = trail(follow([2.5, 3.0, 3.2], lambda s: MIDDLE), "P0001")
    output, outcome = made(source, spared, wish=OTHERS, detector=SquareDetector())
    assert outcome.covered == 0 and 4 <= outcome.found <= 5
    for number, (old, new) in enumerate(zip(read(source), read(output), strict=True)):
        if 5 <= number < 25:
            corner = (10 + 4 * (number - 5), 40)
            assert not near(new.bgr, (corner[0] + 13, corner[1] + 17), (20, 20, 20), 25), "no eye is left"
            assert part(new.bgr, corner).reshape(-1, 3).std(axis=0).max() < 60
        elif number >= 25:
            assert near(new.bgr, (MIDDLE[0] + 13, MIDDLE[1] + 17), (20, 20, 20), 60), "the spared one is to be seen"
        else:
            away = np.abs(old.bgr.astype(int) - new.bgr)[:100, 90:]
            assert away.max() < 16, "far from the face nothing changes"


def test_who_is_covered_or_spared_already_is_not_covered_again(tmp_path: Path) -> None:
    """Also a moment before and after the track; and a stranger beside the one who is to be seen is covered."""
    source = film_of(tmp_path / "a.mp4", [paint({RED: LEFT, GREEN: BESIDE})] * 20)
    mine, others = follow([0.5, 1.0], lambda s: LEFT), follow([0.0, 1.0, 1.9], lambda s: BESIDE)
    _, outcome = made(source, trail(mine, "P0001"), trail(others, "P0002"), wish=OTHERS, detector=SquareDetector())
    assert outcome.found == 0
    output, outcome = made(source, trail(mine, "P0001"), wish=OTHERS, detector=SquareDetector())
    assert outcome.found == 4
    for frame in read(output):
        assert near(frame.bgr, (LEFT[0] + 13, LEFT[1] + 17), (20, 20, 20), 60)
        assert not near(frame.bgr, (BESIDE[0] + 13, BESIDE[1] + 17), (20, 20, 20), 50)


class Nearsighted(SquareDetector):
    """Sees no face that is larger than a few dozen px."""

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        found = super().detect(bgr)
        return found[found.xyxy[:, 2] - found.xyxy[:, 0] < 60]


def test_a_face_that_fills_the_picture_is_covered(tmp_path: Path) -> None:
    """Networks for small faces miss it, unless the picture is shrunk."""
    picture = np.asarray(cv2.resize(paint({RED: MIDDLE}), None, fx=4, fy=4), np.uint8)
    source = film_of(tmp_path / "a.mp4", [picture] * 10)
    output, outcome = made(source, wish=ALL, detector=Nearsighted())
    assert outcome.found == 2
    for frame in read(output):
        assert not near(frame.bgr, (4 * (MIDDLE[0] + 13), 4 * (MIDDLE[1] + 17)), (20, 20, 20), 60)


def test_the_second_look_has_detectors_of_its_own(archive: Path, tmp_path: Path) -> None:
    """Those of a painted archive do not exist; without a word of another one it is refused, not left out."""
    args = ("annotate", archive / "footage" / "a.mp4", "--blur", "all", "--archive", archive / "archive")
    done = run(*args, "-o", tmp_path / "o.mp4")
    assert done.exit_code == 1 and "there is no detector named 'squares'" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert run(*args, "-o", tmp_path / "o.mp4", "--detectors", "mtcnn").exit_code == 0
    for wrong in (["--detectors", "mtcnn", "--as-indexed"],):
        assert run(*args, "-o", tmp_path / "p.mp4", *wrong).exit_code == 2
    assert run("annotate", archive / "footage" / "a.mp4", "--as-indexed").exit_code == 2


SECRETS = {"title": "SECRETTITLE", "location": "+48.1000+011.5000/", "comment": "SECRETCOMMENT", "make": "SECRETPHONE"}


def test_nothing_that_the_file_says_of_itself_is_copied(tmp_path: Path) -> None:
    """Title, place, device, names of streams, chapters, subtitles, cover picture."""
    source = tmp_path / "tagged.mkv"
    with av.open(str(source), "w") as out:
        out.metadata.update(SECRETS)
        video = out.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.metadata["title"] = "SECRETSTREAM"
        sound = out.add_stream("aac", rate=8000, layout="mono")
        sound.metadata.update({"title": "SECRETSOUND", "language": "deu"})
        out.set_chapters(
            [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "SECRETCHAPTER"}}]
        )
        out.add_attachment("secret.txt", "text/plain", b"SECRETATTACHMENT")
        for _ in range(10):
            out.mux(video.encode(av.VideoFrame.from_ndarray(paint({RED: MIDDLE}), format="bgr24")))
        out.mux(video.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
        out.mux(sound.encode())
    assert source.read_bytes().count(b"SECRET") >= 6
    output, _ = made(source, trail(follow([0.0, 0.5], lambda s: MIDDLE)), wish=ALL)
    assert b"SECRET" not in output.read_bytes() and b"+48.1" not in output.read_bytes()
    with av.open(str(output)) as container:
        assert [s.type for s in container.streams] == ["video", "audio"] and not container.chapters()
        assert container.streams.audio[0].metadata.get("language", "und") == "und"
    plain = tmp_path / "plain.mp4"
    annotate(source, cast(), Wish(), plain)
    assert b"SECRETTITLE" in plain.read_bytes(), "without a cover it is"


def test_faces_at_the_edge_and_of_no_size(tmp_path: Path) -> None:
    corners = ((-30, -30), (WIDTH - 12, HEIGHT - 12), (WIDTH + 300, 10))
    source = film_of(tmp_path / "a.mp4", [filmed([(corner, 1) for corner in corners[:2]])] * 4)
    tracks = [follow([0.0, 0.3], lambda s, at=corner: at) for corner in corners]  # type: ignore[misc]
    tracks.append(follow([0.1], lambda s: (50, 50), side=0))
    output, outcome = made(source, *(trail(track) for track in tracks), wish=ALL)
    assert outcome.covered == 4
    for old, new in zip(read(source), read(output), strict=True):
        assert abs(likeness(old.bgr[:14, :14], new.bgr[:14, :14])) < 0.3
        assert new.bgr[-12:, -12:].reshape(-1, 3).std(axis=0).max() < 25

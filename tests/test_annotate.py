"""Annotated videos: decoded again and looked at pixel by pixel."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from annotated import cast, film_of, follow, made, moving, near, trail
from builders import BLUE, GREEN, HEIGHT, LEFT, MIDDLE, RATE, RED, SIDE, WIDTH, Place, Shot, paint, write_video
from calling import run
from filming import assert_shows, quarters, read, write
from indexing import index, seen
from test_video import MATRICES, ONE

from archive.catalogue import Catalogue
from cvid.types import Bytes
from reports.annotating.annotate import Step, annotate
from reports.annotating.colours import BLACK, GREY, Matrix, colour_of, contrast, text_on
from reports.annotating.film import AnnotatingError
from reports.annotating.fonts import Letterer
from reports.annotating.scene import Wish
from reports.annotating.ways import Way

BESIDE = (75, 50)
"""Beside a face at the left, and for 25 px not so near the edge that the square grows together with it."""
NAMES = {
    "latin": "Łukasz Żółć",
    "arabic": "محمد علي",
    "hebrew and latin": "שרה Levi",
    "chinese": "王伟",
    "emoji": "🌸👩‍🚀 Jane",
    "long": "Bartholomew " * 17,
    "markup": "<script>alert(1)</script>",
    "rich markup": "[bold red]Jane[/]",
    "escape codes": "Jane\x1b[2J\x07\r\n",
    "turned": "Jane \u202edlof\u2066",
    "piled up": "Z" + "\u0351\u036b\u0343\u036a\u0302\u036b" * 8,
    "blank": " \t ",
}


def bgr(identity: str) -> tuple[int, ...]:
    return tuple(reversed(colour_of(identity)))


def assert_boxed(picture: Bytes, corner: Place, colour: tuple[int, ...], side: int = SIDE) -> None:
    """A box of a colour sits around a face, to 2 px."""
    x, y = corner
    middle = y + side // 2
    for left, right in ((x, "left"), (x + side - 1, "right")):
        assert any(near(picture, (left + dx, middle), colour, 60) for dx in range(-3, 4)), (right, corner)
    below = y + side - 1
    assert any(near(picture, (x + side // 2, below + dy), colour, 60) for dy in range(-3, 4)), ("bottom", corner)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos: red and green in one, blue in the other after a shot of nobody."""
    home = tmp_path_factory.mktemp("annotate")
    write_video(home / "footage" / "a.mp4", [Shot(2.5, {RED: LEFT, GREEN: BESIDE}, drift=1.0)])
    write_video(home / "footage" / "b.mp4", [Shot(1.0, {}, 60), Shot(2.0, {BLUE: MIDDLE}, 180)])
    (home / "footage" / "notes.txt").write_text("no footage")
    index(home / "archive", home / "footage")
    return home


def test_boxes_follow_the_faces_between_the_frames_that_were_looked_at(archive: Path, tmp_path: Path) -> None:
    source = archive / "footage" / "a.mp4"
    before = source.read_bytes()
    done = run("annotate", source, "-o", tmp_path / "out.mp4", "--archive", archive / "archive")
    assert done.exit_code == 0, done.output
    assert "2 people in 2 appearances" in done.stdout and "real time" in done.stdout
    shown, original = read(tmp_path / "out.mp4"), read(source)
    assert [f.time_s for f in shown] == pytest.approx([f.time_s for f in original])
    who = {(a.x1 > 60): a for a in seen(archive / "archive") if a.video == "a.mp4"}
    assert len({a.identity for a in who.values()}) == 2
    looked_at = {round(a.best_s * RATE) for a in who.values()}
    checked = 0
    for number, frame in enumerate(shown):
        for right, (x, y) in ((False, LEFT), (True, BESIDE)):
            if who[right].start_s <= frame.time_s <= who[right].end_s:
                assert_boxed(frame.bgr, (x + number, y), bgr(who[right].identity))
                checked += number not in looked_at
    assert checked > 20
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_box_goes_on_a_smooth_way_and_nowhere_else() -> None:
    track = follow([0.0, 0.5, 1.0, 4.0, 4.5], lambda s: (round(100 * s * s), 20))
    way = Way(track, max_gap_s=1.5)
    for place, time_s in enumerate(track.time_s):
        assert way.at(float(time_s)) == pytest.approx(track.xyxy[place])
    steps = [box[0] for s in np.linspace(0, 1, 51) if (box := way.at(float(s))) is not None]
    assert len(steps) == 51 and (np.diff(steps) >= -1e-6).all(), "it never goes back"
    assert np.abs(np.diff(steps, 2)).max() < 0.4, "nor jerks"
    assert way.at(-0.1) is None and way.at(2.0) is None and way.at(3.9) is None and way.at(4.6) is None
    assert way.shown() == [(0.0, 1.0), (4.0, 4.5)]


def test_a_face_that_was_seen_once_is_shown_for_a_moment(tmp_path: Path) -> None:
    source = film_of(tmp_path / "once.mp4", moving(RED, lambda s: MIDDLE))
    output, _ = made(source, trail(follow([1.0], lambda s: MIDDLE)))
    boxed = [near(f.bgr, (MIDDLE[0], MIDDLE[1] + SIDE // 2), bgr("P0001"), 60) for f in read(output)]
    assert [n for n, there in enumerate(boxed) if there] == [10, 11, 12]


def test_boxes_are_drawn_only_for_those_asked_for(archive: Path, tmp_path: Path) -> None:
    who = {(a.x1 > 60): a.identity for a in seen(archive / "archive") if a.video == "a.mp4"}
    source, output = archive / "footage" / "a.mp4", tmp_path / "only.mp4"
    done = run(
        "annotate", source, "-o", output, "--archive", archive / "archive", "--only", who[True].lower(), "--json"
    )
    told = json.loads(done.stdout)
    assert [p["id"] for p in told["people"]] == [who[True]] and (told["drawn"], told["covered"]) == (1, 0)
    assert (told["frames"], told["schema_version"], told["blur"], told["damage"]) == (25, 1, None, "")
    frame = read(output)[5].bgr
    assert_boxed(frame, (BESIDE[0] + 5, BESIDE[1]), bgr(who[True]))
    assert not near(frame, (LEFT[0] + 5, LEFT[1] + SIDE // 2), bgr(who[False]), 60)
    other = run("annotate", archive / "footage" / "b.mp4", "-o", tmp_path / "b.mp4", "--archive",
                archive / "archive", "--only", who[True])  # fmt: skip
    assert f"not seen in it: {who[True]}" in other.stdout


# colours and labels


def test_every_colour_has_contrast_to_its_text_and_stays_with_its_person() -> None:
    colours = {number: colour_of(f"P{number:04d}") for number in range(1, 5000)}
    assert min(contrast(colour, text_on(colour)) for colour in (*colours.values(), GREY)) >= 4.5
    assert colours[7] == colour_of("P0007")
    first = np.array([colours[n] for n in range(1, 13)], int)
    apart = np.abs(first[:, None] - first[None]).sum(axis=2) + 999 * np.eye(12, dtype=int)
    assert apart.min() >= 40, "a dozen people can be told apart"


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("height", [120, 1080])
def test_colours_come_out_of_the_video_as_they_went_in(height: int, tmp_path: Path) -> None:
    """The contrast of a label is kept, whatever matrix a player takes for the size."""
    matrix = Matrix.of(2, height)
    for number in range(1, 40):
        colour = colour_of(f"P{number:04d}")
        (y, *_), (black, *_) = matrix.yuv(colour), matrix.yuv(BLACK)
        grey = round((y - 16) * 255 / 219)
        assert black == 16 and contrast((grey, grey, grey), BLACK) >= 4.5


@pytest.mark.parametrize("kind", NAMES)
def test_any_name_makes_a_readable_label(kind: str) -> None:
    letterer = Letterer(24)
    label = letterer.label(NAMES[kind], "P0003")
    assert label and label.isprintable() and not set("\x1b\u202e\u2066\r\n\x07") & set(label)
    if not letterer.can_draw(NAMES[kind]) or kind == "blank":
        assert label.split()[0] == "P0003"
    assert letterer.can_draw(label), "no letter is drawn as an empty box"
    for width in (60, 300):
        picture = letterer.draw(label, "0.87", width, BLACK, (83, 214, 255))
        assert picture.shape[1] <= width and picture.shape[0] % 2 == picture.shape[1] % 2 == 0
        assert (picture.max(axis=2) < 90).sum() > 20, "something stands there"
        assert (picture[:, -2:].min(axis=2) > 70).all() or width == 60, "and is not cut"


def test_what_no_font_can_draw_is_left_out_and_the_id_stands_for_it() -> None:
    letterer = Letterer(24)
    strange = "\U000f0001\U0001f9ff"  # of no script, and an emoji that hardly any font has
    assert letterer.label("\u0378\u0378", "P0003") == r"\u0378\u0378", "no letters at all: their codes"
    label = letterer.label(f"{chr(0x1F9FF)} Wang", "P0003")
    assert label in ("P0003 Wang", f"{chr(0x1F9FF)} Wang") and strange not in label


@pytest.mark.parametrize("kind", NAMES)
def test_labels_stay_inside_the_picture(kind: str, tmp_path: Path) -> None:
    """Faces in the corners, and names of all kinds: outside of box and label nothing changes."""
    corners = ((0, 0), (WIDTH - SIDE, HEIGHT - SIDE))
    source = film_of(tmp_path / "a.mp4", [paint({RED: corners[0], GREEN: corners[1]})] * 3)
    tracks = [follow([0.0, 0.2], lambda s, corner=corner: corner) for corner in corners]  # type: ignore[misc]
    output, outcome = made(source, *(trail(t, f"P000{n}", NAMES[kind]) for n, t in enumerate(tracks, 1)))
    frame = read(output)[1].bgr
    for number in (1, 2):
        like = (np.abs(frame.astype(int) - bgr(f"P000{number}")).max(axis=2) < 60).sum()
        assert like > 4 * SIDE, "box and label are there"
    assert set(outcome.replaced) <= {"P0001", "P0002"}


def test_a_label_says_how_sure_it_is() -> None:
    """The widths tell: the name, the name with its similarity, the same with a warning."""
    letterer = Letterer(24)
    plain, sure, doubtful = (
        letterer.draw("Jane", tail, 400, BLACK, (255, 255, 255)).shape[1] for tail in ("", "0.61", "0.61 doubtful")
    )
    assert plain < sure < doubtful


def test_the_timeline_shows_who_is_when_and_the_moment(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE))
    first = trail(follow([0.0, 0.4, 0.8], lambda s: MIDDLE), "P0001")
    second = trail(follow([1.2, 1.6, 1.9], lambda s: MIDDLE), "P0002")
    output, _ = made(source, first, second)
    shown = read(output)
    top, low = HEIGHT - 4, HEIGHT - 2
    for share, row, identity in ((0.2, top, "P0001"), (0.75, low, "P0002")):
        assert near(shown[9].bgr, (share * WIDTH, row), bgr(identity), 70)
        other = low if row == top else top
        assert shown[9].bgr[other, round(share * WIDTH)].max() < 120
    lit = [int(np.argmax(f.luma[HEIGHT - 4 :, :].astype(int).min(axis=0))) for f in shown]
    assert lit == sorted(lit) and lit[0] < 4 and lit[-1] > 0.9 * WIDTH, "the moment moves on"


def test_a_crowd_leaves_most_of_the_picture_free(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE, seconds=0.5))
    many = [trail(follow([0.0, 0.1 + 0.01 * n], lambda s: MIDDLE), f"P{n:04d}") for n in range(1, 41)]
    output, outcome = made(source, *many)
    assert outcome.left_out == 40 - 7
    assert np.abs(read(output)[4].bgr[HEIGHT * 7 // 8 - 12 : HEIGHT * 7 // 8 - 2, :40].astype(int) - 100).max() < 12


# the film


@pytest.mark.parametrize("name", MATRICES)
def test_the_copy_is_upright(name: str, tmp_path: Path) -> None:
    (a, b, c, d), _, as_shown = MATRICES[name]
    source = tmp_path / "phone.mp4"
    write(source, [quarters()] * 3)
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    source.write_bytes(data)
    box = follow([0.0, 0.2], lambda s: (10, 52), side=30)
    output, _ = made(source, trail(box, "", similarity=None))
    written = output.read_bytes()
    assert struct.unpack_from(">9i", written, written.index(b"tkhd") + 44) == (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    upright = np.asarray(as_shown(quarters()))
    for frame in read(output):
        assert_shows(frame, upright)
        assert near(frame.bgr, (10, 65), tuple(reversed(GREY)), 50) and near(
            frame.bgr, (39, 65), tuple(reversed(GREY)), 50
        )


@pytest.mark.parametrize("size", [(161, 121), (35, 17), (3, 1), (1, 1)])
def test_odd_sizes_become_even(size: tuple[int, int], tmp_path: Path) -> None:
    source = tmp_path / "odd.mkv"
    write(source, [quarters(*size)] * 2, "ffv1", "yuv420p")
    output, _ = made(source, trail(follow([0.0, 0.1], lambda s: (0, 0), side=max(*size) // 2)))
    shown = read(output)
    assert len(shown) == 2 and shown[0].luma.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2)


FORMATS = [
    ("libx264", "yuv422p", "mp4"), ("libx264", "yuvj420p", "mp4"), ("libx264", "yuv420p10le", "mp4"),
    ("mjpeg", "yuvj422p", "avi"), ("libvpx", "yuv420p", "webm"), ("ffv1", "yuv444p16le", "mkv"),
    ("ffv1", "gbrp10le", "mkv"), ("rawvideo", "rgb24", "mov"), ("rawvideo", "yuyv422", "mov"), ("gif", "rgb8", "gif"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), FORMATS)
def test_colours_are_those_of_the_source(codec: str, pix_fmt: str, suffix: str, tmp_path: Path) -> None:
    """Full range, RGB and 10 bits become what every player shows right."""
    source = tmp_path / f"clip.{suffix}"
    write(source, [quarters()] * 3, codec, pix_fmt)
    output, _ = made(source)
    for frame in read(output):
        assert_shows(frame, quarters(), tolerance=60 if suffix == "gif" else 20)


def test_the_copy_is_what_browsers_play(tmp_path: Path) -> None:
    output, outcome = made(film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE)))
    with av.open(str(output)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert int(stream.codec_context.color_range) != 2, "not of full range"
    data = output.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat"), "it plays before it is loaded"
    assert outcome.frames == 20 and outcome.duration_s == pytest.approx(2.0)


def times_of(path: Path) -> list[float]:
    return [frame.time_s for frame in read(path)]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_are_kept(suffix: str, tmp_path: Path) -> None:
    """A recording of a screen: pictures come when something happens."""
    source = tmp_path / f"screen.{suffix}"
    stamps = [0, 40, 45, 500, 3000, 3033, 9999]
    write(source, [quarters()] * 7, pts=stamps, time_base=Fraction(1, 1000), rate=1000)
    output, _ = made(source)
    assert times_of(output) == pytest.approx(times_of(source), abs=1e-6)


def test_times_of_ntsc_and_of_a_clock_that_began_before(tmp_path: Path) -> None:
    ntsc, late = tmp_path / "ntsc.mp4", tmp_path / "late.ts"
    write(ntsc, [quarters(32, 16)] * 200, rate=Fraction(30000, 1001), options={"preset": "ultrafast"})
    write(late, [quarters()] * 5, pts=range(200, 205))
    for source in (ntsc, late):
        output, _ = made(source)
        assert times_of(output) == pytest.approx(times_of(source), abs=2e-6)


def with_sound(path: Path, codec: str, rate: int = 8000, layout: str = "mono", streams: int = 1) -> Path:
    """Two seconds of picture, and of a tone from half a second before it on."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=10, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sounds: list[Any] = [out.add_stream(codec, rate=rate, layout=layout) for _ in range(streams)]
        wave = (0.3 * np.sin(np.arange(rate * 5 // 2) * 2 * np.pi * 440 / rate) * 32767).astype(np.int16)
        for number, sound in enumerate(sounds):
            for start in range(0, len(wave), 1024):
                chunk = wave[start : start + 1024][None] // (number + 1)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk), format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                out.mux(sound.encode(frame))
            out.mux(sound.encode())
        for number in range(20):
            picture = av.VideoFrame.from_ndarray(paint({RED: MIDDLE}), format="bgr24")
            picture.pts, picture.time_base = 5 + number, Fraction(1, 10)
            out.mux(video.encode(picture))
        out.mux(video.encode())
    return path


def packets_of(path: Path) -> list[list[tuple[float, bytes]]]:
    """(time, content) of the packets of each audio stream."""
    with av.open(str(path)) as container:
        found: list[list[tuple[float, bytes]]] = [[] for _ in container.streams.audio]
        first = container.streams.audio[0].index if found else 0
        for packet in container.demux(audio=list(range(len(found)))):
            if packet.size and packet.pts is not None:
                found[packet.stream.index - first].append((float(packet.pts * packet.time_base), bytes(packet)))
        return found


def samples_of(path: Path) -> tuple[float, float]:
    """When the sound begins, and for how long it is heard."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        start = min(float(frame.pts * frame.time_base) for frame in frames)
        return start - (container.start_time or 0) / 1e6, sum(frame.samples / frame.sample_rate for frame in frames)


COPIED = [("mp4", "aac", 8000), ("mkv", "flac", 44100), ("mkv", "libopus", 48000), ("mkv", "libmp3lame", 44100)]
ENCODED = [("mkv", "pcm_s16le", 44100), ("mkv", "ac3", 48000), ("avi", "pcm_s16le", 8000), ("mkv", "mp2", 48000),
           ("mkv", "pcm_s16le", 7000)]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec", "rate"), COPIED)
def test_sound_is_copied_where_browsers_play_it(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    layout = "stereo" if codec == "libmp3lame" else "mono"
    source = with_sound(tmp_path / f"talk.{suffix}", codec, rate, layout, streams=2 if suffix == "mp4" else 1)
    output, outcome = made(source)
    before, after = packets_of(source), packets_of(output)
    assert outcome.sound == ["copied"] * len(before) and len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert [content for _, content in new] == [content for _, content in old]
        assert np.ptp([t - s for (t, _), (s, _) in zip(new, old, strict=True)]) < 2e-3
    assert times_of(output) == pytest.approx(times_of(source), abs=2e-3), "picture and sound stay together"


@pytest.mark.parametrize(("suffix", "codec", "rate"), ENCODED)
def test_other_sound_is_encoded(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    layout = "stereo" if codec in ("ac3", "mp2") else "mono"
    source = with_sound(tmp_path / f"talk.{suffix}", codec, rate, layout)
    output, outcome = made(source)
    assert outcome.sound == ["encoded"]
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    (begins, lasts), (begins_too, lasts_too) = samples_of(source), samples_of(output)
    assert begins_too == pytest.approx(begins, abs=0.15) and lasts_too == pytest.approx(lasts, abs=0.2)


def test_a_damaged_video_is_annotated_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "footage" / "a.mkv", [Shot(6.0, {RED: LEFT}, drift=0.5)])
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    index(tmp_path / "archive", whole.parent)
    done = run("annotate", whole, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 3 and "damaged after" in done.stdout
    assert 10 < len(read(tmp_path / "o.mp4")) == len(read(whole)) < 60


def test_a_video_without_people_is_copied(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "empty.mp4", [Shot(1.0, {})])
    index(tmp_path / "archive", source.parent)
    done = run("annotate", source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 0 and "0 people in 0 appearances" in done.stdout
    for old, new in zip(read(source), read(tmp_path / "o.mp4"), strict=True):
        assert np.abs(old.bgr.astype(int) - new.bgr).max() < 8


def test_titles_and_dates_come_along(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE, seconds=0.5))
    tagged = tmp_path / "tagged.mp4"
    with av.open(str(source)) as old, av.open(str(tagged), "w") as new:
        new.metadata.update({"title": "At the harbour", "creation_time": "2014-05-06T07:08:09.000000Z"})
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    output, _ = made(tagged)
    with av.open(str(output)) as container:
        assert container.metadata["title"] == "At the harbour"
        assert container.metadata["creation_time"].startswith("2014-05-06")


# what is refused, and what is left behind


def test_a_moved_copy_is_known_by_its_content(archive: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "renamed [1].mp4"
    moved.parent.mkdir()
    moved.write_bytes((archive / "footage" / "b.mp4").read_bytes())
    done = run("annotate", moved, "-o", tmp_path / "o.mp4", "--archive", archive / "archive")
    assert done.exit_code == 0 and "1 person in 1 appearance" in done.stdout


def refused(*args: str | Path) -> str:
    done = run("annotate", *args)
    assert done.exit_code == 1 and done.stderr.count("\n") == 1 and not done.stdout, done.output
    return str(done.stderr)


def test_what_cannot_be_annotated_says_why(archive: Path, tmp_path: Path) -> None:
    folder, at = archive / "footage", ("--archive", archive / "archive")
    output = ("-o", tmp_path / "o.mp4")
    stranger = film_of(tmp_path / "new\x1b.mp4", [paint({})] * 3)
    said = refused(stranger, *output, *at)
    assert "is not in the archive" in said and "index '" in said and "\x1b" not in said
    assert "there is no such file; name a video" in refused(tmp_path / "none.mp4", *output, *at)
    assert f"one of that name lies at {folder / 'a.mp4'}" in refused(tmp_path / "a.mp4", *output, *at)
    assert "is not in the archive" in refused(folder / "notes.txt", *output, *at)
    assert "is no file" in refused(folder, *output, *at)
    assert "has no identity" in refused(folder / "a.mp4", *output, *at, "--only", "P0099")
    assert "is no font" in refused(folder / "a.mp4", *output, *at, "--font", folder / "notes.txt")
    assert "there is no archive" in refused(folder / "a.mp4", *output, "--archive", tmp_path / "none")
    assert list(tmp_path.glob("*o.mp4*")) == []


def test_a_video_that_is_gone_is_told(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(1.0, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    source.unlink()
    said = refused(source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")
    assert "there is no such file; the archive saw it at" in said and "name where it lies now" in said


def test_a_photograph_is_refused(tmp_path: Path) -> None:
    from builders import photograph

    source = photograph(tmp_path / "footage" / "a.png", RED)
    index(tmp_path / "archive", source.parent)
    assert "is a photograph" in refused(source, "-o", tmp_path / "o.mp4", "--archive", tmp_path / "archive")


def test_what_may_not_be_written_is_left_alone(archive: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes((archive / "footage" / "a.mp4").read_bytes())
    at = ("--archive", archive / "archive")
    other = archive / "footage" / "b.mp4"
    contents = source.read_bytes(), other.read_bytes()
    link, hard = tmp_path / "link.mp4", tmp_path / "hard.mp4"
    link.symlink_to(source)
    hard.hardlink_to(source)
    for output in (source, link, hard):
        assert "is the video itself" in refused(source, "-o", output, *at, "--overwrite")
    assert "is footage of the archive" in refused(source, "-o", other, *at, "--overwrite")
    assert "belongs to an archive" in refused(source, "-o", archive / "archive" / "identities" / "x.mp4", *at)
    assert "ends in .mp4" in refused(source, "-o", tmp_path / "o.mkv", *at)
    assert "there is no folder" in refused(source, "-o", tmp_path / "no" / "o.mp4", *at)
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    assert "add --overwrite" in refused(source, "-o", taken, *at)
    assert taken.read_bytes() == b"mine" and (source.read_bytes(), other.read_bytes()) == contents
    assert run("annotate", source, "-o", taken, *at, "--overwrite").exit_code == 0
    assert len(read(taken)) == 25


@pytest.mark.parametrize(
    "more", [["--blur", "others"], ["--blur", "all", "--only", "P0001"], ["--blur", "some"], ["-o", ""]]
)
def test_wrong_usage(more: list[str], archive: Path) -> None:
    done = run("annotate", archive / "footage" / "a.mp4", "--archive", archive / "archive", *more)
    assert done.exit_code == 2 and "Usage: cvid annotate" in done.stderr


def test_an_output_among_the_footage_is_told(archive: Path, tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(1.0, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    done = run("annotate", source, "-o", source.parent / "o.mp4", "--archive", tmp_path / "archive")
    assert done.exit_code == 0 and "the next index would take it for footage" in done.stdout


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    source = film_of(tmp_path / "a.mp4", moving(RED, lambda s: MIDDLE))
    home = tmp_path / "out"
    home.mkdir()

    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate(source, cast(), Wish(), home / "o.mp4", interrupt)
    assert list(home.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_behind(archive: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    source = archive / "footage" / "a.mp4"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(AnnotatingError, match=r"o\.mp4: cannot be written \(File too large\)"):
            annotate(source, cast(), Wish(), tmp_path / "o.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_plain_lines(archive: Path, tmp_path: Path) -> None:
    from io import StringIO

    from rich.console import Console

    from reports.annotating.display import Display

    lines: list[str] = []
    now = iter(range(100))
    with Display(Console(file=StringIO()), lines.append, "a\x1b.mp4", lambda: float(next(now))) as display:
        for second in range(0, 21, 2):
            display(Step(second * 10, float(second), 20.0))
    assert len(lines) == 10 and lines[0].startswith("a\\x1b.mp4: 0:02 of 0:20 · 20 frames · 1.0× real time")
    assert "left" in lines[0] and "left" not in lines[-1]


def test_names_reach_the_picture_and_the_summary(tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage" / "a.mp4", [Shot(2.5, {RED: LEFT})])
    index(tmp_path / "archive", source.parent)
    with Catalogue.open(tmp_path / "archive") as catalogue:
        (person,) = catalogue.people()
    for name in ("Jane Doe", "\x1b[31m<script>\u202e"):
        assert run("name", person.id, name, "--archive", tmp_path / "archive").exit_code in (0, 1)
        done = run(
            "annotate", source, "-o", tmp_path / "o.mp4", "--overwrite", "--archive", tmp_path / "archive", "--json"
        )
        assert done.exit_code == 0 and "\x1b" not in done.output
        assert len(read(tmp_path / "o.mp4")) == 25

"""Colours, names and the timeline: readable, whatever the name, and inside the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from annotated import bgr, film_of, follow, made, moving, near, trail
from builders import GREEN, HEIGHT, MIDDLE, RED, SIDE, WIDTH, paint
from filming import read

from reports.annotating.colours import BLACK, GREY, Matrix, colour_of, contrast, text_on
from reports.annotating.fonts import Letterer

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

"""The report in a browser: search, filters, keys, light and dark, and whether everybody can use it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NARROW, WIDE, Visit, are, are_some, chromium, says, visit
from reporting import EVIL, HOSTILE, archive_of, reported, spoil
from sqlalchemy import update

from archive.catalogue import Catalogue
from archive.schema import files, identities
from reports.names import printable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from many_people import make_archive

PEOPLE = 230
PAGES = ("index.html", "people/P0001.html", "timeline.html", "together.html", "heat.html", "sure.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 230 people, moved somewhere else: P0001 to P0005 attack, P0230 is Zoë, the others have no names."""
    archive = tmp_path_factory.mktemp("archive")
    make_archive(archive, PEOPLE, 500)
    names = {f"P{number + 1:04d}": name for number, name in enumerate(HOSTILE)} | {"P0230": "Zoë Ångström"}
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.execute(update(identities).values(name=""))
        for identity, name in names.items():
            catalogue.connection.execute(update(identities).where(identities.c.id == identity).values(name=name))
        lost = files.c.path == "tape 000/clip_00003.mp4"
        catalogue.connection.execute(update(files).where(lost).values(path=f"tape/{HOSTILE[0]}.mp4", missing=True))
    place = tmp_path_factory.mktemp("elsewhere") / "a copy # of 100% ä?"
    shutil.move(reported(archive).index.parent, place)
    return place


@pytest.fixture(scope="module")
def small(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of those who attack, each seen thrice, and together."""
    people = {f"P{n + 1:04d}": [(v, 2.0 * n, 60.0 * n, 0.6 + n / 10) for v in "abc"] for n in range(len(HOSTILE))}
    names = dict(zip(people, HOSTILE, strict=True))
    archive = archive_of(tmp_path_factory.mktemp("small"), people, {"b": f"{EVIL}.mp4"}, **names)
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.execute(update(files).where(files.c.path == "c.mp4").values(missing=True))
        spoil_one = next(iter(catalogue.appearances("P0002"))).appearance
    spoil(archive, spoil_one)
    return reported(archive).index.parent


@pytest.fixture
def seen(browser: Any, folder: Path) -> Iterator[Visit]:
    with visit(browser, folder) as opened:
        opened.go("index.html")
        yield opened


def cards(page: Any) -> list[str]:
    """Who is shown."""
    return [text.strip() for text in page.locator("#people .name").all_inner_texts()]


def count(page: Any) -> int:
    return int(page.locator("#people > li").count())


def ask(page: Any, field: str, value: str) -> None:
    """Fill in a field and wait for the answer."""
    if field in ("named", "sort"):
        page.select_option(f"#{field}", value)
    else:
        page.fill(f"#{field}", value)
    are_some(page.locator("#found:not(:empty)"))


# --- search and filters


def test_people_are_found_by_name_and_by_id(seen: Visit) -> None:
    page = seen.page
    assert count(page) == 200 and page.locator("#pages nav").is_visible()
    ask(page, "q", "angstrom")
    assert cards(page) == ["Zoë Ångström"] and page.inner_text("#found") == "1 of 230 people"
    assert page.locator("#pages nav").is_hidden()
    ask(page, "q", "p0117")
    says(page.locator("#people .name"), "P0117")
    page.fill("#q", "nobody is called so")
    says(page.locator("#found"), "Nobody fits.")
    page.click("#clear")
    are(page.locator("#people > li"), 200)
    assert page.locator("#pages nav").is_visible()


def test_people_are_filtered_and_sorted(seen: Visit) -> None:
    page = seen.page
    ask(page, "named", "named")
    assert page.inner_text("#found") == "6 of 230 people" and count(page) == 6
    ask(page, "sort", "name")
    shown = cards(page)
    assert shown.index("Zoë Ångström") > shown.index("[bold]Jane[/bold] {{ 12345*6789 }} {% raw %}") >= 0
    page.select_option("#named", "unnamed")
    says(page.locator("#found"), "224 of 230 people")
    assert count(page) == 200
    page.click("#more button")
    assert count(page) == 224 and page.locator("#more").is_hidden()
    page.click("#clear")
    page.check("#doubtful")
    are_some(page.locator("#found:not(:empty)"))
    assert 0 < count(page) < 200
    assert page.locator("#people .level.doubtful").count() == count(page)
    ask(page, "sort", "id")
    shown = cards(page)
    assert [name for name in shown if name.startswith("P0")] == sorted(name for name in shown if name.startswith("P0"))


def test_people_are_found_by_video(seen: Visit) -> None:
    page = seen.page
    page.focus("#video")
    are_some(page.locator("#videos option"))
    ask(page, "video", "alert(1)")
    found = count(page)
    assert 3 < found < 60
    page.locator("#people a").first.click()
    marked = page.locator("tr", has_text="<script>alert(1)</script>.mp4")
    assert marked.count() >= 1 and marked.first.locator(".missing").inner_text() == "missing"


def test_names_that_attack_are_text(seen: Visit) -> None:
    page = seen.page
    ask(page, "named", "named")
    wanted = {" ".join(printable(name).split()) for name in HOSTILE}
    assert wanted <= set(map(str.strip, page.locator("#people .name bdi").all_text_contents()))
    for number in range(1, len(HOSTILE) + 1):
        seen.go(f"people/P{number:04d}.html")
        assert page.inner_text("h1").strip() == " ".join(printable(HOSTILE[number - 1]).split())
    assert page.evaluate("window.innerWidth >= document.documentElement.scrollWidth")


def test_the_way_back_keeps_what_was_asked(seen: Visit) -> None:
    page = seen.page
    ask(page, "q", "zoe")
    page.locator("#people a").first.click()
    assert page.inner_text("h1") == "Zoë Ångström"
    page.go_back()
    are(page.locator("#people > li"), 1)
    assert page.input_value("#q") == "zoe" and cards(page) == ["Zoë Ångström"]


# --- keys


def test_everything_goes_by_keys(seen: Visit) -> None:
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("p00/")
    says(page.locator("#found"), "Nobody fits.")
    page.keyboard.press("Backspace")
    are(page.locator("#people > li"), 99)
    page.keyboard.press("ArrowDown")
    at = "[...document.querySelectorAll('#people a')].indexOf(document.activeElement)"
    assert page.evaluate(at) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(at) == 1
    page.keyboard.press("ArrowDown")
    row = page.evaluate(at)
    top = "document.querySelectorAll('#people a')[{}].getBoundingClientRect()"
    assert row > 2 and page.evaluate(top.format(row) + ".left") == page.evaluate(top.format(1) + ".left")
    page.keyboard.press("End")
    assert page.evaluate(at) == 98
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(at) == 0
    name = page.evaluate("document.activeElement.querySelector('.name').textContent.trim()")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/*.html")
    assert page.inner_text("h1").strip() == name
    page.go_back()
    page.focus("#q")
    page.keyboard.press("Escape")
    are(page.locator("#people > li"), 200)
    assert page.input_value("#q") == ""


def test_the_focus_can_be_seen(seen: Visit) -> None:
    page = seen.page
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
                              "(getComputedStyle(document.activeElement))")  # fmt: skip
        assert style == ["solid", "3px"]


# --- looks


CHECKS = (
    ("light", WIDE, {}),
    ("dark", WIDE, {"runOnly": ["color-contrast"]}),
    ("light", NARROW, {"runOnly": ["target-size", "scrollable-region-focusable"]}),
)
"""What axe looks at: everything once, and again what other colours or less room can change."""


@pytest.mark.parametrize(("scheme", "size", "rules"), CHECKS, ids=["light", "dark", "narrow"])
def test_pages_pass_axe_and_fit(
    browser: Any, small: Path, folder: Path, scheme: str, size: tuple[int, int], rules: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    for place, names in ((small, PAGES), (folder, ("index-2.html",))):
        with visit(browser, place, size, color_scheme=scheme) as opened:
            for name in names:
                page = opened.go(name)
                for closed in page.locator("details:not([open]) > summary").all():
                    closed.click()
                found = axe.run(page, options=options).response["violations"]
                assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found] == [], name
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def test_light_and_dark_moving_or_not(browser: Any, folder: Path) -> None:
    grounds, moves = [], []
    for scheme, motion in (("light", "reduce"), ("dark", "no-preference")):
        with visit(browser, folder, color_scheme=scheme, reduced_motion=motion) as opened:
            page = opened.go("sure.html")
            grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            page = opened.go("index-2.html")
            moves.append(page.evaluate("getComputedStyle(document.querySelector('#people a')).transitionDuration"))
    light, dark = ([int(n) for n in ground[4:-1].split(",")] for ground in grounds)
    assert min(light) > 200 and max(dark) < 60
    assert moves == ["0s", "0.15s"]


def test_on_paper_only_what_can_be_read_there(seen: Visit) -> None:
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.locator("#search").is_hidden() and seen.page.locator(".top nav").is_hidden()
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_the_page_reads_without_scripts(browser: Any, folder: Path) -> None:
    with visit(browser, folder, java_script_enabled=False) as opened:
        page = opened.go("index.html")
        assert page.locator("#people > li").count() == 200 and page.locator("#search").is_hidden()
        page.locator("#pages a", has_text="Next").click()
        assert page.locator("#people > li").count() == 30
        page.locator("#people a").first.click()
        assert page.locator("table.log tr").count() > 1


def test_a_link_to_a_row_of_the_log_leads_there(seen: Visit) -> None:
    page = seen.go("people/P0002.html")
    page.locator(".faces a").first.click()
    assert page.evaluate("document.querySelector('tr:target') !== null")


def test_the_first_page_is_light(seen: Visit) -> None:
    seen.page.wait_for_load_state("networkidle")
    assert len(seen.loaded) > 10 and not [path for path in seen.loaded if path.name == "people.js"]
    assert sum(path.stat().st_size for path in set(seen.loaded)) < 1_000_000

"""The report: what its pages say, that they hold together, and that nothing of a name or a path gets through."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from builders import painted_settings
from calling import run
from deciding import CAST, cast, of
from reporting import EVIL, HOSTILE, archive_of, jpeg_of, page, pictured, reported, spoil, texts
from sqlalchemy import update

from archive.catalogue import Catalogue
from archive.overview import bar_in_use, overview, snapshot
from archive.schema import files, identities
from archive.sorting.settle import settle
from cvid.clustering.bars import bar_for
from cvid.opencv import cv2
from reports.names import printable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from many_people import make_archive

OUTSIDE = ("://", '"//', "'//", "(//", "/home/", "/tmp/", "/work/", '"/footage', "/root/", "file:/")
"""What an address or an absolute path would be known by."""
OWN_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """P0001 is Jane, P0002 and P0003 have no names; P0003 is seen beside P0001."""
    return archive_of(tmp_path_factory.mktemp("archive"), P0001="Jane Doe")


@pytest.fixture(scope="module")
def report(archive: Path) -> Path:
    return reported(archive).index.parent


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of people and videos with names that attack."""
    names = {f"P{number + 1:04d}": name for number, name in enumerate(HOSTILE)}
    paths = {
        "a": f"{EVIL}.mp4",
        "b": "\udcff\x1b[2J.mp4",
        "c": "a'b`c&lt;",
        "d": "{{ 12345*6789 }}",
        "e": "$x^2$\u2067.mp4",
    }
    people = {one: [(v, 10.0 * place, 0.0, 0.9) for v in paths] for place, one in enumerate(names)}
    archive = archive_of(tmp_path_factory.mktemp("hostile"), people, paths, **names)
    return reported(archive, plots=True).index.parent


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 401 people."""
    archive = tmp_path_factory.mktemp("many")
    make_archive(archive, 401, 600)
    return reported(archive).index.parent


# --- the folder


def test_the_report_lies_in_the_archive_for_its_owner_alone(archive: Path, report: Path) -> None:
    assert report == archive / "reports" and (report / "index.html").is_file()
    assert stat.S_IMODE(report.stat().st_mode) == 0o700
    assert {path.name for path in archive.iterdir() if "report" in path.name} == {"reports"}
    assert not list(report.rglob("lock"))


@pytest.mark.parametrize("name", ["report", "hostile"])
def test_every_link_leads_somewhere_inside_the_folder(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    pages = {path: page(path) for path in folder.rglob("*.html")}
    ids = {path: {attributes.get("id") for _, attributes in found.tags} for path, found in pages.items()}
    links = [
        (path, attributes[name])
        for path, found in pages.items()
        for _, attributes in found.tags
        for name in ("href", "src")
        if name in attributes
    ]
    assert len(links) > 50
    for path, link in links:
        file, _, place = unquote(link).partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_file() and target.is_relative_to(folder.resolve()), (path, link)
        assert not place or place in ids[target], (path, link)


@pytest.mark.parametrize("name", ["report", "hostile"])
def test_nothing_names_this_machine_or_the_network(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    for file, text in texts(folder).items():
        plain = text.replace(OWN_NAMESPACE, "") if file.endswith(".svg") else text
        assert not [mark for mark in OUTSIDE if mark in plain], file
        assert str(folder.parent) not in text, file
        if file.endswith(".html"):
            policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
            assert len(policy) == 1 and policy[0].startswith("default-src 'none'; ") and "unsafe" not in policy[0]


def test_the_same_archive_gives_the_same_files(archive: Path, report: Path, tmp_path: Path) -> None:
    again = reported(archive, tmp_path / "again").index.parent
    files_of = {path.relative_to(report): path.read_bytes() for path in report.rglob("*") if path.is_file()}
    assert files_of == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}


# --- what the pages say


def test_the_people_with_their_figures(report: Path) -> None:
    index = page(report / "index.html")
    assert [a["href"] for a in index.all("a", href="people/")] == [f"people/P000{n}.html" for n in (1, 2, 3)]
    assert "3 people, 1 of them named, in 3 videos." in index.text
    assert "6 appearances, 3 of them doubtful; 1 more could not be told to be anybody's" in index.text
    assert "Jane Doe P0001 3 appearances 3 videos" in index.text and "? 1 doubtful" in index.text
    assert index.all("img", alt="Portrait of Jane Doe", src="portraits/P0001.jpg", loading="lazy")
    assert cv2.imread(str(report / "portraits" / "P0001.jpg")) is not None


def test_one_person_in_full(report: Path) -> None:
    jane = page(report / "people" / "P0001.html")
    assert "Jane Doe" in jane.text and "3 in 3 videos" in jane.text and "12.0 s" in jane.text
    alts = [image["alt"] for image in jane.all("img", src="../faces/P0001/")]
    assert alts[0].startswith("Portrait of Jane Doe") and alts[1:4] == alts[4:]
    assert alts[1:4] == [f"Face of Jane Doe in {video}.mp4 at 0:00" for video in "abc"]
    assert "0:00–0:04 ● confident 0.80 0.20 1 0.90 1 other appearance speaks for it" in jane.text
    assert jane.all("svg", class_="lane", aria_label="")  # all have names
    lanes = [svg["aria-label"] for svg in jane.all("svg", class_="lane")]
    assert lanes[0].startswith("All videos: a.mp4, 0:00–0:04, confident, similarity 0.80; b.mp4, 0:00")
    assert lanes[3] == "c.mp4: 0:00–0:04, doubtful, similarity 0.73"
    assert "Seen with" in jane.text and "P0003 1 1 4.0 s" in jane.text and "P0002 2 never" in jane.text
    assert 'cvid name P0001 "Jane Doe"' in jane.text


def test_the_timeline_has_every_video_and_everybody_in_it(report: Path) -> None:
    timeline = page(report / "timeline.html")
    assert "3 videos, by path." in timeline.text
    labels = [svg["aria-label"].split(":")[0] for svg in timeline.all("svg", class_="lane")]
    assert labels == ["Jane Doe", "P0002", "P0003", *["Jane Doe", "P0002", "P0003"], "Jane Doe", "P0002",
                      "Jane Doe", "nobody's"]  # fmt: skip
    spans = timeline.all("rect", height="14")
    assert all(float(s["x"]) >= 0 and float(s["x"]) + float(s["width"]) <= 1000.1 for s in spans)


def test_who_is_seen_with_whom(report: Path) -> None:
    together = page(report / "together.html")
    assert "Jane Doe P0003 1 1 4.0 s Jane Doe P0002 2 never P0002 P0003 1 never" in together.text
    assert len(together.all("line", class_="at-once")) == 1 and len(together.all("line", class_="apart")) == 2
    assert {a["href"] for a in together.all("a", aria_label="P")} == {"people/P0002.html", "people/P0003.html"}


def test_how_long_everybody_is_seen_in_each_video(report: Path) -> None:
    heat = page(report / "heat.html")
    assert len(heat.all("rect", class_="heat1", x="")) == 6 + 1  # and the key
    assert "Jane Doe 4 4 4 P0002 4 4 P0003 4" in heat.text
    assert "Jane Doe in a.mp4: 4.0 s, 1 appearance" in heat.text


def test_how_sure_it_is(report: Path) -> None:
    sure = page(report / "sure.html")
    assert "A match is a lead to check, never proof." in sure.text
    assert "● confident 3 ? doubtful 3" in sure.text and "✓ confirmed A human said so." in sure.text
    assert "0.725 to 0.750 1 0" in sure.text
    assert "The upright line is the bar" not in sure.text  # nothing was ever sorted


def test_the_bar_is_the_one_in_use(tmp_path: Path) -> None:
    with cast(tmp_path, look=pictured) as catalogue:
        assert bar_in_use(catalogue) is None
        settle(catalogue, painted_settings())
        assert bar_in_use(catalogue) == 0.7
        settle(catalogue, painted_settings(clustering={"bar": 0.0}), anew=True)
        bar = bar_for(catalogue.models()["embedder"], 7, painted_settings(clustering={"bar": 0.0}).clustering)
        assert bar_in_use(catalogue) == bar
    sure = page(reported(tmp_path).index.parent / "sure.html")
    assert f"the bar that this archive was sorted with, {bar:.2f}" in sure.text and f"bar {bar:.2f}" in sure.text


def test_an_archive_keeps_its_figures_when_a_writer_is_at_work(tmp_path: Path) -> None:
    archive = archive_of(tmp_path)
    with Catalogue.open(archive) as reader, snapshot(reader.connection):
        before = overview(reader.connection)
        with Catalogue.create_or_open(archive) as writer:
            writer.connection.execute(update(identities).values(name="Somebody"))
        assert [person.name for person in overview(reader.connection).people] == [p.name for p in before.people]
    with Catalogue.open(archive) as reader:
        assert overview(reader.connection).people[0].name == "Somebody"


# --- names that attack


def test_no_name_becomes_markup(hostile: Path) -> None:
    for path in sorted(hostile.rglob("*.html")):
        found = page(path)
        scripts = [attributes for tag, attributes in found.tags if tag == "script"]
        assert [re.sub(r"^(\.\./)?", "", script.pop("src")) for script in scripts] == ["assets/page.js"], path.name
        assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")], path.name
        assert not {tag for tag, _ in found.tags} & {"iframe", "object", "embed", "base", "style"}
        assert not [attributes for _, attributes in found.tags if "style" in attributes]
        assert "83810205" not in found.text, path.name
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", path.read_text(encoding="utf-8")
        )


def test_names_are_shown_as_they_are(hostile: Path) -> None:
    index = page(hostile / "index.html")
    for number, name in enumerate(HOSTILE):
        wanted = " ".join(printable(name).split())
        person = page(hostile / "people" / f"P{number + 1:04d}.html")
        assert wanted in index.text and wanted in person.text
        assert EVIL in person.text and r"\xff\x1b[2J.mp4" in person.text
    assert sorted(path.name for path in (hostile / "people").iterdir()) == [f"P000{n}.html" for n in range(1, 6)]


def test_names_reach_the_script_as_data(hostile: Path) -> None:
    for name in ("people.js", "where.js"):
        text = (hostile / "assets" / name).read_text(encoding="ascii")
        assert "<" not in text and "\u2028" not in text
        assert re.fullmatch(r"window\.\w+=\[\n(?:\[.*\],\n)+\];\n", text)
    rows = read_script(hostile / "assets" / "people.js")
    assert {row[1] for row in rows} == {printable(name) for name in HOSTILE}


def read_script(path: Path) -> list[list[object]]:
    """The rows of an index."""
    inside = path.read_text().partition("=")[2].rstrip().rstrip(";")
    return list(json.loads(inside.replace(",\n]", "\n]")))


def test_bytes_that_are_no_text_can_be_told_apart(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, paths={"a": "\udcff", "b": r"\xff"})
    rows = read_script(reported(archive).index.parent / "assets" / "where.js")
    assert len(set(map(str, rows[0]))) == 3


# --- large archives


def test_people_come_in_pages(many: Path) -> None:
    sizes = [len(page(many / name).all("a", href="people/")) for name in ("index.html", "index-2.html", "index-3.html")]
    assert sizes == [200, 200, 1] and not (many / "index-4.html").exists()
    assert [a["href"] for a in page(many / "index-2.html").all("a", rel="next")] == ["index-3.html"]
    rows = read_script(many / "assets" / "people.js")
    assert len(rows) == 401 and [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
    where = read_script(many / "assets" / "where.js")
    assert len(where) == 402 and all(len(videos) == row[3] for row, videos in zip(rows, where[1:], strict=True))


def test_the_first_page_is_small(many: Path) -> None:
    first = page(many / "index.html")
    loaded = ["index.html", "assets/page.css", "assets/page.js", *(img["src"] for img in first.all("img"))]
    assert sum((many / name).stat().st_size for name in loaded) < 1_000_000


def test_a_long_log_comes_in_pages(tmp_path: Path) -> None:
    make_archive(tmp_path, 2, 1300)
    people = reported(tmp_path).index.parent / "people"
    assert sorted(path.name for path in people.iterdir())[:2] == ["P0001-2.html", "P0001.html"]
    first, second = page(people / "P0001.html"), page(people / "P0001-2.html")
    assert len(first.all("tr", id="a-")) == 500 and len(first.all("figure")) == 200
    assert "200 faces of" in first.text and "those in doubt first" in first.text
    assert not second.all("figure") and "Log" in second.text and second.all("a", rel="prev")


# --- bad input


def test_an_archive_of_nothing(tmp_path: Path) -> None:
    with Catalogue.create_or_open(tmp_path):
        pass
    folder = reported(tmp_path, plots=True).index.parent
    assert "Nobody yet. No footage has been indexed." in page(folder / "index.html").text
    for name in ("timeline", "together", "heat", "sure"):
        assert page(folder / f"{name}.html").all("h1")
    assert not (folder / "plots").exists()


def test_footage_in_which_nobody_is_told(tmp_path: Path) -> None:
    folder = reported(archive_of(tmp_path, {"": CAST[""]})).index.parent
    assert "Nobody yet. 1 video was indexed, and 1 face found" in page(folder / "index.html").text
    assert "nobody's" in page(folder / "timeline.html").text


def test_a_person_who_is_seen_nowhere_any_more(tmp_path: Path) -> None:
    archive = archive_of(tmp_path)
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.exec_driver_sql("INSERT INTO identities VALUES ('P0005', 'Gone', 'confirmed', NULL)")
    folder = reported(archive).index.parent
    assert "Seen nowhere now" in page(folder / "people" / "P0005.html").text
    assert "no picture Gone P0005 0 appearances 0 videos ✓ confirmed" in page(folder / "index.html").text


def test_a_missing_video_is_marked(tmp_path: Path) -> None:
    archive = archive_of(tmp_path)
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.execute(update(files).where(files.c.path == "b.mp4").values(missing=True))
    folder = reported(archive).index.parent
    assert "1 source is missing" in page(folder / "index.html").text
    assert "b.mp4 missing" in page(folder / "timeline.html").text
    assert "It no longer lies where it was indexed; what was seen in it is kept" in page(folder / "timeline.html").text
    person = page(folder / "people" / "P0002.html")
    assert len(person.all("span", class_="mark missing")) == 2 and "a.mp4 missing" not in person.text


@pytest.mark.parametrize(
    "jpeg", [b"", b"\xff\xd8 no picture \xff\xd9", jpeg_of(1)[:40], bytes(5000)], ids=["empty", "no", "cut", "zeros"]
)
def test_a_damaged_picture_is_a_note(tmp_path: Path, jpeg: bytes) -> None:
    archive = archive_of(tmp_path)
    with Catalogue.open(archive) as catalogue:
        best = of(catalogue, "P0001")[0]
    spoil(archive, best, jpeg)
    done = run("report", "--archive", archive)
    assert done.exit_code == 0 and "1 picture in the catalogue cannot be shown" in done.stderr
    person = page(archive / "reports" / "people" / "P0001.html")
    assert "1 picture in the catalogue is damaged" in person.text
    assert "damaged picture: Face of P0001 in a.mp4 at 0:00" in person.text
    assert len(person.all("img", src="../faces/P0001/")) == 5  # two of the three, twice, and the portrait


def test_people_without_any_picture(tmp_path: Path) -> None:
    with cast(tmp_path, look=pictured) as catalogue:
        catalogue.connection.exec_driver_sql("DELETE FROM pictures")
    folder = reported(tmp_path).index.parent
    assert "no picture P0001" in page(folder / "index.html").text and not (folder / "faces").exists()


def test_two_videos_of_one_path_are_told_apart(tmp_path: Path) -> None:
    archive = archive_of(tmp_path)
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.exec_driver_sql("INSERT INTO roots VALUES (9, CAST('/media/tape 9' AS BLOB))")
        catalogue.connection.execute(update(files).where(files.c.path == "b.mp4").values(path="a.mp4", root_id=9))
    text = page(reported(archive).index.parent / "timeline.html").text
    assert "a.mp4 (footage)" in text and "a.mp4 (tape 9)" in text and "/media" not in text


# --- plots


def test_plots_are_pictures(hostile: Path) -> None:
    drawn = sorted((hostile / "plots").iterdir())
    assert [path.name for path in drawn] == ["people-and-videos.png", "similarity.png", "timeline.png"]
    for path in drawn:
        picture = cv2.imread(str(path))
        assert picture is not None and picture.shape[0] > 200 and len(np.unique(picture)) > 20


# --- the verb


def test_the_verb_says_where_it_is_and_to_take_care(archive: Path, tmp_path: Path) -> None:
    done = run("report", "--archive", archive, "-o", tmp_path / "page")
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "page" / "index.html")
    assert "3 people, 6 appearances in 3 videos: " in done.stderr
    assert "It holds faces: share it with care" in done.stderr


def test_the_verb_without_an_archive(tmp_path: Path) -> None:
    done = run("report", "--archive", tmp_path / "none")
    assert done.exit_code == 1 and "there is no archive at" in done.stderr and not list(tmp_path.iterdir())

"""Archives for tests of the report, and a reader of its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

from builders import MIDDLE, PALETTE, paint, track_analysis, unit
from deciding import CAST, Seen, cast
from sqlalchemy import update

from archive.catalogue import Catalogue
from archive.schema import assignments, files, identities, pictures
from cvid.opencv import cv2
from cvid.types import Track, TrackAnalysis
from reports.page.writing import Written, write_report

NOTHING: Mapping[str, str] = {}
EVIL = '"><script>alert(1)</script>'
HOSTILE = (
    "<script>alert(1)</script>",
    "[bold]Jane[/bold] {{ 12345*6789 }} {% raw %}",
    "محمد الأمين\u202egpj.exe",
    "Jane\x1b[31m\n\t'\"`&amp;<!--",
    "Long " * 60,
)
"""Names that try to be markup, a template, another direction, a terminal's commands, or too long."""


def jpeg_of(number: int) -> bytes:
    """A face as a JPEG file."""
    done, data = cv2.imencode(".jpg", paint({PALETTE[number % len(PALETTE)]: MIDDLE})[:100, 40:120])
    assert done
    return bytes(data)


def pictured(one: Track) -> TrackAnalysis:
    """An appearance whose picture can be shown."""
    seen = track_analysis(one, unit(1, 0, 0))
    return replace(seen, pictures=[(float(one.time_s[0]), jpeg_of(int(one.time_s[0])))])


def archive_of(
    folder: Path,
    people: Mapping[str, Sequence[Seen]] = CAST,
    paths: Mapping[str, str] = NOTHING,
    **names: str,
) -> Path:
    """An archive in which these people are seen, and called so; `paths` are those of videos that lie elsewhere."""
    with cast(folder, people, pictured) as catalogue:
        judge(catalogue)
        for video, path in paths.items():
            catalogue.connection.execute(update(files).where(files.c.path == f"{video}.mp4").values(path=path))
        for identity, name in names.items():
            catalogue.connection.execute(update(identities).where(identities.c.id == identity).values(name=name))
    return folder


def judge(catalogue: Catalogue) -> None:
    """Say how sure each guess is: doubtful where the picture is poor."""
    for seen in list(catalogue.appearances()):
        if seen.identity:
            word = "doubtful" if seen.quality < 0.75 else "confident"
            figures = {"similarity": 0.5 + seen.quality / 3, "margin": 0.2, "support": 1, "certainty": word}
            row = assignments.c.track_id == seen.appearance
            catalogue.connection.execute(update(assignments).where(row).values(**figures))


def spoil(archive: Path, appearance: str, jpeg: bytes = b"\xff\xd8 no picture \xff\xd9") -> None:
    """Damage the picture of an appearance in the catalogue."""
    with Catalogue.create_or_open(archive) as catalogue:
        row = pictures.c.track_id == appearance
        catalogue.connection.execute(update(pictures).where(row).values(jpeg=jpeg))


def reported(archive: Path, output: Path | None = None, plots: bool = False) -> Written:
    """Write the report of an archive."""
    with Catalogue.open(archive) as catalogue:
        return write_report(catalogue, output, lambda what, done, total: None, plots)


def texts(folder: Path) -> dict[str, str]:
    """Every file of a report that is text."""
    kinds = (".html", ".js", ".css", ".svg", ".json")
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in kinds
    }


APART = frozenset("title li p dt dd div tr td th h1 h2 figcaption option rect line svg summary".split())
"""Elements that do not run on from the text before them."""


@dataclass
class Page:
    """What a page holds, as a browser would read it."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of all elements of a kind, with these classes or other attributes."""
        return [
            found
            for name, found in self.tags
            if name == tag
            and all(value in found.get(key.rstrip("_").replace("_", "-"), "") for key, value in wanted.items())
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.parts.append(" " if tag in APART else "")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def page(path: Path) -> Page:
    """Read a page."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.page.text = " ".join("".join(reader.parts).split())
    return reader.page

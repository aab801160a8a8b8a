"""The pages of the people, written one by one, so that a large archive takes little more memory than a small one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from archive.catalogue import Catalogue
from archive.names import slug
from archive.overview import Source, faces
from archive.queries import logged
from archive.records import Appearance
from reports.names import printable
from reports.page.content import Card, Content, pages_of, source_link
from reports.page.faces import Faces, FaceWriter, chosen
from reports.page.rendering import Renderer
from reports.page.wording import LEVEL_OF, Level, Who, between, why
from reports.wording import clock

ROWS_A_PAGE = 500
_LANES_MOST = 100
_COMPANY_MOST = 12
_EDGES_MOST = 40
"""Where more sources lie one after another, their borders would hide the lane and swell the page."""


@dataclass(frozen=True)
class Row:
    """An appearance in the log and the gallery; `face` is None where no picture is kept, "" of a broken one."""

    id: str
    anchor: str
    page: str
    source: Source
    name: str
    file: str
    href: str
    when: str
    level: Level
    similarity: float | None
    margin: float | None
    support: int
    quality: float
    why: str
    face: str | None
    alt: str


@dataclass(frozen=True)
class Portrayed:
    """What the other pages need to know of a person's: the small picture, "" without one, and the damaged ones."""

    portrait: str
    damaged: int


def write_people(catalogue: Catalogue, content: Content, writer: FaceWriter, renderer: Renderer) -> Iterator[Portrayed]:
    """Write the pages of everybody, by id."""
    number_of = {source.sha256: row for row, source in enumerate(content.seen.sources)}
    place = {card.row: at for at, card in enumerate(content.in_order)}
    edges = content.timelines.edges() if len(content.names) <= _EDGES_MOST else []
    for card, seen in _by_person(catalogue, content):
        jpegs = faces(catalogue.connection, chosen([appearance for appearance, _ in seen]))
        held = writer.write(card.who, [appearance for appearance, _ in seen], jpegs)
        rows = [
            _row(content, card.who, appearance, number_of[sha256], held, at)
            for at, (appearance, sha256) in enumerate(seen)
        ]
        _write(content, renderer, card, rows, held, place[card.row], edges)
        yield Portrayed(held.portrait, held.damaged)


def page_of(who: Who, number: int) -> str:
    """The file of one page of a person, from 1."""
    return who.page if number == 1 else f"people/{who.file}-{number}.html"


def _by_person(catalogue: Catalogue, content: Content) -> Iterator[tuple[Card, list[tuple[Appearance, str]]]]:
    """Everybody by id, with their appearances and the sha256 of the source of each; also those who have none."""
    groups = groupby(logged(catalogue.connection), key=lambda pair: pair[0].identity)
    ahead = next(groups, None)
    for card, person in zip(content.cards, content.seen.people, strict=True):
        if ahead and ahead[0] == person.id:
            yield card, list(ahead[1])
            ahead = next(groups, None)
        else:
            yield card, []


def _write(
    content: Content,
    renderer: Renderer,
    card: Card,
    rows: Sequence[Row],
    held: Faces,
    place: int,
    edges: Sequence[float],
) -> None:
    around = content.in_order
    count = pages_of(len(rows), ROWS_A_PAGE)
    company, met = content.together.of(card.row, _COMPANY_MOST)
    quality = [row.quality for row in rows]
    common = {
        "section": "index.html",
        "card": card,
        "faces": held,
        "before": around[place - 1].who if place else None,
        "after": around[place + 1].who if place + 1 < len(around) else None,
        "files": [page_of(card.who, number + 1) for number in range(count)],
        "first": rows[0] if rows else None,
        "last": rows[-1] if rows else None,
        "quality": max(quality, default=0.0),
        "middle": median(quality) if quality else 0.0,
        "alike": content.alike.get(card.row, ()),
        "gallery": [row for row in rows if row.face is not None],
        "shown": sum(1 for row in rows if row.face is not None),
        "strip": content.timelines.over_all(card.row),
        "edges": edges,
        "lanes": [
            {
                "name": content.names[source],
                "source": content.seen.sources[source],
                "href": source_link(source),
                "lane": lane,
                "duration_s": float(content.timelines.duration_s[source]),
            }
            for source, lane in content.timelines.of_person(card.row, _LANES_MOST)
        ],
        "company": [(content.cards[pair.other].who, pair) for pair in company],
        "met": met,
    }
    for number in range(1, count + 1):
        part = rows[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE]
        renderer.write("person.html", page_of(card.who, number), number=number, rows=part, **common)


def _row(content: Content, who: Who, seen: Appearance, source: int, held: Faces, at: int) -> Row:
    name = content.names[source]
    return Row(
        id=printable(seen.appearance),
        anchor=slug(seen.appearance, "x"),
        page=page_of(who, at // ROWS_A_PAGE + 1),
        source=content.seen.sources[source],
        name=name,
        file=name.rpartition("/")[2],
        href=source_link(source),
        when=between(seen.start_s, seen.end_s),
        level=LEVEL_OF.get(seen.certainty, LEVEL_OF[""]),
        similarity=seen.similarity,
        margin=seen.margin,
        support=seen.support,
        quality=seen.quality,
        why=why(seen),
        face=held.files.get(seen.appearance),
        alt=f"Face of {who.called} in {name} at {clock(seen.best_s)}",
    )

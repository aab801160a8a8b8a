"""The pages of the archive as a whole: people, timeline, together, people and videos, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reports.page import search
from reports.page.charts import STEPS, heat_of, histogram_of, picture_of
from reports.page.content import SOURCES_A_PAGE, Card, Content, pages_of, people_page, timeline_page
from reports.page.graph import HEIGHT, WIDTH, first_people, graph_of
from reports.page.rendering import Renderer
from reports.page.timeline import Lane

PEOPLE_A_PAGE = 200
LANES_MOST = 30
"""In one video; the others are named below."""
_OTHERS_MOST = 100
_OVERALL_MOST = 30
_EDGES_MOST = 40
_PAIRS_MOST = 200
_NODES_MOST = 32
_EDGES_SHOWN = 120
"""More lines than that are a tangle."""


def write_index(content: Content, renderer: Renderer, folder: Path, portraits: Sequence[str]) -> None:
    """Write the people, so many a page, and what is searched."""
    order = content.in_order
    count = pages_of(len(order), PEOPLE_A_PAGE)
    files = [people_page(number + 1) for number in range(count)]
    for number in range(1, count + 1):
        cards = order[(number - 1) * PEOPLE_A_PAGE : number * PEOPLE_A_PAGE]
        renderer.write(
            "index.html",
            files[number - 1],
            section="index.html",
            number=number,
            files=files,
            cards=cards,
            portraits=portraits,
            total=len(order),
            page_size=PEOPLE_A_PAGE,
        )
    search.write_people(folder, (_found(card, portraits[card.row]) for card in order))
    where = (np.unique(content.seen.source[content.seen.by_person[card.row]]).tolist() for card in order)
    search.write_where(folder, content.names, where)


def _found(card: Card, portrait: str) -> list[str | int]:
    """A person as the script knows them; the places stand in page.js."""
    figures = [card.appearances, card.videos, round(card.screen_time_s), card.doubtful]
    return [card.who.id, card.who.name, *figures, card.who.file, int(bool(portrait)), int(card.is_confirmed)]


def write_timeline(content: Content, renderer: Renderer) -> None:
    """Write all videos, so many a page, with everybody in them."""
    total = len(content.names)
    count = pages_of(total, SOURCES_A_PAGE)
    files = [timeline_page(number + 1) for number in range(count)]
    most = [card for card in content.in_order[:_OVERALL_MOST] if card.appearances]
    for number in range(1, count + 1):
        rows = range((number - 1) * SOURCES_A_PAGE, min(number * SOURCES_A_PAGE, total))
        first = number == 1
        renderer.write(
            "timeline.html",
            files[number - 1],
            section="timeline.html",
            number=number,
            files=files,
            total=total,
            people_total=len(content.cards),
            overall=[(card, content.timelines.over_all(card.row)) for card in most] if first else (),
            edges=content.timelines.edges() if total <= _EDGES_MOST else (),
            shown=[_source(content, row) for row in rows],
        )


def _source(content: Content, row: int) -> dict[str, object]:
    lanes = content.timelines.of_source(row)
    people = [lane for lane in lanes if lane.row >= 0]
    shown = [*people[:LANES_MOST], *lanes[len(people) :]]
    others = people[LANES_MOST:]
    return {
        "row": row,
        "name": content.names[row],
        "source": content.seen.sources[row],
        "duration_s": float(content.timelines.duration_s[row]),
        "people": len(people),
        "lanes": [(lane, _whose(content, lane)) for lane in shown],
        "others": [_whose(content, lane) for lane in others[:_OTHERS_MOST]],
        "more": len(others[_OTHERS_MOST:]),
    }


def _whose(content: Content, lane: Lane) -> object:
    return content.cards[lane.row].who if lane.row >= 0 else None


def write_together(content: Content, renderer: Renderer, portraits: Sequence[str]) -> None:
    """Write who is seen with whom."""
    pairs = content.together.closest(_PAIRS_MOST)
    people = first_people(pairs, _NODES_MOST)
    among = content.together.among(people)
    renderer.write(
        "together.html",
        "together.html",
        pairs=pairs,
        capped=len(pairs) == _PAIRS_MOST,
        graph=graph_of(among[:_EDGES_SHOWN]),
        among=len(among),
        all_shown=len(people) < _NODES_MOST,
        who=[card.who for card in content.cards],
        portraits=portraits,
        width=WIDTH,
        height=HEIGHT,
    )


def write_heat(content: Content, renderer: Renderer) -> None:
    """Write how long everybody is seen in each video."""
    renderer.write(
        "heat.html",
        "heat.html",
        heat=heat_of(content.seen),
        steps=STEPS,
        names=content.names,
        who=[card.who for card in content.cards],
        people_total=len(content.cards),
        sources_total=len(content.names),
    )


def write_sure(content: Content, renderer: Renderer) -> None:
    """Write how sure the guesses are."""
    tallies = [sum(card.levels[place] for card in content.cards) for place in range(4)]
    histogram = picture_of(histogram_of(content.seen, content.bar))
    renderer.write("sure.html", "sure.html", histogram=histogram, tallies=tallies, models=content.models)

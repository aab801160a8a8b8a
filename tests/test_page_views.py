"""What the views of a report are drawn from: who is seen with whom, when, how long, and how alike."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from archive.overview import Overview, Source
from archive.records import Appearance, Glance
from reports.page.charts import heat_of, histogram_of, picture_of
from reports.page.graph import HEIGHT, WIDTH, first_people, graph_of
from reports.page.timeline import Timelines
from reports.page.together import Pair, Together
from reports.page.wording import ending, figure, source_names, why

NAN = float("nan")


def seen(rows: list[tuple[int, int, float, float]], people: int = 0, sources: int = 0, still: int = -1) -> Overview:
    """An archive of (person, source, start, end), −1 for nobody; the sources last 100 s, but for a photograph."""
    people = people or max((row[0] for row in rows), default=-1) + 1
    sources = sources or max((row[1] for row in rows), default=-1) + 1
    rows = sorted(rows, key=lambda row: (row[1], row[2]))
    who = [Glance(f"P{n + 1:04d}", "", "unconfirmed", 0, 0, 0.0, 0, 0) for n in range(people)]
    where = [
        Source(str(n), "/f", f"{n}.mp4", "video", 0.0 if n == still else 100.0, False, False) for n in range(sources)
    ]
    columns = np.array(rows, np.float64).reshape(-1, 4).T
    person, source = columns[:2].astype(np.int64)
    n = len(rows)
    similarity, margin = np.full(n, 0.8), np.full(n, 0.3)
    return Overview(
        who, where, person, source, columns[2], columns[3], np.full(n, 0.5), similarity, margin, np.ones(n, int)
    )


def by_chance(seed: int) -> Overview:
    chance = np.random.default_rng(seed)
    rows = []
    for _ in range(120):
        start = round(float(chance.uniform(0, 90)), 1)
        length = float(chance.choice([0.0, 2.0, 9.0, 40.0]))
        rows.append((int(chance.integers(-1, 9)), int(chance.integers(0, 5)), start, start + length))
    return seen(rows, people=12, sources=6)


def pairs_of(overview: Overview) -> set[Pair]:
    """The same one by one."""
    rows = list(zip(overview.person, overview.source, overview.start_s, overview.end_s, strict=True))
    shared = {(int(p), int(s)) for p, s, *_ in rows if p >= 0}
    moments: Counter[tuple[int, int]] = Counter()
    seconds: dict[tuple[int, int], float] = {}
    for one, other in combinations(rows, 2):
        low, high = max(one[2], other[2]), min(one[3], other[3])
        if one[1] == other[1] and one[0] != other[0] and min(one[0], other[0]) >= 0 and low <= high:
            pair = (min(one[0], other[0]), max(one[0], other[0]))
            moments[pair] += 1
            seconds[pair] = seconds.get(pair, 0.0) + high - low
    found = set()
    for pair in combinations(range(len(overview.people)), 2):
        both = {s for p, s in shared if p == pair[0]} & {s for p, s in shared if p == pair[1]}
        if both:
            found.add(Pair(*pair, len(both), moments[pair], round(seconds.get(pair, 0.0), 6)))
    return found


def rounded(pair: Pair) -> Pair:
    return Pair(pair.one, pair.other, pair.sources, pair.moments, round(pair.seconds, 6))


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_counting_one_by_one(seed: int) -> None:
    overview = by_chance(seed)
    together, wanted = Together(overview), pairs_of(overview)
    assert {rounded(pair) for pair in together.closest(1000)} == wanted
    for row in range(len(overview.people)):
        own, met = together.of(row, 1000)
        assert {rounded(p) for p in own} == {p if p.one == row else Pair(row, p.one, *vars_of(p)) for p in wanted
                                             if row in (p.one, p.other)}  # fmt: skip
        assert met == len(own)
    some = [0, 3, 4, 11]
    assert {rounded(p) for p in together.among(some)} == {p for p in wanted if p.one in some and p.other in some}
    best = together.closest(3)
    assert [rounded(p) for p in best] == sorted(map(rounded, best), key=lambda p: (-p.moments, -p.sources, -p.seconds))
    assert best[0].moments == max(pair.moments for pair in wanted)


def vars_of(pair: Pair) -> tuple[int, int, float]:
    return pair.sources, pair.moments, pair.seconds


def test_nobody_is_with_nobody() -> None:
    for overview in (seen([]), seen([(-1, 0, 0, 1), (-1, 0, 0, 1)]), seen([(0, 0, 0, 1)])):
        together = Together(overview)
        assert together.closest(10) == [] and together.among([]) == []
        assert graph_of([]).nodes == ()


def test_people_in_one_photograph_are_seen_at_one_moment() -> None:
    pairs = Together(seen([(0, 0, 0, 0), (1, 0, 0, 0), (2, 1, 0, 0)], still=0)).closest(9)
    assert pairs == [Pair(0, 1, 1, 1, 0.0)]


def test_the_graph_keeps_everybody_in_the_picture_and_apart() -> None:
    pairs = Together(by_chance(1)).closest(100)
    graph = graph_of(pairs)
    assert graph == graph_of(pairs) and len(graph.edges) == len(pairs)
    assert {node.row for node in graph.nodes} == {row for pair in pairs for row in (pair.one, pair.other)}
    assert all(20 <= node.x <= WIDTH - 20 and 20 <= node.y <= HEIGHT - 20 for node in graph.nodes)
    assert all(abs(a.x - b.x) > 90 or abs(a.y - b.y) > 55 for a, b in combinations(graph.nodes, 2))
    assert first_people(pairs, 4) == first_people(pairs, 5)[:4] and len(first_people(pairs, 4)) <= 4
    assert len(graph_of(pairs[:1]).nodes) == 2


def test_a_lane_shows_when_and_how_sure() -> None:
    overview = seen([(0, 0, 10, 30), (0, 0, 29, 40), (0, 0, 90, 90), (0, 1, 0, 0), (1, 0, 0, 100)], still=1)
    overview.certainty[3] = 2
    lines = Timelines(overview, ["a", "b"])
    (_, video), (_, still) = lines.of_person(0, 9)
    assert [(s.x, s.width, s.style) for s in video.spans] == [(100, 300, "confident"), (900, 3, "doubtful")]
    assert video.text == "0:10–0:40, 2 appearances, confident; 1:30, doubtful, similarity 0.80"
    assert (video.seconds, video.appearances) == (31.0, 3)
    assert [(s.x, s.width) for s in still.spans] == [(0, 1000)]
    assert [lane.row for lane in lines.of_source(0)] == [1, 0]
    strip = lines.over_all(0)
    assert strip.spans[-1].note == "b, 0:00, confident, similarity 0.80" and strip.spans[-1].x > 980
    assert lines.edges() == [0.0, pytest.approx(1000 * 100 / 101, abs=0.1)]


def test_the_heat_map_adds_up() -> None:
    overview = by_chance(2)
    heat = heat_of(overview)
    for row, person in enumerate(heat.people):
        for column, source in enumerate(heat.sources):
            own = (overview.person == person) & (overview.source == source)
            wanted = np.maximum(overview.end_s - overview.start_s, 1)[own].sum()
            assert heat.cells.get((row, column), (0.0, 0, 0))[0] == pytest.approx(wanted)
    totals = [sum(s for (r, _), (s, *_) in heat.cells.items() if r == row) for row in range(len(heat.people))]
    assert totals == sorted(totals, reverse=True) and list(heat.sources) == sorted(heat.sources)
    assert {heat.cells[key][2] for key in heat.cells} <= {0, 1, 2, 3, 4}


def test_the_histogram_counts_everybody_once() -> None:
    overview = by_chance(3)
    overview.similarity[:10], overview.similarity[10:12], overview.margin[:10] = NAN, -0.7, NAN
    inside = overview.person >= 0
    histogram = histogram_of(overview, 0.45)
    assert sum(map(sum, histogram.own)) == int((inside & ~np.isnan(overview.similarity)).sum())
    assert sum(histogram.others) == int((inside & ~np.isnan(overview.margin)).sum())
    picture = picture_of(histogram)
    assert picture.bar_x is not None and picture.left < picture.bar_x < picture.right
    assert all(picture.left <= x <= picture.right and y >= 0 and h > 0 for x, y, h, _, _ in picture.bars)
    assert sum(own for *_, own, _ in picture.table) == picture.compared
    assert picture_of(histogram_of(seen([]), None)).compared == 0


def test_why_an_appearance_is_where_it_is() -> None:
    def because(**changes: object) -> str:
        values = dict.fromkeys(Appearance.__dataclass_fields__, 0) | {"reason": "", "certainty": "doubtful", **changes}
        return why(Appearance(**values))  # type: ignore[arg-type]

    assert because(reason="too short\x1b") == r"too short\x1b"
    assert because(certainty="confirmed") == "a human said so"
    assert because(support=1, margin=0.3) == "1 other appearance speaks for it"
    assert because(support=2, margin=0.01) == "somebody else is nearly as alike; 2 other appearances speak for it"
    assert because(margin=-0.01) == "somebody else is more alike; 0 other appearances speak for it"
    assert because(margin=None, certainty="").startswith("the person's only appearance")
    assert (figure(None), figure(NAN), figure(-0.071)) == ("–", "–", "−0.07")
    assert ending("a" * 30) == "…" + "a" * 21 and ending("short") == "short"


def test_sources_are_called_apart() -> None:
    def at(root: str, path: str) -> Source:
        return Source(root + path, root, path, "video", 1.0, False, False)

    same = [at("/a/tape", "x"), at("/b/tape", "x"), at("s3://bucket/2014", "x"), at("/", "x"), at("/a/tape", "y")]
    assert source_names(same) == ["x (tape)", "x (tape) [2]", "x (2014)", "x (root)", "y"]

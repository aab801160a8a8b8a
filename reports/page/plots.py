"""Timeline, heat map and histogram as PNG pictures, by matplotlib, which is only needed for this."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvid.errors import MissingDependency
from reports.page.charts import STEPS, heat_of, histogram_of
from reports.page.content import Content
from reports.page.timeline import WIDTH
from reports.page.wording import LEVELS, ending

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PEOPLE_MOST = 30
_NAME_MOST = 28
_DPI = 120
_COLOURS = {
    "confirmed": "#1b4f8f",
    "confident": "#3f8f86",
    "doubtful": "#c56a00",
    "alone": "#7b8085",
    "other": "#b9b3a4",
}
_SHADES = ("#dcebea", "#a9d0cd", "#66a9a6", "#2c7a7d", "#0d4650")


def check_plots() -> None:
    """Can pictures be drawn?

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as exc:
        raise MissingDependency("--plots needs the package 'matplotlib': pip install matplotlib") from exc


def draw_plots(content: Content, folder: Path) -> int:
    """Draw all pictures into `folder`; how many there are: none of an archive without people."""
    if not content.cards:
        return 0
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # names of any script; a box is drawn in its place
        _timeline(content, folder / "timeline.png")
        _heat(content, folder / "people-and-videos.png")
        _histogram(content, folder / "similarity.png")
    return 3


def _timeline(content: Content, path: Path) -> None:
    people = [card for card in content.in_order if card.appearances][:PEOPLE_MOST]
    axes = _axes(10, 1.4 + 0.28 * len(people))
    for row, card in enumerate(people):
        for span in content.timelines.over_all(card.row).spans:
            axes.broken_barh([(span.x, span.width)], (row - 0.35, 0.7), facecolors=_COLOURS[span.style])
    _rows(axes, [card.who.called for card in people])
    axes.set_xlim(0, WIDTH)
    axes.set_xticks([])
    axes.set_xlabel(f"all {len(content.names):,} videos and photographs one after another, by path")
    _levels(axes)
    _save(axes, "Who appears when", path)


def _heat(content: Content, path: Path) -> None:
    heat = heat_of(content.seen)
    axes = _axes(3 + 0.3 * len(heat.sources), 3 + 0.3 * len(heat.people))
    for (row, column), (_, _, shade) in heat.cells.items():
        axes.broken_barh([(column - 0.47, 0.94)], (row - 0.47, 0.94), facecolors=_SHADES[shade])
    _rows(axes, [content.cards[row].who.called for row in heat.people])
    axes.set_xlim(-0.5, len(heat.sources) - 0.5)
    names = [ending(content.names[row], _NAME_MOST) for row in heat.sources]
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8, parse_math=False)
    _legend(axes, dict(zip(STEPS, _SHADES, strict=True)), "on screen")
    _save(axes, "People and videos", path)


def _histogram(content: Content, path: Path) -> None:
    histogram = histogram_of(content.seen, content.bar)
    axes = _axes(9, 5)
    left = histogram.edges[:-1]
    width = histogram.edges[1] - histogram.edges[0]
    bottom = [0] * len(left)
    for level, counts in zip(LEVELS, histogram.own, strict=True):
        if sum(counts):
            axes.bar(left, counts, width, bottom, align="edge", color=_COLOURS[level.style], label=level.label)
            bottom = [below + number for below, number in zip(bottom, counts, strict=True)]
    below = [-number for number in histogram.others]
    axes.bar(left, below, width, align="edge", color=_COLOURS["other"], label="nearest other person")
    if histogram.bar is not None:
        axes.axvline(histogram.bar, color="black", linestyle="--", linewidth=1, label=f"bar {histogram.bar:.2f}")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    axes.set_xlabel("similarity with the own person (up) and with the nearest other (down)")
    axes.set_ylabel("appearances")
    axes.legend(fontsize=8, frameon=False)
    _save(axes, "How alike", path)


def _axes(width: float, height: float) -> Axes:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(width, height), layout="constrained").subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=8, parse_math=False)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)


def _levels(axes: Axes) -> None:
    _legend(axes, {level.label: _COLOURS[level.style] for level in LEVELS}, "")


def _legend(axes: Axes, colours: dict[str, str], title: str) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=label) for label, colour in colours.items()]
    axes.figure.legend(
        handles=patches, loc="outside lower right", ncols=len(patches), fontsize=8, frameon=False, title=title
    )


def _save(axes: Axes, title: str, path: Path) -> None:
    figure: Any = axes.figure
    figure.suptitle(title)
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})


def _short(name: str) -> str:
    return name if len(name) <= _NAME_MOST else name[: _NAME_MOST - 1] + "…"

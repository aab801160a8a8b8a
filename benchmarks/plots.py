"""What the benchmarks draw: curves side by side, and ways as points; matplotlib is imported only to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes and its curves by name; `log` names the axes that are logarithmic, such as "xy"."""

    title: str
    x: str
    curves: Mapping[str, Points]
    log: str = ""


def draw_curves(target: Path, panels: Sequence[Panel], columns: int = 3) -> None:
    """Draw panels, so many in a row."""
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.7 * columns, 4.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, panel in zip(grid, panels, strict=False):
        for name, points in panel.curves.items():
            axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
        _dress(axes, panel)
        if len(panel.curves) > 1:
            axes.legend()
        if "x" not in panel.log:
            axes.set_xlim(left=0)
        if "y" not in panel.log:
            axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    figure.savefig(target, dpi=110)


def draw_points(target: Path, panel: Panel, y: str) -> None:
    """Draw each curve's points in a colour and shape of their own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes = figure.subplots()
    for (name, points), shape in zip(panel.curves.items(), cycle("osD^vP*Xp<>"), strict=False):
        axes.scatter([x for x, _ in points], [y for _, y in points], s=70, marker=shape, label=name)
    _dress(axes, panel)
    axes.set_ylabel(y)
    figure.legend(loc="outside right center")
    figure.savefig(target, dpi=110)


def _dress(axes: Axes, panel: Panel) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_title(panel.title)
    axes.set_xlabel(panel.x)
    axes.grid(alpha=0.3)
    for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if letter in panel.log:
            axes.set(**{f"{letter}scale": "log"})
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            axis.set_minor_formatter(NullFormatter())

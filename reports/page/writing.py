"""Write the whole report: from the catalogue to a folder in its place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cvid
from archive.catalogue import Catalogue
from archive.overview import snapshot
from reports.page.content import Content, people_page
from reports.page.faces import FaceWriter
from reports.page.folder import LOCK, place_for, written_beside
from reports.page.overall import write_heat, write_index, write_sure, write_timeline, write_together
from reports.page.people import write_people
from reports.page.rendering import Renderer

PAGES = (
    ("index.html", "People"),
    ("timeline.html", "Timeline"),
    ("together.html", "Together"),
    ("heat.html", "People and videos"),
    ("sure.html", "How sure"),
)
_REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class Written:
    """A report that lies in its place; `damaged` counts the faces that the catalogue holds and nobody can see."""

    index: Path
    people: int
    appearances: int
    footage: str
    plots: int
    files: int
    bytes: int
    damaged: int


def write_report(
    catalogue: Catalogue,
    output: Path | None,
    hook: Callable[[str, int, int], None],
    plots: bool = False,
) -> Written:
    """Write the report of an archive, by default into the archive.

    Args:
        output: another folder.
        hook: told what is done, how much of it, and how much there is.
        plots: draw pictures too.

    Raises:
        ReportError: the folder may not be written to, or cannot be.
        MissingDependency: pictures are wanted, and matplotlib is not installed.
    """
    place = place_for(catalogue.folder, output, catalogue.roots())
    said: dict[str, Any] = {}
    with snapshot(catalogue.connection), written_beside(place, lambda: said) as folder:
        content = Content(catalogue)
        damaged = _write(catalogue, content, folder, FaceWriter(folder, place), hook)
        drawn = _draw(content, folder) if plots else 0
        sizes = [Path(at, name).stat().st_size for at, _, names in os.walk(folder) for name in names if name != LOCK]
        said |= {"schema_version": 1, "made_by": f"cvid {cvid.__version__}", "people": len(content.cards)}
    totals = content.totals
    return Written(
        place / people_page(1),
        len(content.cards),
        totals.appearances,
        totals.footage,
        drawn,
        len(sizes),
        sum(sizes),
        damaged,
    )


def _write(
    catalogue: Catalogue, content: Content, folder: Path, writer: FaceWriter, hook: Callable[[str, int, int], None]
) -> int:
    """Write everything; how many faces are damaged."""
    renderer = Renderer(
        folder,
        pages=PAGES,
        version=cvid.__version__,
        totals=content.totals,
        indexed=content.indexed,
        decided=content.decided,
        named=content.totals.named,
    )
    renderer.write_assets()
    portraits: list[str] = []
    damaged, reported = 0, time.monotonic()
    for portrayed in write_people(catalogue, content, writer, renderer):
        portraits.append(portrayed.portrait)
        damaged += portrayed.damaged
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            hook("writing pages", len(portraits), len(content.cards))
    write_index(content, renderer, folder, portraits)
    write_timeline(content, renderer)
    write_together(content, renderer, portraits)
    write_heat(content, renderer)
    write_sure(content, renderer)
    return damaged


def _draw(content: Content, folder: Path) -> int:
    from reports.page.plots import draw_plots

    return draw_plots(content, folder / "plots")

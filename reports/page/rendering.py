"""Templates into files: Jinja2 with everything escaped, and nothing that is not defined."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.page.wording import LEVELS, ending, figure
from reports.wording import clock, count, span

_HERE = Path(__file__).parent
ASSETS = ("page.css", "page.js", "icon.svg")


class Renderer:
    """Writes pages into a folder.

    Args:
        folder: of the report.
        common: what every page may say.
    """

    def __init__(self, folder: Path, **common: Any) -> None:
        self._folder, self._common = folder, common

    def write(self, template: str, path: str, **content: Any) -> None:
        """Write one page; `path` is relative to the folder."""
        target = self._folder / path
        if not target.parent.is_dir():
            target.parent.mkdir()
        root = "../" * path.count("/")
        text = _jinja().get_template(template).render(root=root, here=path, **self._common, **content)
        target.write_bytes(text.encode())

    def write_assets(self) -> None:
        """Copy the style sheet, the script and the icon."""
        (self._folder / "assets").mkdir(exist_ok=True)
        for name in ASSETS:
            shutil.copyfile(_HERE / "assets" / name, self._folder / "assets" / name)


@cache
def _jinja() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"clock": clock, "duration": span, "figure": figure, "ending": ending, "counted": count}
    made.globals |= {"levels": LEVELS}
    return made

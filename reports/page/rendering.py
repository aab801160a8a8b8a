"""Templates into files: Jinja2 with everything escaped, and nothing that is not defined."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.page.wording import LEVEL_OF, LEVELS, between, figure
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
        self._folder = folder
        self._jinja = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.filters |= {"clock": clock, "duration": span, "figure": figure, "counted": _counted}
        self._jinja.globals |= {"levels": LEVELS, "level_of": LEVEL_OF, "between": between, **common}

    def write(self, template: str, path: str, **content: Any) -> None:
        """Write one page; `path` is relative to the folder."""
        target = self._folder / path
        if not target.parent.is_dir():
            target.parent.mkdir()
        root = "../" * path.count("/")
        text = self._jinja.get_template(template).render(root=root, here=path, **content)
        target.write_bytes(text.encode())

    def write_assets(self) -> None:
        """Copy the style sheet, the script and the icon."""
        (self._folder / "assets").mkdir(exist_ok=True)
        for name in ASSETS:
            shutil.copyfile(_HERE / "assets" / name, self._folder / "assets" / name)


def _counted(number: int, one: str, many: str = "") -> str:
    return count(number, one, many)

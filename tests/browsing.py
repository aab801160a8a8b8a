"""A headless Chromium for tests, through Playwright; skips with the reason where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = (1280, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser: the system's, or else the one that Playwright has fetched."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None and not Path(started.chromium.executable_path).exists():
            pytest.skip("needs Chromium: apt install chromium, or playwright install chromium")
        browser = started.chromium.launch(executable_path=program, args=list(OPTIONS))
        yield browser
        browser.close()


@dataclass
class Visit:
    """A window, and what must not happen in it: complaints of the browser, dialogs, requests outside of a folder."""

    page: Any
    folder: Path
    wrong: list[str] = field(default_factory=list)
    loaded: list[Path] = field(default_factory=list)

    def go(self, name: str) -> Any:
        """Open a page of the folder."""
        file, _, place = name.partition("#")
        self.page.goto((self.folder / file).as_uri() + (f"#{place}" if place else ""))
        return self.page


@contextmanager
def visit(browser: Any, folder: Path, size: tuple[int, int] = WIDE, **options: Any) -> Iterator[Visit]:
    """A window of its own; at its end nothing may have gone wrong."""
    from urllib.parse import unquote, urlsplit

    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    seen = Visit(context.new_page(), folder)

    def request(asked: Any) -> None:
        address = urlsplit(asked.url)
        path = Path(unquote(address.path))
        if address.scheme != "file" or not path.is_relative_to(folder):
            seen.wrong.append(f"request: {asked.url}")
        seen.loaded.append(path)

    def failed(asked: Any) -> None:
        if asked.failure != "net::ERR_ABORTED":  # as of pictures that are still loading when somebody leaves
            seen.wrong.append(f"{asked.failure}: {asked.url}")

    def dialog(shown: Any) -> None:
        seen.wrong.append(f"dialog: {shown.message}")
        shown.dismiss()

    seen.page.on("request", request)
    seen.page.on("requestfailed", failed)
    seen.page.on("console", lambda m: seen.wrong.append(m.text) if m.type in ("error", "warning") else None)
    seen.page.on("pageerror", lambda error: seen.wrong.append(str(error)))
    seen.page.on("dialog", dialog)
    yield seen
    context.close()
    assert not seen.wrong, seen.wrong


def says(found: Any, text: str) -> None:
    """Wait until an element says this."""
    from playwright.sync_api import expect

    expect(found).to_have_text(text)


def are(found: Any, count: int) -> None:
    """Wait until there are so many."""
    from playwright.sync_api import expect

    expect(found).to_have_count(count)


def are_some(found: Any) -> None:
    """Wait until there is one."""
    from playwright.sync_api import expect

    expect(found).not_to_have_count(0)

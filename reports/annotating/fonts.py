"""Text as small pictures: which fonts there are, what they can draw, and what stands for a name that none can."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from cvid.errors import CvidError, MissingDependency
from cvid.packaged import packaged_file
from cvid.types import Bytes
from reports.annotating.colours import Rgb
from reports.names import printable

_FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}
_NAMES = (
    "dejavusans", "notosans-regular", "liberationsans-regular", "segoeui", "arial", "helvetica",
    "notosanscjk", "sourcehansans", "wqy-", "droidsansfallback", "pingfang", "hiragino", "msyh", "yugoth", "malgun",
    "notosansarabic", "notonaskharabic", "notosanshebrew", "notosansdevanagari", "nirmala", "kohinoor",
    "notosansthai", "leelawui", "arialuni", "unifont", "notoemoji", "symbola", "seguisym",
)  # fmt: skip
"""Beginnings of the file names of fonts with plain letters, without blanks, those of many scripts first."""
_STYLES = ("bold", "black", "light", "thin", "italic", "oblique", "mono", "serif", "condensed")
_MOST = 24
_SMALLEST_PX = 10
_PLAIN_DIRECTIONS = ("L", "EN", "ES", "ET", "AN", "CS", "NSM", "BN", "B", "S", "WS", "ON")
_INVISIBLE = ("\u200d", "\ufe0e", "\ufe0f")
"""Joiners and variants of emoji, which draw nothing."""

Face = ImageFont.FreeTypeFont | ImageFont.ImageFont


class FontError(CvidError):
    """A font that the user named cannot be used."""


class Letterer:
    """Draws text in one size, each with the first font that has all of its letters.

    Args:
        height_px: of a line.
        font: a font file that is tried first.
    """

    def __init__(self, height_px: int, font: Path | None = None) -> None:
        self._size = max(round(height_px * 0.72), _SMALLEST_PX)
        self._pad = max(round(self._size * 0.3), 2)
        self._font = font

    def can_draw(self, name: str) -> bool:
        """Does a font have all letters of a name?"""
        return self._face(_shown(name)) is not None

    def label(self, name: str, identity: str) -> str:
        """How somebody is called in a picture: the name, or the id with what of the name can be drawn."""
        shown = _shown(name)
        if not shown:
            return identity
        if self._face(shown):
            return shown
        words = [word for word in (_simplified(word) for word in shown.split()) if word and self._face(word)]
        return " ".join([identity, *words])

    def draw(self, text: str, tail: str, width_px: int, colour: Rgb, background: Rgb) -> Bytes:
        """One line on its background, uint8 (h, w, 3), RGB, of even size.

        Args:
            tail: follows the text, of plain letters; never cut.
            width_px: the text is cut with an ellipsis to fit in.
        """
        face = self._face(text) or self._faces()[0]
        tail = f" {tail}" if tail else ""
        text = self._cut(text, face, width_px - 2 * self._pad - face.getlength(tail))
        ascent, descent = face.getmetrics() if isinstance(face, ImageFont.FreeTypeFont) else (self._size, 2)
        text_px = face.getlength(text)
        width = min(_even(text_px + face.getlength(tail) + 2 * self._pad), max(width_px // 2 * 2, 2))
        picture = Image.new("RGB", (width, _even(ascent + descent + self._pad)), background)
        pen, top = ImageDraw.Draw(picture), self._pad // 2
        pen.text((self._pad, top), text, fill=colour, font=face)
        pen.text((self._pad + text_px, top), tail, fill=colour, font=face)
        return np.asarray(picture, np.uint8)

    def _cut(self, text: str, face: Face, width_px: float) -> str:
        if face.getlength(text) <= width_px:
            return text
        dots = "…" if _has(face, "…") else "..."
        low, high = 0, len(text)
        while low < high:  # as many letters as fit
            middle = (low + high + 1) // 2
            if face.getlength(text[:middle].rstrip() + dots) <= width_px:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + dots

    def _face(self, text: str) -> Face | None:
        """The first font that can draw all of a text in its direction."""
        if not _can_turn() and any(unicodedata.bidirectional(c) not in _PLAIN_DIRECTIONS for c in text):
            return None
        return next((face for face in self._faces() if all(_has(face, c) for c in text)), None)

    def _faces(self) -> list[Face]:
        named = [_opened(self._font, self._size)] if self._font else []
        return named + _own_faces(self._size)


def check_font(font: Path) -> None:
    """Can this file draw letters?

    Raises:
        FontError: it cannot.
    """
    _opened(font, _SMALLEST_PX)


def _opened(path: Path, size: int) -> Face:
    try:
        return _loaded(path, size)
    except OSError as exc:
        raise FontError(f"{path}: is no font that can be read; name a .ttf, .otf or .ttc file") from exc


@lru_cache(maxsize=128)
def _loaded(path: Path, size: int) -> Face:
    with path.open("rb") as file:  # Pillow takes a name for an installed font's
        return ImageFont.truetype(file, size)


@lru_cache(maxsize=8)
def _own_faces(size: int) -> list[Face]:
    """The fonts of this machine, best first; the last one comes with Pillow and has Latin letters alone."""
    faces: list[Face] = []
    for path in _files():
        try:
            faces.append(_loaded(path, size))
        except OSError:
            continue  # a broken font of the system
    return [*faces, ImageFont.load_default(size)]


@cache
def _files() -> list[Path]:
    """Font files: the one that comes with matplotlib, and those of the system with a known name."""
    try:
        own = [packaged_file("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf")]
    except MissingDependency:
        own = []
    found: list[tuple[int, str, Path]] = []
    for folder in _FOLDERS.get(sys.platform, _FOLDERS["linux"]):
        for path in Path(folder).expanduser().rglob("*"):
            if path.suffix.lower() in (".ttf", ".otf", ".ttc"):
                stem = path.stem.lower().replace(" ", "")
                if not any(word in stem for word in _STYLES):
                    rank = next((n for n, name in enumerate(_NAMES) if stem.startswith(name)), None)
                    found += [(rank, stem, path)] if rank is not None else []
    return own + [path for *_, path in sorted(found)][:_MOST]


@cache
def _can_turn() -> bool:
    """Can text from right to left, and letters that join, be drawn right?"""
    return bool(features.check("raqm"))


@lru_cache(maxsize=1 << 16)
def _has(face: Face, letter: str) -> bool:
    """Does a font have a letter? What it lacks, it draws as the same box as a letter that does not exist."""
    if letter.isspace() or letter in _INVISIBLE:
        return True
    mask, none = face.getmask(letter), face.getmask("\U0010ffff")
    return mask.size != none.size or bytes(mask) != bytes(none)


def _shown(name: str) -> str:
    """A name as it is drawn, with at most one mark over or under each letter: many cover what lies around."""
    kept: list[str] = []
    for c in printable(" ".join(unicodedata.normalize("NFC", name).split())):
        if not (unicodedata.combining(c) and kept and unicodedata.combining(kept[-1])):
            kept.append(c)
    return "".join(kept)


def _simplified(word: str) -> str:
    """A word without what is laid around its letters: é becomes e."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _even(value: float) -> int:
    return (int(value) + 1) // 2 * 2

"""A colour for each identity, the same in every video, and what it is in a picture's own planes."""

from __future__ import annotations

import math
from dataclasses import dataclass

Rgb = tuple[int, int, int]
Yuv = tuple[int, int, int]

BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (150, 150, 150)
_GOLDEN = 0.6180339887
"""Hues so far apart, in turns, stay apart from each other however many there are."""
_LIGHTNESS, _CHROMA = (0.72, 0.82, 0.66), 0.14
_SMALL_PX = 720
"""Of pictures lower than this players take the matrix of BT.601 where none is named, else that of BT.709."""


def colour_of(identity: str) -> Rgb:
    """The colour of P0001, P0002, …, bright enough for black text; grey for nobody's."""
    digits = "".join(c for c in identity if c.isdigit())
    if not digits:
        return GREY
    number = int(digits)
    return _srgb(_LIGHTNESS[number % len(_LIGHTNESS)], _CHROMA, number * _GOLDEN % 1.0)


def text_on(background: Rgb) -> Rgb:
    """Black or white, whichever stands out more."""
    return max((BLACK, WHITE), key=lambda colour: contrast(colour, background))


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@dataclass(frozen=True)
class Matrix:
    """How RGB becomes Y'CbCr of limited range: the weights of red and blue in brightness."""

    red: float
    blue: float

    @classmethod
    def of(cls, colorspace: int, height: int) -> Matrix:
        """The matrix of a picture by the number that FFmpeg has for it; 2 says that the file does not tell."""
        if colorspace in (9, 10):
            return cls(0.2627, 0.0593)
        if colorspace == 1 or (colorspace not in (4, 5, 6, 7) and height >= _SMALL_PX):
            return cls(0.2126, 0.0722)
        return cls(0.299, 0.114)

    def yuv(self, colour: Rgb) -> Yuv:
        """A colour, with Y in 16..235 and Cb, Cr in 16..240."""
        r, g, b = (value / 255 for value in colour)
        y = self.red * r + (1 - self.red - self.blue) * g + self.blue * b
        u, v = (b - y) / (2 - 2 * self.blue), (r - y) / (2 - 2 * self.red)
        return round(16 + 219 * y), round(128 + 224 * u), round(128 + 224 * v)


def _luminance(colour: Rgb) -> float:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _srgb(lightness: float, chroma: float, turn: float) -> Rgb:
    """A colour of Oklab (Ottosson 2020), whose hues look equally bright; less colourful where a screen has no such."""
    a, b = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    while True:
        x, y = chroma * a, chroma * b
        long = (lightness + 0.3963377774 * x + 0.2158037573 * y) ** 3
        medium = (lightness - 0.1055613458 * x - 0.0638541728 * y) ** 3
        short = (lightness - 0.0894841775 * x - 1.2914855480 * y) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        if all(-1e-4 <= value <= 1.0001 for value in linear):
            r, g, b = (round(255 * _encoded(min(max(value, 0.0), 1.0))) for value in linear)
            return r, g, b
        chroma *= 0.95


def _encoded(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055

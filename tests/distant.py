"""Networks for painted faces, and footage, that make trouble on the nodes of a cluster."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path, PosixPath
from typing import Any

from fakes import ColourEmbedder, SquareDetector

from archive.engines import OpenParts
from cvid.analyse import Parts
from cvid.types import Bytes, Faces, Floats


class ShyPath(PosixPath):
    """A file that nodes with `CVID_TEST_BLIND` in their environment do not see."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """As ever, or as of nothing."""
        if "CVID_TEST_BLIND" in os.environ:
            raise FileNotFoundError(2, "no such file", str(self))
        return super().stat(follow_symlinks=follow_symlinks)


class GrimDetector(SquareDetector):
    """Ends its process at the sight of white, and fails at the sight of black; leaves a letter each time."""

    def __init__(self, letters: Path) -> None:
        super().__init__()
        self._letters = letters

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """Dies, raises, or finds squares."""
        if bgr.mean() > 240:
            self._leave("w")
            os._exit(9)
        if bgr.mean() < 60:
            self._leave("b")
            raise ZeroDivisionError("black")
        return super().detect(bgr, expected)

    def _leave(self, letter: str) -> None:
        with self._letters.open("a") as file:
            file.write(letter)


class SlowDetector(SquareDetector):
    """Takes a moment over each picture, but first waits until a folder holds a file, or one of each of some processes.

    So a test knows that all of them have work, or that something has happened before the work ends.
    """

    def __init__(self, folder: Path, processes: int) -> None:
        super().__init__()
        self._folder, self._processes = folder, processes

    def detect(self, bgr: Bytes, expected: Floats | None = None) -> Faces:
        """Later."""
        if self._processes:
            (self._folder / str(os.getpid())).touch()
        deadline = time.monotonic() + 30
        while len(list(self._folder.iterdir())) < max(self._processes, 1) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        return super().detect(bgr, expected)


def grim(letters: Path) -> OpenParts:
    """What opens a detector that makes trouble."""
    return partial(_opened, GrimDetector, letters)


def slow(folder: Path, processes: int = 0) -> OpenParts:
    """What opens a detector that waits, for a file or for so many processes."""
    folder.mkdir(exist_ok=True)
    return partial(_opened, SlowDetector, folder, processes)


def _opened(detector: Any, *arguments: Any) -> Parts:
    return Parts(detector(*arguments), ColourEmbedder())

"""The faces of a report: those that can be shown are written as they are, and one of them small, as a portrait."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archive.names import slug
from archive.records import Appearance
from cvid.opencv import cv2
from cvid.types import Bytes
from reports.page.wording import Who

FACES_MOST = 200
"""Of one person: so many can be looked at, and more would make a report too large to hand on."""
_PORTRAIT_PX = 144
_PORTRAIT_QUALITY = 80


@dataclass(frozen=True)
class Faces:
    """The faces of a person: appearance → its file from the folder of the report, "" of a damaged one.

    `portrait` is the small picture, `best` the appearance it is of; both empty where there is none.
    """

    files: Mapping[str, str]
    portrait: str
    best: str

    @property
    def damaged(self) -> int:
        """How many are kept in the catalogue and cannot be shown."""
        return sum(1 for file in self.files.values() if not file)


def chosen(rows: Sequence[Appearance]) -> list[str]:
    """The appearances whose faces are shown: all, or of many those in doubt and then the clearest."""
    ranked = sorted(rows, key=lambda row: (row.certainty != "doubtful", -row.quality, row.appearance))
    return [row.appearance for row in ranked[:FACES_MOST]]


class FaceWriter:
    """Writes faces into a report.

    Args:
        folder: of the report that is being written.
        earlier: of the one whose place it takes; faces that are the same there are shared and not written again.
    """

    def __init__(self, folder: Path, earlier: Path) -> None:
        self._folder, self._earlier = folder, earlier

    def write(self, who: Who, rows: Sequence[Appearance], jpegs: Iterable[tuple[str, bytes]]) -> Faces:
        """Write the faces of a person.

        Args:
            jpegs: (appearance, JPEG file).
        """
        quality = {row.appearance: row.quality for row in rows}
        files: dict[str, str] = {}
        best: tuple[float, str, bytes] | None = None
        home = f"faces/{who.file}"
        for appearance, jpeg in jpegs:
            if best is None:
                (self._folder / home).mkdir(parents=True, exist_ok=True)
            file = f"{home}/{slug(appearance, 'face')}.jpg"
            files[appearance] = file if self._put(file, jpeg) else ""
            if files[appearance] and (best is None or (quality[appearance], best[1]) > (best[0], appearance)):
                best = quality[appearance], appearance, jpeg
        picture = decoded(best[2]) if best else None
        if best is None or picture is None:
            return Faces(files, "", "")
        portrait = self._folder / "portraits" / f"{who.file}.jpg"
        portrait.parent.mkdir(exist_ok=True)
        portrait.write_bytes(_portrait(picture))
        return Faces(files, f"portraits/{portrait.name}", best[1])

    def _put(self, file: str, jpeg: bytes) -> bool:
        """Write one face, or link it; can it be shown?"""
        target, earlier = f"{self._folder}/{file}", f"{self._earlier}/{file}"
        if _holds(earlier, jpeg):
            try:
                os.link(earlier, target)
            except OSError:  # a file system without links
                Path(target).write_bytes(jpeg)
            return True
        if decoded(jpeg, cv2.IMREAD_REDUCED_GRAYSCALE_8) is None:  # the quickest way to see that
            return False
        Path(target).write_bytes(jpeg)
        return True


def _holds(path: str, content: bytes) -> bool:
    """Is this a file of this content, and no link to one?"""
    try:
        found = os.lstat(path)
        alike = stat.S_ISREG(found.st_mode) and found.st_size == len(content)
        return alike and Path(path).read_bytes() == content
    except OSError:
        return False


def decoded(jpeg: bytes, how: int = cv2.IMREAD_COLOR) -> Bytes | None:
    """The picture in a JPEG file, uint8 (h, w, 3) BGR unless it is read otherwise; None of a broken one."""
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), how)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def _portrait(picture: Bytes) -> bytes:
    """A square from the middle of a face, as a small JPEG file."""
    high, wide = picture.shape[:2]
    side = min(high, wide)
    top, left = (high - side) // 2, (wide - side) // 2
    square = picture[top : top + side, left : left + side]
    if side > _PORTRAIT_PX:
        square = cv2.resize(square, (_PORTRAIT_PX, _PORTRAIT_PX), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, _PORTRAIT_QUALITY])
    assert done
    return bytes(data)

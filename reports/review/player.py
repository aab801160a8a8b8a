"""Opens footage at a second, and pictures, in a program of the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from archive import queries, sources
from archive.catalogue import Catalogue
from archive.records import Appearance
from cvid.errors import UnknownName
from reports.names import printable
from reports.wording import clock

_PLAYERS = {
    "mpv": ("--start={s:.2f}", "--force-window=yes", "--"),
    "vlc": ("--start-time={s:.2f}", "--"),
    "ffplay": ("-ss", "{s:.2f}", "-i"),
}
"""Programs that can begin at a second, the first that is installed is taken; and what they are told before the file."""
_BEFORE_S = 1.0


def open_at(catalogue: Catalogue, seen: Appearance) -> str:
    """Play the video of an appearance from a second before its best face; a sentence of what happens.

    Raises:
        UnknownName: the video is not there any more, or nothing can open it; with the remedy.
    """
    path = _video_of(catalogue, seen)
    start_s = max(seen.best_s - _BEFORE_S, 0.0)
    for name, options in _PLAYERS.items():
        program = shutil.which(name)
        if program:
            _start([program, *(option.format(s=start_s) for option in options), str(path.absolute())])
            return f"{name} plays {printable(seen.video)} at {clock(start_s)}"
    return f"{opened(path)}; go to {clock(start_s)} (with mpv, vlc or ffplay it would begin there)"


def opened(path: Path) -> str:
    """Open a file in whatever program the system has for it; a sentence of what happens.

    Raises:
        UnknownName: there is no such program.
    """
    if sys.platform == "win32":
        os.startfile(path.absolute())
        return f"opening {printable(path.name)}"
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None:
        raise UnknownName(f"no program is installed that could open it; it is {printable(str(path))}")
    _start([program, str(path.absolute())])
    return f"opening {printable(path.name)}"


def _video_of(catalogue: Catalogue, seen: Appearance) -> Path:
    places = sources.lies_at(catalogue.connection, queries.source_of(catalogue.connection, seen.appearance))
    here = [place for place in places if isinstance(place, Path)]
    for path in here:
        if path.is_file():
            return path
    if not here:
        raise UnknownName(f"{printable(seen.video)} lies at an address; copy it here to play it")
    raise UnknownName(f"{printable(str(here[0]))} is not there any more; index the folder it lies in now")


def _start(command: list[str]) -> None:
    """Start a program that goes its own way and writes nothing on this screen."""
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

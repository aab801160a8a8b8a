"""The file that an annotated video is written to: refused where it may not be, and whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.annotating.film import AnnotatingError
from reports.export import is_of_archive, usual_rights

SUFFIXES = (".mp4", ".m4v", ".mov")


def check_output(output: Path, source: Path, overwrite: bool) -> None:
    """May this file be written?

    Raises:
        AnnotatingError: it is the source, is there already, belongs to an archive, or cannot be a video; with the
            remedy.
    """
    with _told(output):
        _refuse(output, source, overwrite)


def _refuse(output: Path, source: Path, overwrite: bool) -> None:
    if output.suffix.lower() not in SUFFIXES:
        raise AnnotatingError(f"{output}: only MP4 is written; choose a name that ends in .mp4")
    if is_of_archive(output):
        raise AnnotatingError(f"{output}: belongs to an archive of cvid, which writes it itself; choose another file")
    if not output.parent.is_dir():
        raise AnnotatingError(f"{output}: there is no folder {output.parent}; make it, or choose another file")
    if not os.path.lexists(output):
        return
    if output.exists() and output.samefile(source):
        raise AnnotatingError(f"{output}: is the video itself, and footage is never written to; choose another file")
    if not output.is_file() or output.is_symlink():
        raise AnnotatingError(f"{output}: is no plain file; choose another one")
    if not overwrite:
        raise AnnotatingError(f"{output}: exists already; choose another file with -o, or add --overwrite")


@contextmanager
def written_beside(output: Path) -> Iterator[Path]:
    """An empty file beside `output` that takes its place after the block; whatever ends the block early removes it.

    Raises:
        AnnotatingError: it cannot be made, or moved into place.
    """
    with _told(output):
        handle, name = tempfile.mkstemp(prefix=f".{output.stem[:40]}.", suffix=".part", dir=output.parent)
        os.close(handle)
    part = Path(name)
    try:
        yield part
        with _told(output):
            part.chmod(usual_rights())
            part.replace(output)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _told(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise AnnotatingError(f"{output}: cannot be written ({exc.strerror or exc})") from exc

"""The standard streams: a closed one leads nowhere, and one that cannot be written says so once, in a sentence."""

from __future__ import annotations

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO

from reports.cli.group import Told


class OutputLost(Told):
    """Standard output cannot be written: the disk is full, or it was opened for reading."""


def prepare_streams() -> None:
    """Make `sys.stdin`, `sys.stdout` and `sys.stderr` usable, whatever the caller did to them; call this first."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed (`cvid people >&-`): its number must not become that of a file
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    sys.stdout, sys.stderr = _guarded(sys.stdout, tells=True), _guarded(sys.stderr, tells=False)


def _guarded(stream: TextIO, tells: bool) -> TextIO:
    """The stream with its failures in our words, and with codes for what its encoding cannot show."""
    if not isinstance(stream, TextIOWrapper):
        return stream
    if isinstance(getattr(stream.buffer, "raw", stream.buffer), FileIO):  # else the console of Windows
        raw = _Outlet(stream.fileno(), tells)
        stream = TextIOWrapper(BufferedWriter(raw), encoding=stream.encoding, line_buffering=stream.line_buffering)
    stream.reconfigure(errors="backslashreplace")
    return stream


class _Outlet(FileIO):
    """Bytes on their way out; after the first failure they are dropped, so that nothing fails again at exit.

    Args:
        number: the file's number; left open.
        tells: whether the first failure is raised; nobody could read that of standard error.
    """

    def __init__(self, number: int, tells: bool) -> None:
        super().__init__(number, "wb", closefd=False)
        self._tells, self._lost = tells, False

    def write(self, data: Any, /) -> int:
        """Write bytes.

        Raises:
            OutputLost: they cannot be written.
            BrokenPipeError: nobody reads them.
        """
        if self._lost:
            return len(data)
        try:
            return super().write(data)
        except OSError as exc:
            self._lost = True
            if not self._tells:
                return len(data)
            if isinstance(exc, BrokenPipeError):
                raise
            raise OutputLost(f"standard output cannot be written ({exc.strerror or exc})") from exc

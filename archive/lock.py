"""One writer at a time: a lock of the operating system on a file, which dies with its process."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from cvid.errors import CatalogueError


class ArchiveLock:
    """Holds `folder/lock` from birth until `release` or the end of the process.

    Raises:
        CatalogueError: another process holds it; the message names that process.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _try_lock(self._file):
            os.lseek(self._file, 1, os.SEEK_SET)
            holder = os.read(self._file, 200).decode(errors="replace").strip()
            os.close(self._file)
            raise CatalogueError(
                f"the archive {folder} is in use by {holder or 'another process'}; wait for it or stop it"
            )
        os.ftruncate(self._file, 0)
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        os.write(self._file, f" process {os.getpid()} (since {since})\n".encode())

    def release(self) -> None:
        """Let others in. The file stays: removing it would let two processes hold two locks."""
        os.close(self._file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        """Lock the first byte, which stays a blank: Windows lets nobody else read a locked byte."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

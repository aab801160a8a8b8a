"""Runs a command in a session of its own and tells what it cost: seconds, CPU seconds, memory.

A process begins with the peak of the one that starts it (Linux keeps `ru_maxrss` over exec, macOS too), and a benchmark
that has drawn or clustered is not small. So another, small process starts the command: this file, run as a program. On
Linux it inherits what the command leaves behind, such as the process that cvid's workers are forked from.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

EVERY_S = 1.0
_HEIRS_S = 10.0
_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True)
class Usage:
    """What a command and all processes it started took, and said."""

    exit: int  # minus the signal's number where one ended it
    seconds: float
    cpu_s: float
    largest_mib: float  # peak of the largest process
    together_mib: float | None  # peak of all at one moment, shared pages once; None where there is no /proc
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last line that it wrote of its failure."""
        return (self.err.strip().splitlines() or [f"exit {self.exit}"])[-1]


def measured(command: Sequence[str], limit_s: float = 3600) -> Usage:
    """Run a command to its end, or to the limit, where it is killed with all it started.

    Raises:
        OSError: there is no such program.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, __file__, name, str(limit_s), *command], check=True)
        found = json.loads((folder / "usage.json").read_text())
        if "errno" in found:
            raise OSError(found["errno"], os.strerror(found["errno"]))
        out, err = ((folder / name).read_text(errors="replace") for name in ("out", "err"))
        return Usage(**found, out=out, err=err)


def main() -> None:
    folder, limit_s, *command = sys.argv[1:]
    try:
        found = measure(command, float(limit_s), Path(folder))
    except OSError as exc:
        found = {"errno": exc.errno}
    Path(folder, "usage.json").write_text(json.dumps(found))


def measure(command: Sequence[str], limit_s: float, folder: Path) -> dict[str, float | None]:
    """The figures of a command that this process starts, its output in files of the folder."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        watch = _Watch(process.pid, limit_s)
        try:
            _, status, spent = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            peak = watch.end()
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    each = [spent, *_left_behind()]
    return {
        "exit": process.returncode,
        "seconds": seconds,
        "cpu_s": sum(usage.ru_utime + usage.ru_stime for usage in each),
        "largest_mib": max(usage.ru_maxrss for usage in each) / (2**20 if sys.platform == "darwin" else 2**10),
        "together_mib": peak,
    }


def _left_behind() -> Iterator[Any]:
    """What the processes took that outlived the one that started them, by a little."""
    until = time.monotonic() + _HEIRS_S
    while time.monotonic() < until:
        try:
            pid, _, spent = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            yield spent
        else:
            time.sleep(0.01)


class _Watch:
    """A thread that looks at the memory of a session now and then, and ends it after its time."""

    def __init__(self, session: int, limit_s: float) -> None:
        self._session, self._until = session, time.monotonic() + limit_s
        self._peak_kib, self._over = 0, Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float | None:
        self._over.set()
        self._thread.join()
        return self._peak_kib / 1024 or None

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            self._peak_kib = max(self._peak_kib, _kib_of(_members(self._session)))
            if time.monotonic() > self._until:
                os.killpg(self._session, signal.SIGKILL)
                return


def _members(session: int) -> Iterator[str]:
    """The processes of a session, by /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                yield stat.parent.name
        except (OSError, IndexError):  # it ended meanwhile
            continue


def _kib_of(processes: Iterable[str]) -> int:
    """The memory of processes together: what each has for itself, and the most that one of them shares."""
    own, shared = 0, 0
    for process in processes:
        try:
            lines = Path("/proc", process, "smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        kib = {name: int(text.split()[0]) for name, _, text in (line.partition(":") for line in lines)}
        apart = kib.get("Private_Clean", 0) + kib.get("Private_Dirty", 0)
        own, shared = own + apart, max(shared, kib.get("Rss", apart) - apart)
    return own + shared


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How fast the full-screen review is on a large archive, in a real pseudo-terminal.

    python benchmarks/review_screen.py [--people 5000] [--appearances 200000] [--archive FOLDER] [--keys 40]

Makes an archive of so many people (`many_people.py`), opens `review` on it with 100 × 36 characters, and prints the
seconds until people and the first question are on the screen, and from a key press to the next output: median and
largest. The keys move through people and log, sort and skip; none answers, for people are sorted beside the screen.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from pathlib import Path
from statistics import median

from many_people import make_archive

MAIN = Path(__file__).resolve().parent.parent / "main.py"
KEYS = (b"\x1b[B", b"\x1b[6~", b"\t", b"\x1b[B", b"\t", b"S", b"s", b"\x1b[F", b"\x1b[H")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--appearances", type=int, default=200_000)
    parser.add_argument("--archive", type=Path, help="an archive that is there already")
    parser.add_argument("--keys", type=int, default=40)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = a.archive or Path(folder, "archive")
        if not a.archive:
            make_archive(archive, a.people, a.appearances)
        opened, answers = driven(archive, a.keys)
    took = f"{1000 * median(answers):.0f} ms, at most {1000 * max(answers):.0f} ms"
    print(f"opened in {opened:.2f} s; a key answers in {took}")


def driven(archive: Path, keys: int) -> tuple[float, list[float]]:
    """Seconds until it is open, and until something changes on the screen after each of so many keys."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 100, 0, 0))
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, MAIN, "review", "--archive", archive],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    ) as process:
        os.close(theirs)
        shown = bytearray()
        while b"until certain" not in shown:
            shown += os.read(ours, 65536)
        opened = time.perf_counter() - begun
        quiet(ours)
        answers = []
        for number in range(keys):
            pressed = time.perf_counter()
            os.write(ours, KEYS[number % len(KEYS)])
            if select.select([ours], [], [], 5.0)[0]:
                os.read(ours, 65536)
                answers.append(time.perf_counter() - pressed)
            quiet(ours)
        os.write(ours, b"q")
        while process.poll() is None:
            quiet(ours)
    os.close(ours)
    return opened, answers


def quiet(terminal: int) -> None:
    """Read until nothing comes for a moment."""
    while select.select([terminal], [], [], 0.15)[0]:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:
            return


if __name__ == "__main__":
    main()

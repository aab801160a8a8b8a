"""Calls the command line: in this process, as a process of its own, and in a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from click.testing import CliRunner, Result

from reports.cli.app import cli

ROOT = Path(__file__).parent.parent
MAIN = ROOT / "main.py"


def run(*args: str | Path) -> Result:
    """A verb in this process; a traceback fails the test."""
    result = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="cvid")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def call(*args: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python main.py …` as a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, MAIN, *map(str, args)],
        check=False,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
    )


def in_terminal(
    folder: Path,
    answers: bytes,
    *environment: str,
    interrupt_at: bytes | None = None,
    exit_code: int = 0,
    script: Path = MAIN,
    args: Sequence[str] = (),
    answer_at: tuple[bytes, bytes] = (b"", b""),
) -> str:
    """What `python main.py` shows in a terminal to somebody who gives these answers, or Ctrl-C at these words.

    Args:
        answer_at: words, and what is typed once they are shown.
    """
    import pty

    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30", **dict(e.split("=") for e in environment)}
    with subprocess.Popen(
        [sys.executable, script, *args], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, answers)
        shown = bytearray()
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
                if answer_at[1] and answer_at[0] in shown:
                    os.write(ours, answer_at[1])
                    answer_at = (b"", b"")
                if interrupt_at and interrupt_at in shown:
                    time.sleep(0.2)  # nobody is so fast that the words are still on their way out
                    process.send_signal(signal.SIGINT)
                    interrupt_at = None
        except OSError:  # Linux says so when the other end has closed
            pass
        assert process.wait(timeout=60) == exit_code, shown.decode()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())

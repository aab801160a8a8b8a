"""Where verbs write: the console, JSON objects, and the name of the program as it was called."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA_VERSION = 1
_UNBOUNDED = 100_000


def open_console(err: bool = False) -> Console:
    """A console that takes names literally; into a file or a pipe it neither cuts nor colours."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    terminal = stream.isatty()
    width = None if terminal else _UNBOUNDED
    return Console(file=stream, width=width, force_terminal=terminal, markup=False, emoji=False, highlight=False)


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on standard output, in ASCII: safe for any terminal, and any bytes in names survive."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **content}, indent=2))


def program() -> str:
    """How to call cvid again from here: `cvid`, `python main.py`, `.venv/bin/python main.py`."""
    called = sys.argv[0]
    if called.endswith(".py"):
        return f"{_short(sys.executable)} {shlex.quote(called)}"
    return _short(called)


def _short(program: str) -> str:
    """A program by its bare name where the shell finds it so, else by its path from here."""
    path = Path(program).absolute()
    if shutil.which(path.name) == str(path):
        return path.name
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))

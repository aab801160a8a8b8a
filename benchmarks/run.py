#!/usr/bin/env python3
"""Every table of docs/LOG.md and docs/performance.md that names its command again, one after another.

    CVID_BENCH_DATA=… python benchmarks/run.py [--list] [--quick] [--plots DIR] [--cache DIR] [NAME …]

--list says what it would run; --quick takes a short part of each measurement that has one (some ten minutes). NAMEs are
scripts, such as `peers speed`; what they need runs before them. Plots go to DIR. CACHE keeps what several commands
share, such as the tracks that `tracksets.py` sees, for the next time. All of it takes hours. A command that fails does
not stop the others; it is named at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data import data_folder
from plan import PLAN, Run

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Command:
    """One line to run, and where its output goes instead of the screen."""

    heading: str
    words: Sequence[str]
    into: Path | None


def main() -> None:
    a = parse()
    data = data_folder() if not a.list else Path(os.environ.get("CVID_BENCH_DATA", "$CVID_BENCH_DATA"))
    if a.plots and not a.list:
        a.plots.mkdir(parents=True, exist_ok=True)
    if a.list:
        listed(planned(a, data, a.cache or Path("CACHE")))
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = (a.cache or Path(folder)).resolve()
        cache.mkdir(parents=True, exist_ok=True)
        print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}")
        failed = [command for command in planned(a, data, cache) if not done(command)]
    if failed:
        print("\nfailed:\n" + "\n".join(f"    {line(command)}" for command in failed))
        sys.exit(1)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these scripts")
    parser.add_argument("--list", action="store_true", help="say what would be run")
    parser.add_argument("--quick", action="store_true", help="a short part of each")
    parser.add_argument("--plots", type=lambda text: Path(text).resolve(), metavar="DIR")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="what commands share stays here")
    a = parser.parse_args()
    known = {run.name for run in PLAN}
    if strange := set(a.names) - known:
        parser.error(f"no script {', '.join(sorted(strange))}; there are {', '.join(sorted(known))}")
    return a


# --- what is run


def planned(a: argparse.Namespace, data: Path, cache: Path) -> list[Command]:
    """The commands of the plan that were asked for or are needed, whose scripts are here."""
    wanted = {*a.names, *(run.needs for run in PLAN if run.name in a.names)}
    found = []
    for run in PLAN:
        arguments = run.quick if a.quick else run.arguments
        if arguments is not None and (run.name in wanted or not a.names) and script_of(run).is_file():
            words = [str(script_of(run)), *(word.format(data=data, cache=cache) for word in arguments)]
            if a.plots and run.plot and draws(run):
                words += ["--plot", str(a.plots / run.plot)]
            found.append(Command(run.heading, words, cache / run.into if run.into else None))
    return found


def draws(run: Run) -> bool:
    return run.name == "evaluate" or '"--plot"' in script_of(run).read_text(encoding="utf-8")


def script_of(run: Run) -> Path:
    return HERE.parent / "main.py" if run.name == "evaluate" else HERE / f"{run.name}.py"


def done(command: Command) -> bool:
    """Run it; did it succeed? The user's own settings and calibrations are neither used nor touched."""
    print(f"\n## {command.heading}\n\n$ {line(command)}\n", flush=True)
    words = [sys.executable, *expanded(command.words)]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as own:
        paths = filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))
        environment = os.environ | {"XDG_CONFIG_HOME": own, "PYTHONPATH": os.pathsep.join(paths)}
        if command.into:
            with command.into.open("wb") as output:
                code = subprocess.run(words, env=environment, stdout=output, check=False).returncode
        else:
            code = subprocess.run(words, env=environment, check=False).returncode
    took = time.perf_counter() - started
    print(f"\n({took:.0f} s{f', FAILED with exit code {code}' if code else ''})", flush=True)
    return code == 0


def expanded(words: Sequence[str]) -> list[str]:
    """The words with the files that a * stands for."""
    found: list[str] = []
    for word in words:
        folder = Path(word).parent
        found += sorted(map(str, folder.glob(Path(word).name))) if "*" in word else [word]
    return found


# --- what is shown


def line(command: Command) -> str:
    """The command as one would type it in the repository."""
    words = [word.removeprefix(f"{HERE.parent}/") for word in command.words]
    text = " ".join(word if "*" in word else shlex.quote(word) for word in ("python", *words))
    return f"{text} > {shlex.quote(str(command.into))}" if command.into else text


def listed(commands: Sequence[Command]) -> None:
    heading = ""
    for command in commands:
        if command.heading != heading:
            heading = command.heading
            print(f"\n{heading}")
        print(f"    {line(command)}")


if __name__ == "__main__":
    main()

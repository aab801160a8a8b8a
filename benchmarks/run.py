#!/usr/bin/env python3
"""Every figure of docs/LOG.md again, one script after another.

CVID_BENCH_DATA=… python benchmarks/run.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from data import data_folder

RUNS = (
    ("accuracy.py", "--models", "light"),
    ("accuracy.py", "--models", "embedded"),
    ("accuracy.py", "--models", "light", "--sets", "composed-11", "--strangers", "1500"),
    ("accuracy.py", "--models", "embedded", "--sets", "composed-11", "--strangers", "1500"),
    ("recipe.py",),
    ("speed.py",),
    ("selection.py",),
    ("memory.py",),
    ("impostors.py", "mobilefacenet"),
    ("impostors.py", "dlib_resnet"),
)


def main() -> None:
    data_folder()
    for script, *arguments in RUNS:
        print(f"\n$ python benchmarks/{script} {' '.join(arguments)}", flush=True)
        subprocess.run([sys.executable, str(Path(__file__).with_name(script)), *arguments], check=True)


if __name__ == "__main__":
    main()

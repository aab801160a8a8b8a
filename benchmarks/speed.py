#!/usr/bin/env python3
"""Speed against the recipe, in one run: recipe, light and embedded in turn, the median of each and the ratios.

CVID_BENCH_DATA=… python benchmarks/speed.py [--rounds 3] [--set composed-11]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

from accuracy import run
from data import data_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", default="composed-11")
    a = parser.parse_args()
    data = data_folder()
    speeds: dict[str, list[float]] = {"recipe": [], "light": [], "embedded": []}
    for _ in range(a.rounds):
        speeds["recipe"].append(recipe_speed(a.set))
        for models in ("light", "embedded"):
            speeds[models].append(run(data / "footage" / a.set, data, models, 0, [])["video s/s"])
    for name, values in speeds.items():
        ratio = median(v / r for v, r in zip(values, speeds["recipe"], strict=True))
        print(
            f"{name:10} {median(values):6.1f} video s/s  {ratio:5.2f} × recipe   all: {[round(v, 1) for v in values]}"
        )


def recipe_speed(name: str) -> float:
    script = Path(__file__).with_name("recipe.py")
    done = subprocess.run([sys.executable, str(script), "--sets", name], check=True, stdout=subprocess.PIPE, text=True)
    found = re.search(r"([\d.]+) video s/s", done.stdout)
    assert found
    return float(found[1])


if __name__ == "__main__":
    main()

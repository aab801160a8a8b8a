#!/usr/bin/env python3
"""Does the frame selector earn its place? Frames kept, found, linked F and seconds with parts of it off.

CVID_BENCH_DATA=… python benchmarks/selection.py [--models light] [--kinds composed,lookalikes,room,real]
"""

from __future__ import annotations

import argparse
from statistics import mean

from accuracy import run
from data import KINDS, data_folder

VARIANTS = {
    "default": [],
    "flow off": ["--set", "selection.flow=false"],
    "brightness off": ["--set", "selection.brightness=false"],
    "fixed 1 a second": ["--set", "selection.fixed_rate_hz=1"],
    "fixed 2 a second": ["--set", "selection.fixed_rate_hz=2"],
    "fixed 4 a second": ["--set", "selection.fixed_rate_hz=4"],
}
COLUMNS = ("analysed", "found", "linked_f", "linked_p", "extra", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="light")
    parser.add_argument("--kinds", default="composed,lookalikes,room,real")
    a = parser.parse_args()
    data = data_folder()
    print(f"{'':20}{'':14}" + "".join(f"{c:>12}" for c in COLUMNS))
    for kind in a.kinds.split(","):
        for variant, flags in VARIANTS.items():
            results = [run(data / "footage" / name, data, a.models, 0, flags) for name in KINDS[kind]]
            figures = [mean(r[c] for r in results) for c in COLUMNS]
            print(f"{variant:20}{kind:14}" + "".join(f"{f:12.3f}" for f in figures), flush=True)


if __name__ == "__main__":
    main()

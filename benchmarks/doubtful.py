#!/usr/bin/env python3
"""Are wrong links among the doubts, and is none of them called confident?

    CVID_BENCH_DATA=… python benchmarks/doubtful.py [--models light] [--sets once-42,room-41]

For each set: links between appearances of different people, how many of these pairs `doubts` lists, how many have a
confident end; the same for people who appear once; and what share of all right links is confident.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import KINDS, data_folder, videos_of
from score import match, read

from archive.catalogue import Catalogue
from archive.doubts import doubts_of
from archive.index import index_footage
from archive.records import COLUMNS, CONFIDENT, Appearance, as_row
from cvid.models.sets import choose
from cvid.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="light")
    parser.add_argument("--sets", default=",".join(name for names in KINDS.values() for name in names))
    a = parser.parse_args()
    data = data_folder()
    heads = ("wrong links", "listed", "confident", "of once", "listed", "right, confident")
    print(f"{'set':16}" + "".join(f"{head:>18}" for head in heads))
    for name in a.sets.split(","):
        footage = data / "footage" / name
        with tempfile.TemporaryDirectory() as folder:
            index_footage(Path(folder), videos_of(footage), Settings(), quiet, choice=choose(a.models), engine="inline")
            with Catalogue.open(Path(folder)) as catalogue:
                print(f"{name:16}" + told(catalogue, read(footage / "truth.csv")), flush=True)


def quiet(event: object) -> None:
    """A hook."""


def told(catalogue: Catalogue, truth: list[dict[str, str]]) -> str:
    """The figures of one archive."""
    seen = [one for one in catalogue.appearances() if one.identity]
    places = match(truth, [dict(zip(COLUMNS, as_row(one), strict=True)) for one in seen])
    person = {one.appearance: truth[p]["person"] for one, p in zip(seen, places, strict=True) if p is not None}
    often = Counter(row["person"] for row in truth)
    listed = {frozenset((doubt.appearance, doubt.other_appearance)) for doubt in doubts_of(catalogue)}
    known = [one for one in seen if one.appearance in person]
    links = [pair for pair in combinations(known, 2) if pair[0].identity == pair[1].identity]
    wrong = [pair for pair in links if person[pair[0].appearance] != person[pair[1].appearance]]
    right = [pair for pair in links if person[pair[0].appearance] == person[pair[1].appearance]]
    once = [pair for pair in wrong if any(often[person[one.appearance]] == 1 for one in pair)]
    sure = [pair for pair in wrong if all(one.certainty == CONFIDENT for one in pair)]
    share = sum(all(one.certainty == CONFIDENT for one in pair) for pair in right) / max(len(right), 1)
    counts = (len(wrong), count_listed(wrong, listed), len(sure), len(once), count_listed(once, listed))
    return "".join(f"{number:>18}" for number in counts) + f"{share:>18.3f}"


def count_listed(pairs: list[tuple[Appearance, Appearance]], listed: set[frozenset[str | None]]) -> int:
    return sum(frozenset((a.appearance, b.appearance)) in listed for a, b in pairs)


if __name__ == "__main__":
    main()

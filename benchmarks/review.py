#!/usr/bin/env python3
"""How much a human's answers are worth: a reviewer who knows the truth answers what cvid asks.

    CVID_BENCH_DATA=… python benchmarks/review.py [--models embedded] [--kinds lookalikes] [--runs 20] [--plot FILE]

Indexes each set once. Every run leaves out a quarter of the videos by chance, sorts the rest, and puts the questions
of `doubts` to the reviewer: in their order, and in random order. Prints linked F against the number of answers, mean
(minimum) over the runs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import KINDS, data_folder, videos_of
from score import match, read, score
from sqlalchemy import delete, select

from archive.catalogue import FILE, Catalogue
from archive.decisions import verbs as decisions
from archive.decisions.carrying_out import decide_in
from archive.decisions.verbs import Said
from archive.index import index_footage
from archive.records import COLUMNS, as_row
from archive.schema import videos
from archive.sorting.doubts import SAME, Doubt, doubts_of
from archive.sorting.settle import settle
from cvid.errors import DecisionError
from cvid.models.sets import choose
from cvid.settings import Settings

MOST = 120
SHOWN = (0, 5, 10, 15, 20, 30, 40, 60, 80, 100, 120)
LEFT_OUT = 0.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="embedded")
    parser.add_argument("--kinds", default="lookalikes")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--plot", type=Path)
    a = parser.parse_args()
    data = data_folder()
    curves: dict[str, list[list[float]]] = {"asked": [], "random": []}
    with tempfile.TemporaryDirectory() as folder:
        sets = [name for kind in a.kinds.split(",") for name in KINDS[kind]]
        for name in sets:
            files = videos_of(data / "footage" / name)
            index_footage(
                Path(folder, name), files, Settings(), print_nothing, choice=choose(a.models), engine="inline"
            )
        for run in range(a.runs):
            name = sets[run % len(sets)]
            for order in curves:
                curves[order].append(reviewed(Path(folder, name), data / "footage" / name, order, run))
    print(f"{'answers':>8}{'in order':>20}{'at random':>20}")
    for answers in SHOWN:
        row = [[curve[answers] for curve in curves[order]] for order in ("asked", "random")]
        print(f"{answers:>8}" + "".join(f"{mean(values):>12.3f} ({min(values):.3f})" for values in row))
    if a.plot:
        draw(a.plot, curves)


def print_nothing(event: object) -> None:
    """A hook."""


def reviewed(archive: Path, footage: Path, order: str, run: int) -> list[float]:
    """Linked F before the first answer and after each one; the last value stays when nothing is left to ask."""
    random = Random(f"{footage.name} {run}")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(archive / FILE, Path(folder, FILE))
        with Catalogue.create_or_open(Path(folder)) as catalogue:
            contents = sorted(catalogue.connection.execute(select(videos.c.sha256)).scalars())
            gone = random.sample(contents, round(LEFT_OUT * len(contents)))
            catalogue.connection.execute(delete(videos).where(videos.c.sha256.in_(gone)))
            settle(catalogue, Settings(), anew=True)
            truth = seen_truth(catalogue, footage)
            reviewer = Reviewer(catalogue, truth)
            curve = [reviewer.linked_f()]
            while len(curve) <= MOST and (asked := reviewer.left()):
                reviewer.answer(asked[0] if order == "asked" else random.choice(asked))
                curve.append(reviewer.linked_f())
    return curve + curve[-1:] * (MOST + 1 - len(curve))


def seen_truth(catalogue: Catalogue, footage: Path) -> list[dict[str, str]]:
    """The truth of the videos that are left."""
    left = {Path(seen.video).name for seen in catalogue.appearances()}
    return [row for row in read(footage / "truth.csv") if Path(row["video"]).name in left]


class Reviewer:
    """Answers questions by the truth; who is not in it is nobody else."""

    def __init__(self, catalogue: Catalogue, truth: list[dict[str, str]]) -> None:
        self.catalogue, self.truth = catalogue, truth
        seen = list(catalogue.appearances())
        rows = [dict(zip(COLUMNS, as_row(one), strict=True)) for one in seen]
        self.person = {
            one.appearance: truth[place]["person"] if place is not None else f"?{one.appearance}"
            for one, place in zip(seen, match(truth, rows), strict=True)
        }
        self.done: set[tuple[str, str, str | None]] = set()

    def left(self) -> list[Doubt]:
        """The questions that have not been answered."""
        return [doubt for doubt in doubts_of(self.catalogue) if key_of(doubt) not in self.done]

    def linked_f(self) -> float:
        rows = [dict(zip(COLUMNS, as_row(one), strict=True)) for one in self.catalogue.appearances()]
        return float(score(self.truth, rows)["linked_f"])

    def answer(self, doubt: Doubt) -> None:
        self.done.add(key_of(doubt))
        try:
            decide_in(self.catalogue, Settings(), self._answer(doubt))
        except DecisionError:
            return  # an earlier answer says otherwise

    def _answer(self, doubt: Doubt) -> Callable[[Catalogue], Said]:
        if doubt.kind == SAME:
            assert doubt.other and doubt.other_appearance
            other = doubt.other
            if self.person[doubt.appearance] == self.person[doubt.other_appearance]:
                return lambda catalogue: decisions.merge(catalogue, doubt.identity, other)
            return lambda catalogue: decisions.reject(catalogue, doubt.identity, [other])
        held = [one.appearance for one in self.catalogue.appearances(doubt.identity)]
        who = Counter(self.person[i] for i in held if i != doubt.appearance).most_common(1)[0][0]
        if self.person[doubt.appearance] == who:
            return lambda catalogue: decisions.confirm(catalogue, doubt.identity, [doubt.appearance])
        return lambda catalogue: decisions.reject(catalogue, doubt.identity, [doubt.appearance])


def key_of(doubt: Doubt) -> tuple[str, str, str | None]:
    return (doubt.identity, doubt.appearance, None) if doubt.other is None else (doubt.identity, "", doubt.other)


def draw(path: Path, curves: dict[str, list[list[float]]]) -> None:
    """Both curves as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for order, label in (("asked", "in the order of doubts"), ("random", "in random order")):
        axes.plot(range(MOST + 1), means(curves[order]), label=label)
    axes.set(xlabel="answers", ylabel="linked F, mean")
    axes.legend()
    figure.savefig(path, dpi=120)


def means(curves: Sequence[Sequence[float]]) -> list[float]:
    return [mean(values) for values in zip(*curves, strict=True)]


if __name__ == "__main__":
    main()

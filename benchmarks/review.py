#!/usr/bin/env python3
"""How much a human's answers are worth: a reviewer who knows the truth answers what `review` asks.

    CVID_BENCH_DATA=… python benchmarks/review.py [--models embedded] [--kinds lookalikes] [--runs 20] [--plot FILE]

Indexes each set once. Every run leaves out a quarter of the videos by chance, sorts the rest, and answers the questions
of a review session: in their order, and in random order. Prints linked F against the number of answers, mean (minimum)
over the runs, and how many answers each order needs for a mean of 0.98.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import KINDS, data_folder, videos_of
from score import match, read, score
from sqlalchemy import delete, select

from archive.catalogue import FILE, Catalogue
from archive.index import index_footage
from archive.records import COLUMNS, CONFIRMED, as_row
from archive.schema import videos
from archive.sorting.settle import settle
from cvid.models.sets import choose
from cvid.settings import Settings
from reports.review.questions import NAME, ODD, ONE, Question
from reports.review.session import ReviewSession

MOST = 120
SHOWN = (0, 5, 10, 15, 20, 30, 40, 60, 80, 100, 120)
LEFT_OUT = 0.25
GOAL = 0.98


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
    for order in curves:
        needed = next((n for n, value in enumerate(means(curves[order])) if value >= GOAL), None)
        print(f"{GOAL} {order}: {'not reached' if needed is None else f'{needed} answers'}")
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
        with ReviewSession(Path(folder), Settings()) as session:
            reviewer = Reviewer(session, footage)
            curve = [reviewer.linked_f()]
            while len(curve) <= MOST and (question := reviewer.next(order, random)):
                reviewer.answer(question)
                curve.append(reviewer.linked_f())
    return curve + curve[-1:] * (MOST + 1 - len(curve))


class Reviewer:
    """Answers questions by the truth; who is not in it is nobody else. Names nobody."""

    def __init__(self, session: ReviewSession, footage: Path) -> None:
        self.session = session
        seen = list(session.catalogue.appearances())
        left = {Path(one.video).name for one in seen}
        self.truth = [row for row in read(footage / "truth.csv") if Path(row["video"]).name in left]
        rows = [dict(zip(COLUMNS, as_row(one), strict=True)) for one in seen]
        self.person = {
            one.appearance: self.truth[place]["person"] if place is not None else f"?{one.appearance}"
            for one, place in zip(seen, match(self.truth, rows), strict=True)
        }

    def next(self, order: str, random: Random) -> Question | None:
        """The next question, but for names; of all that could be asked any one, in random order."""
        if order == "asked":
            question = self.session.question()
            return question if question and question.kind != NAME else None
        able = [question for question in self.session.open_questions() if question.kind != NAME]
        return self.session.ask(random.choice(able)) if able else None

    def linked_f(self) -> float:
        rows = [dict(zip(COLUMNS, as_row(one), strict=True)) for one in self.session.catalogue.appearances()]
        return float(score(self.truth, rows)["linked_f"])

    def answer(self, question: Question) -> None:
        """Say what is true, and wait until it is sorted. An identity is who was confirmed as it, else most of it."""
        first = self.person[question.faces[0]]
        held = list(self.session.catalogue.appearances(question.identity))
        known = [one for one in held if one.certainty == CONFIRMED] or held
        who = Counter(self.person[one.appearance] for one in known).most_common(1)[0][0]
        if question.kind == ODD:
            self.session.odd([face for face in question.faces if self.person[face] != who])
        elif first == (self.person[question.other_faces[0]] if question.kind == ONE else who):
            self.session.yes()
        else:
            self.session.no()
        self.session.wait()
        self.session.news()


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

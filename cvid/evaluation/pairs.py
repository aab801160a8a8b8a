"""Verification accuracy over a file of labelled pairs, the way LFW does it: ten folds."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvid.errors import LabelsError
from cvid.types import Doubles, Floats

FOLDS = 10
_SAME = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_SHOWN = 60


@dataclass(frozen=True)
class Pair:
    """Two pictures by their paths below the folder; LFW leaves the ending out. `fold` counts from 0."""

    first: str
    second: str
    same: bool
    fold: int


@dataclass(frozen=True)
class Accuracy:
    """The share of pairs judged rightly at the threshold that is best for the other folds: mean and deviation."""

    mean: float
    deviation: float
    pairs: int
    left_out: int  # pairs with a picture that is not here


def read_pairs(path: Path) -> list[Pair]:
    """Read a file of pairs: LFW's pairs.txt, or csv rows `path,path,same`.

    LFW's first line holds the number of folds and of pairs of each kind in one; then come, fold by fold, lines
    `person n m` and lines `person n other m`. Rows of a csv are dealt to ten folds in turn, each kind for itself.

    Raises:
        LabelsError: it cannot be read, or a line makes no sense; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as exc:
        raise LabelsError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
    except ValueError as exc:
        raise LabelsError(f"{path}: not a text file in UTF-8") from exc
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise LabelsError(f"{path}: there are no pairs in it")
    head = numbered[0][1].split()
    if all(word.isdecimal() for word in head) and len(head) in (1, 2):
        folds, each = (int(head[0]), int(head[1])) if len(head) == 2 else (1, int(head[0]))
        return list(_lfw(path, numbered[1:], folds, each))
    return list(_rows(path, numbered))


def accuracy(pairs: Sequence[Pair], cosines: Doubles) -> Accuracy | None:
    """Judge pairs; None where no two folds hold any.

    Args:
        cosines: (n,), of each pair; −1 where a picture shows no face, NaN where one is not here.
    """
    here = ~np.isnan(cosines)
    same = np.array([pair.same for pair in pairs], np.bool_)[here]
    fold = np.array([pair.fold for pair in pairs], np.int64)[here]
    cosines = cosines[here]
    used = np.unique(fold)
    if len(used) < 2:
        return None
    right = []
    for one in used:
        bar = _best_threshold(cosines[fold != one], same[fold != one])
        right.append(float(((cosines[fold == one] >= bar) == same[fold == one]).mean()))
    return Accuracy(float(np.mean(right)), float(np.std(right)), len(cosines), len(pairs) - len(cosines))


def _best_threshold(cosines: Doubles, same: NDArray[np.bool_]) -> float:
    """The middle between two cosines that judges most pairs rightly; the lowest of equals."""
    order = np.argsort(cosines)
    ordered, kind = cosines[order], same[order]
    wrong = np.append(0, np.cumsum(kind)) + np.append(np.cumsum(~kind[::-1])[::-1], 0)
    between = np.concatenate([[ordered[0] - 1e-6], (ordered[1:] + ordered[:-1]) / 2, [ordered[-1] + 1e-6]])
    distinct = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])
    wrong = np.where(distinct, wrong, len(ordered) + 1)
    return float(between[int(np.argmin(wrong))])


def _lfw(path: Path, numbered: Sequence[tuple[int, str]], folds: int, each: int) -> Iterator[Pair]:
    if len(numbered) != 2 * folds * each:
        raise LabelsError(
            f"{path}: its first line promises {2 * folds * each:,} pairs and {len(numbered):,} lines follow"
        )
    for row, (number, line) in enumerate(numbered):
        words, same = line.split("\t") if "\t" in line else line.split(), row // each % 2 == 0
        if len(words) != (3 if same else 4) or not all(word.strip().isdecimal() for word in (words[1], words[-1])):
            form = "person n m" if same else "person n other m"
            raise LabelsError(f"{path}: line {number} should read '{form}', and reads {line[:_SHOWN]!r}")
        first, second = (words[0], words[0]) if same else (words[0], words[2])
        fold = row // (2 * each) if folds > 1 else row % each % FOLDS
        yield Pair(_lfw_name(first, words[1]), _lfw_name(second, words[-1]), same, fold)


def _lfw_name(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}"


def _rows(path: Path, numbered: Sequence[tuple[int, str]]) -> Iterator[Pair]:
    count = {True: 0, False: 0}
    for place, (number, line) in enumerate(numbered):
        row = next(csv.reader([line]))
        same = _SAME.get(row[2].strip().lower()) if len(row) == 3 else None
        if same is None:
            if place == 0 and len(row) == 3:  # a header
                continue
            raise LabelsError(
                f"{path}: line {number} should read 'path,path,same' with same as 1 or 0, and reads {line[:_SHOWN]!r}"
            )
        yield Pair(row[0].strip(), row[1].strip(), same, count[same] % FOLDS)
        count[same] += 1


def cosines_of(pairs: Sequence[Pair], pictures: Sequence[str], face: NDArray[np.bool_], vectors: Floats) -> Doubles:
    """The cosine of each pair: −1 where a picture shows no face, NaN where one is not among the pictures.

    Args:
        pictures: (n,), paths below the folder; a pair may name them without their ending.
        face: bool (n,), which k of them have a vector.
        vectors: float32 (k, d), unit length.
    """
    place = {name.rpartition(".")[0]: row for row, name in reversed(list(enumerate(pictures)))}
    place |= {name: row for row, name in enumerate(pictures)}
    vector = np.cumsum(face) - 1
    cosines = np.full(len(pairs), np.nan)
    for number, pair in enumerate(pairs):
        a, b = place.get(pair.first), place.get(pair.second)
        if a is not None and b is not None:
            cosines[number] = float(vectors[vector[a]] @ vectors[vector[b]]) if face[a] and face[b] else -1.0
    return cosines

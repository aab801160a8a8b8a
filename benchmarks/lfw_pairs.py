#!/usr/bin/env python3
"""Write pairs in LFW's form for a part of LFW: ten folds that share nobody, 300 pairs of each kind in one.

    python benchmarks/lfw_pairs.py FOLDER > pairs.txt

The same folder gives the same pairs. LFW's own pairs.txt works too; its pairs with absent pictures are left out.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

FOLDS, EACH, SEED = 10, 300, 1


def main() -> None:
    folder = Path(sys.argv[1])
    pictures = {person.name: len(list(person.glob("*.jpg"))) for person in sorted(folder.iterdir())}
    draw = random.Random(SEED)
    people = sorted(pictures)
    draw.shuffle(people)
    print(f"{FOLDS}\t{EACH}")
    for fold in range(FOLDS):
        inside = people[fold::FOLDS]
        same = [(p, a, b) for p in inside for a in range(1, pictures[p] + 1) for b in range(a + 1, pictures[p] + 1)]
        for person, a, b in draw.sample(same, EACH):
            print(f"{person}\t{a}\t{b}")
        different: set[tuple[str, int, str, int]] = set()
        while len(different) < EACH:
            first, second = sorted(draw.sample(inside, 2))
            different.add((first, draw.randint(1, pictures[first]), second, draw.randint(1, pictures[second])))
        for first, a, second, b in sorted(different):
            print(f"{first}\t{a}\t{second}\t{b}")


if __name__ == "__main__":
    main()

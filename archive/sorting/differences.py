"""What would change if everything were sorted anew: who would move, merge, split, appear, vanish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Moves:
    """Appearances that go from one identity to another; empty stands for nobody."""

    origin: str
    to: str
    appearances: int


@dataclass(frozen=True)
class Differences:
    """How one sorting of an archive differs from another.

    `merged`: an identity most of which goes over to another one and which is no more, (from, into, appearances).
    `split`: an identity that stays and gives appearances to several or new ones, (identity, into).
    """

    moved: Sequence[Moves]
    merged: Sequence[Moves]
    split: Sequence[tuple[str, Sequence[str]]]
    founded: Sequence[tuple[str, int]]
    dissolved: Sequence[tuple[str, int]]
    before: int
    after: int
    remark: str = ""

    @property
    def nothing(self) -> bool:
        """Would everything stay as it is?"""
        return not (self.moved or self.founded or self.dissolved)

    def as_json(self) -> dict[str, Any]:
        """The object of `recluster --json`."""
        return {
            "moved": {
                "appearances": sum(move.appearances for move in self.moved),
                "moves": [{"from": m.origin, "to": m.to, "appearances": m.appearances} for m in self.moved],
            },
            "merged": [{"from": m.origin, "into": m.to, "appearances": m.appearances} for m in self.merged],
            "split": [{"identity": identity, "into": list(into)} for identity, into in self.split],
            "founded": [{"identity": identity, "appearances": n} for identity, n in self.founded],
            "dissolved": [{"identity": identity, "appearances": n} for identity, n in self.dissolved],
            "identities": {"before": self.before, "after": self.after},
            "remark": self.remark,
        }


def differences(before: Sequence[str], after: Sequence[str], remark: str = "") -> Differences:
    """Compare two sortings of the same appearances; each names an identity, or nobody by an empty text."""
    flow = Counter(zip(before, after, strict=True))
    held, holds = Counter(filter(None, before)), Counter(filter(None, after))
    moved = [Moves(a, b, n) for (a, b), n in flow.items() if a != b]
    gone = [identity for identity in held if identity not in holds]
    merged = []
    for identity in gone:
        into, n = max(((b, n) for (a, b), n in flow.items() if a == identity), key=lambda pair: (pair[1], pair[0]))
        if into in held and 2 * n > held[identity]:
            merged.append(Moves(identity, into, n))
    return Differences(
        moved=sorted(moved, key=lambda m: (-m.appearances, _place(m.origin), _place(m.to))),
        merged=sorted(merged, key=lambda m: _place(m.origin)),
        split=_split(flow),
        founded=[(i, holds[i]) for i in sorted(holds, key=_place) if i not in held],
        dissolved=[(i, held[i]) for i in sorted(gone, key=_place) if i not in {m.origin for m in merged}],
        before=len(held),
        after=len(holds),
        remark=remark,
    )


def _split(flow: Counter[tuple[str, str]]) -> list[tuple[str, Sequence[str]]]:
    """Identities whose appearances end in several identities, with those, the largest part first."""
    parts: dict[str, list[tuple[int, str]]] = {}
    for (a, b), n in flow.items():
        if a and b:
            parts.setdefault(a, []).append((-n, b))
    several = {a: into for a, into in parts.items() if len(into) > 1}
    return [(a, [b for _, b in sorted(several[a])]) for a in sorted(several, key=_place)]


def _place(identity: str) -> tuple[int, str]:
    return len(identity), identity

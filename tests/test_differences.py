"""What a new sorting would change, counted and told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archive.sorting.differences import Moves, differences
from reports.differences import difference_lines

A, B, C, D = "P0001", "P0002", "P0003", "P0004"


def test_nothing() -> None:
    found = differences([A, B, ""], [A, B, ""])
    assert found.nothing and difference_lines(found, {}) == ["nothing has changed"]
    assert difference_lines(found, {}, would=True) == ["nothing would change"]


def test_one_of_each() -> None:
    found = differences([A, A, B, B, B, C, D, D, D, ""], [A, A, A, A, A, "", D, D, "P0005", D])
    assert found.merged == [Moves(B, A, 3)]
    assert found.split == [(D, [D, "P0005"])]
    assert found.founded == [("P0005", 1)] and found.dissolved == [(C, 1)]
    assert sum(move.appearances for move in found.moved) == 6 and (found.before, found.after) == (4, 3)
    lines = difference_lines(found, {A: "Jane [Doe]\x1b"})
    assert "merged     P0002 into P0001 Jane [Doe]\\x1b, 3 appearances" in lines
    assert "moved      1 appearance from nobody's to P0004" in lines and "\x1b" not in "".join(lines)


def test_an_identity_that_falls_apart_is_no_merge() -> None:
    found = differences([A, B, B, C, C], [A, A, C, C, C])
    assert found.merged == [] and found.dissolved == [(B, 2)] and found.split == [(B, [A, C])]


def test_long_lists_are_cut() -> None:
    before = [f"P{i:04d}" for i in range(1, 201)]
    lines = difference_lines(differences(before, [""] * 200), {})
    assert len(lines) == 42 and lines[-2].startswith("and 360 more")


names = st.sampled_from(["", A, B, C, D])


@given(st.lists(st.tuples(names, names), max_size=30))
def test_the_figures_agree_with_each_other(pairs: list[tuple[str, str]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    found = differences(before, after)
    assert sum(move.appearances for move in found.moved) == sum(a != b for b, a in pairs)
    gone = {b for b in before if b} - set(after)
    assert {m.origin for m in found.merged} | {i for i, _ in found.dissolved} == gone
    assert {i for i, _ in found.founded} == {a for a in after if a} - set(before)
    assert found.nothing == (before == after)

"""Decisions as a user takes them: what is written, what is refused, and how each is taken back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import analysis, sha_of, track, track_analysis, unit
from deciding import assign, cast, everything, of

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.anchors import anchors_of, resolve
from archive.decisions.standing import rulings_of
from archive.decisions.statements import Merged
from archive.decisions.verbs import Said, confirm, merge, name, reject, split, undo
from cvid.errors import CvidError, DecisionError, UnknownName


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    cast(folder).close()
    return folder


@pytest.fixture
def catalogue(archive: Path, tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.create_or_open(Path(shutil.copytree(archive, tmp_path / "copy"))) as copy:
        yield copy


def pinned(catalogue: Catalogue, identity: str) -> set[str]:
    """The appearances that decisions give to a person."""
    return set(resolve(catalogue.connection, rulings_of(catalogue.connection).persons[identity].pins).values())


def anchor(catalogue: Catalogue, identity: str) -> str:
    place = rulings_of(catalogue.connection).persons[identity].anchor
    return resolve(catalogue.connection, [place])[place]


def refused(catalogue: Catalogue, say: Callable[[], Said]) -> str:
    """The sentence of a refusal, after which nothing has changed."""
    before = everything(catalogue)
    with pytest.raises(CvidError) as caught:
        say()
    assert everything(catalogue) == before
    return str(caught.value)


def test_a_name_goes_to_the_clearest_appearance(catalogue: Catalogue) -> None:
    said = name(catalogue, " p0002 ", "  Zoe\u0308 Doe ")
    assert (said.number, said.sentence, said.identities) == (1, 'named P0002 "Zoë Doe"', {"P0002"})
    assert rulings_of(catalogue.connection).persons["P0002"].name == "Zoë Doe"
    assert anchor(catalogue, "P0002") == of(catalogue, "P0002")[1], "the one of quality 0.95"
    assert name(catalogue, "P0002", "Zoë").number == 2


@pytest.mark.parametrize(
    ("bad", "why"),
    [("", "empty"), (" \t ", "empty"), ("x" * 201, "at most 200"), ("a\x1b[2J", "control"), ("a\nb", "control")],
)
def test_some_names_are_none(catalogue: Catalogue, bad: str, why: str) -> None:
    assert why in refused(catalogue, lambda: name(catalogue, "P0001", bad))


@pytest.mark.parametrize(
    "say",
    [
        lambda c: name(c, "P0009", "Jane"),
        lambda c: confirm(c, "P0009"),
        lambda c: merge(c, "P0001", "P0009"),
        lambda c: merge(c, "P0009", "P0001"),
        lambda c: split(c, "P0009", ["aaaa"]),
        lambda c: reject(c, "P0009", ["aaaa"]),
    ],
)
def test_an_unknown_identity_is_answered_with_the_closest(
    catalogue: Catalogue, say: Callable[[Catalogue], Said]
) -> None:
    sentence = refused(catalogue, lambda: say(catalogue))
    assert "no identity 'P0009'; closest: P000" in sentence


def test_a_confirmation_is_of_all_appearances(catalogue: Catalogue) -> None:
    assert confirm(catalogue, "P0001").sentence == "confirmed P0001 with 3 appearances"
    assert pinned(catalogue, "P0001") == set(of(catalogue, "P0001"))
    assert rulings_of(catalogue.connection).persons["P0001"].confirmed


def test_a_merge_takes_both(catalogue: Catalogue) -> None:
    both = {*of(catalogue, "P0001"), *of(catalogue, "P0002")}
    said = merge(catalogue, "P0001", "P0002")
    assert (said.sentence, said.identities) == ("merged P0002 into P0001", {"P0001", "P0002"})
    assert pinned(catalogue, "P0001") == both
    for say in (lambda: name(catalogue, "P0002", "Jane"), lambda: merge(catalogue, "P0003", "p0002")):
        assert "P0002 is P0001 now, by decision 1 of 20" in refused(catalogue, say)


def test_nobody_is_merged_with_itself(catalogue: Catalogue) -> None:
    assert "with itself" in refused(catalogue, lambda: merge(catalogue, "P0001", "p0001"))


def test_two_who_are_seen_together_are_two_unless_in_a_mirror(catalogue: Catalogue) -> None:
    for pair in (("P0001", "P0003"), ("P0003", "P0001")):
        sentence = refused(catalogue, lambda pair=pair: merge(catalogue, *pair))
        assert "seen together at 0.0 s of a.mp4" in sentence and "--mirror" in sentence
    merge(catalogue, "P0001", "P0003", mirror=True)
    assert rulings_of(catalogue.connection).doubled == {"P0001"}


def test_a_split_gives_a_new_id(catalogue: Catalogue) -> None:
    first, second, third = of(catalogue, "P0001")
    said = split(catalogue, "P0001", [second[:5], third.upper(), second])
    assert (said.sentence, said.identities) == ("split 2 appearances off P0001 as P0004", {"P0001", "P0004"})
    assert pinned(catalogue, "P0004") == {second, third} and anchor(catalogue, "P0004") == second
    assert anchor(catalogue, "P0001") == first
    assign(catalogue, "P0004", second, third)
    assert split(catalogue, "P0004", [third]).identities == {"P0004", "P0005"}


def test_a_split_of_the_anchor_leaves_the_id_with_the_rest(catalogue: Catalogue) -> None:
    name(catalogue, "P0001", "Jane")
    first, second, _ = of(catalogue, "P0001")
    split(catalogue, "P0001", [first])
    assert anchor(catalogue, "P0001") == second and anchor(catalogue, "P0004") == first
    assert rulings_of(catalogue.connection).persons["P0001"].name == "Jane"


def test_appearances_are_looked_for_among_those_of_the_identity(catalogue: Catalogue) -> None:
    own, other, nobodys = of(catalogue, "P0001")[0], of(catalogue, "P0002")[0], of(catalogue, "")[0]
    for verb in (split, reject):
        elsewhere = (other[:6], nobodys[:6]) if verb is split else ()
        told = {
            text: refused(catalogue, lambda verb=verb, text=text: verb(catalogue, "P0001", [own, text]))
            for text in (*elsewhere, own[:3], "0000", "x%_'", "")
        }
        if verb is split:
            assert f"the appearance {other} is P0002's, not P0001's" == told[other[:6]]
            assert f"the appearance {nobodys} is nobody's" in told[nobodys[:6]]
        assert "at least 4 characters" in told[own[:3]] and "at least 4" in told[""]
        assert "no appearance '0000'" in told["0000"] and "no appearance 'x%_''" in told["x%_'"]
        assert "at least one" in refused(catalogue, lambda verb=verb: verb(catalogue, "P0001", []))


def test_others_may_be_rejected_and_confirmed_too(catalogue: Catalogue) -> None:
    other, nobodys = of(catalogue, "P0002")[0], of(catalogue, "")[0]
    said = reject(catalogue, "P0001", [other[:6]])
    assert said.identities == {"P0001", "P0002"}
    assert "contradicts decision 1" in refused(catalogue, lambda: confirm(catalogue, "P0001", [other]))
    confirm(catalogue, "P0001", [nobodys[:6]])
    assert nobodys in pinned(catalogue, "P0001")
    assert not rulings_of(catalogue.connection).persons["P0001"].confirmed, "only this one was looked at"
    assert "contradicts decision 2" in refused(catalogue, lambda: reject(catalogue, "P0001", [nobodys]))


def test_two_identities_are_told_apart_by_their_ids(catalogue: Catalogue) -> None:
    said = reject(catalogue, "P0001", ["p0002"])
    assert said.identities == {"P0001", "P0002"}
    assert "contradicts decision 1" in refused(catalogue, lambda: merge(catalogue, "P0002", "P0001"))
    assert "cannot differ from itself" in refused(catalogue, lambda: reject(catalogue, "P0001", ["P0001"]))


def test_what_is_left_of_a_split_stays_together(catalogue: Catalogue) -> None:
    first, second, third = of(catalogue, "P0001")
    split(catalogue, "P0001", [second])
    assert pinned(catalogue, "P0001") == {first, third}


def test_a_slip_of_the_finger_is_answered_with_the_closest(catalogue: Catalogue) -> None:
    own = of(catalogue, "P0001")[0]
    slip = own[:5] + ("0" if own[5] != "0" else "1") + own[6:8]
    with pytest.raises(UnknownName, match=f"closest: {own[:8]}"):
        reject(catalogue, "P0001", [slip])


def test_a_beginning_of_several_is_refused(tmp_path: Path) -> None:
    with cast(tmp_path, {"P0001": [(f"v{i}", 0, 0, 0.9) for i in range(3)]}) as catalogue:
        ids = of(catalogue, "P0001")
        catalogue.connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        for i, track_id in enumerate(ids[:2]):
            for table, column in (("tracks", "id"), ("assignments", "track_id")):
                catalogue.connection.exec_driver_sql(
                    f"UPDATE {table} SET {column} = 'abcd{i}0000000' WHERE {column} = '{track_id}'"
                )
        with pytest.raises(UnknownName, match="'abcd' could be abcd00000000, abcd10000000"):
            reject(catalogue, "P0001", ["abcd"])


def test_something_must_be_left(catalogue: Catalogue) -> None:
    assert "all appearances" in refused(catalogue, lambda: split(catalogue, "P0001", of(catalogue, "P0001")))
    assert "all appearances" in refused(catalogue, lambda: reject(catalogue, "P0001", of(catalogue, "P0001")))
    assert "the only appearance" in refused(catalogue, lambda: reject(catalogue, "P0003", of(catalogue, "P0003")))


def test_a_contradiction_names_the_earlier_decision(catalogue: Catalogue) -> None:
    first, second, third = of(catalogue, "P0001")
    reject(catalogue, "P0001", [third])
    assign(catalogue, "P0002", third)
    sentence = refused(catalogue, lambda: merge(catalogue, "P0001", "P0002"))
    assert "contradicts decision 1 of 20" in sentence and "rejected 1 appearance from P0001" in sentence
    assert "`cvid undo 1` takes that back" in sentence
    assign(catalogue, "P0001", first, second)
    confirm(catalogue, "P0001")
    for verb in (split, reject):
        assert "confirmed P0001 with 2" in refused(catalogue, lambda verb=verb: verb(catalogue, "P0001", [second]))


def test_another_look_at_the_footage_does_not_hide_a_contradiction(catalogue: Catalogue) -> None:
    """The best face of an appearance is another one now; decisions still call it what they called it before."""
    confirm(catalogue, "P0001")
    catalogue.save(1, analysis(sha_of("b"), [track_analysis(track(0.5, 4.5, x=4), unit(1, 0, 0))]))
    (again,) = (a.appearance for a in catalogue.appearances() if a.video == "b.mp4")
    assign(catalogue, "P0001", again)
    assert "confirmed P0001" in refused(catalogue, lambda: reject(catalogue, "P0001", [again]))
    undo(catalogue)
    reject(catalogue, "P0001", [again])
    (place,) = (place for place, _, _ in rulings_of(catalogue.connection).apart)
    assert place == anchors_of(catalogue.connection, [again])[again], "nothing that counts calls it otherwise any more"


def test_undo_takes_back_the_last_and_then_the_one_before(catalogue: Catalogue) -> None:
    name(catalogue, "P0001", "Jane")
    name(catalogue, "P0001", "Ann")
    assert undo(catalogue).sentence == 'undid decision 2, named P0001 "Ann"'
    assert rulings_of(catalogue.connection).persons["P0001"].name == "Jane"
    assert undo(catalogue).sentence == 'undid decision 1, named P0001 "Jane"'
    assert rulings_of(catalogue.connection).persons == {}
    assert "no decision to undo" in refused(catalogue, lambda: undo(catalogue))
    assert undo(catalogue, 3).identities == {"P0001"}
    assert rulings_of(catalogue.connection).persons["P0001"].name == "Ann"


def test_what_cannot_be_undone_is_said(catalogue: Catalogue) -> None:
    assert "no decision 7; nothing was decided yet" in refused(catalogue, lambda: undo(catalogue, 7))
    name(catalogue, "P0001", "Jane")
    undo(catalogue)
    assert "no decision 7; the last is 2" in refused(catalogue, lambda: undo(catalogue, 7))
    assert "undone already, by decision 2; `cvid undo 2` brings it back" in refused(
        catalogue, lambda: undo(catalogue, 1)
    )


def test_an_undo_that_leaves_a_contradiction_names_the_decision_in_the_way(catalogue: Catalogue) -> None:
    _, second, _ = of(catalogue, "P0001")
    reject(catalogue, "P0001", [second])
    undo(catalogue)
    confirm(catalogue, "P0001")
    sentence = refused(catalogue, lambda: undo(catalogue, 2))
    assert "decision 2 cannot be undone alone" in sentence and "`cvid undo 3` first" in sentence
    undo(catalogue, 3)
    undo(catalogue, 2)
    assert len(rulings_of(catalogue.connection).apart) == 1


def test_a_merge_that_is_undone_gives_everybody_back(catalogue: Catalogue) -> None:
    theirs = of(catalogue, "P0002")
    merge(catalogue, "P0001", "P0002")
    assign(catalogue, "P0001", *theirs)
    said = undo(catalogue)
    assert said.identities == {"P0001", "P0002"} and said.formerly == dict.fromkeys(theirs, "P0002")


def test_merges_are_undone_in_any_order(catalogue: Catalogue) -> None:
    confirm(catalogue, "P0002")
    theirs = of(catalogue, "P0002")
    merge(catalogue, "P0001", "P0002")
    assign(catalogue, "P0001", *theirs)
    merge(catalogue, "P0001", "P0003", mirror=True)
    later = journal.read(catalogue.connection)[-1].said
    assert isinstance(later, Merged) and later.members == (), "what the first merge pinned is not said again"
    said = undo(catalogue, 2)
    assert said.formerly == dict.fromkeys(theirs, "P0002")
    assert pinned(catalogue, "P0002") == set(theirs) and not pinned(catalogue, "P0001") & set(theirs)


def test_what_was_split_or_rejected_comes_back(catalogue: Catalogue) -> None:
    _, second, third = of(catalogue, "P0001")
    split(catalogue, "P0001", [second])
    assign(catalogue, "P0004", second)
    reject(catalogue, "P0001", [third])
    assign(catalogue, "", third)
    merge(catalogue, "P0002", "P0001")
    assert undo(catalogue, 1).formerly == {second: "P0002"}, "P0001 is P0002 now"
    assert undo(catalogue, 2).formerly == {third: "P0002"}
    assert undo(catalogue, 3).formerly.keys() >= {of(catalogue, "P0001")[0]}


def test_what_somebody_else_owns_does_not_come_back(catalogue: Catalogue) -> None:
    _, second, third = of(catalogue, "P0001")
    reject(catalogue, "P0001", [second, third])
    assign(catalogue, "P0002", second)
    confirm(catalogue, "P0002")
    assert undo(catalogue, 1).formerly == {third: "P0001"}


def test_an_undo_never_makes_one_person_of_two_seen_together(tmp_path: Path) -> None:
    people = {"P0001": [("a", 0, 0, 0.9)], "P0002": [("a", 10, 0, 0.9)], "P0003": [("a", 0, 80, 0.9)]}
    with cast(tmp_path, people) as catalogue:
        merge(catalogue, "P0001", "P0002")
        undo(catalogue)
        merge(catalogue, "P0002", "P0003")
        sentence = refused(catalogue, lambda: undo(catalogue, 2))
        assert "cannot be undone alone" in sentence and "`cvid undo 3`" in sentence
    with cast(tmp_path / "mirror", people) as catalogue:
        merge(catalogue, "P0001", "P0002", mirror=True)
        merge(catalogue, "P0001", "P0003", mirror=True)
        undo(catalogue, 1)
        assert rulings_of(catalogue.connection).doubled == {"P0001"}


def test_an_identity_without_footage_keeps_its_person(catalogue: Catalogue) -> None:
    name(catalogue, "P0003", "Jane")
    catalogue.connection.exec_driver_sql("DELETE FROM videos")
    assert name(catalogue, "P0003", "Ann").number == 2
    assert "not seen in any footage" in refused(catalogue, lambda: confirm(catalogue, "P0003"))
    with pytest.raises(DecisionError, match="not seen in any footage"):
        name(catalogue, "P0002", "Zoe")

"""Decisions go from one archive to another as JSON: what is written, taken in, kept waiting and refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import analysis, sha_of, track
from deciding import CAST, assign, cast, everything, of, plain

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.anchors import resolve
from archive.decisions.exchange import export_decisions, import_decisions
from archive.decisions.rulings import Rulings
from archive.decisions.standing import rulings_of
from archive.decisions.verbs import confirm, merge, name, reject, split, undo
from archive.forgetting.forget import forget
from cvid.errors import DecisionError


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    cast(folder).close()
    return folder


@pytest.fixture
def mine(archive: Path, tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.create_or_open(Path(shutil.copytree(archive, tmp_path / "mine"))) as copy:
        yield copy


@pytest.fixture
def yours(archive: Path, tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.create_or_open(Path(shutil.copytree(archive, tmp_path / "yours"))) as copy:
        yield copy


def sent(catalogue: Catalogue) -> Any:
    """What a colleague gets: the export, through a file."""
    return json.loads(json.dumps(export_decisions(catalogue)))


def work(catalogue: Catalogue) -> None:
    """One decision of each kind."""
    _, second, third = of(catalogue, "P0001")
    name(catalogue, "P0001", "Jane")
    split(catalogue, "P0001", [second])
    assign(catalogue, "P0004", second)
    reject(catalogue, "P0001", [third])
    assign(catalogue, "", third)
    merge(catalogue, "P0004", "P0002")
    assign(catalogue, "P0004", *of(catalogue, "P0002"))
    confirm(catalogue, "P0004")
    name(catalogue, "P0003", "Ann")
    undo(catalogue)
    undo(catalogue, 3)


def of_tracks(catalogue: Catalogue, found: Rulings) -> list[tuple[Any, ...]]:
    """Rulings without ids: by name, and by the appearances that are pinned or kept apart."""
    places = {place for who in found.persons.values() for place in who.pins} | {place for place, _, _ in found.apart}
    track_of = resolve(catalogue.connection, places)
    return sorted(
        (
            who.name,
            who.confirmed,
            track_of[who.anchor],
            sorted((track_of[place], pin.firm) for place, pin in who.pins.items()),
            sorted(track_of[place] for place, identity, _ in found.apart if identity == who.id),
        )
        for who in found.persons.values()
    )


def test_a_twin_comes_to_the_same(mine: Catalogue, yours: Catalogue) -> None:
    work(mine)
    taken = import_decisions(yours, sent(mine), "work.json")
    assert (taken.taken, taken.known, taken.waiting, taken.contradicting) == (8, 0, 0, [])
    assert taken.identities == {"P0001", "P0002", "P0003", "P0004"}
    here, there = rulings_of(mine.connection), rulings_of(yours.connection)
    assert (here.persons, here.apart, here.merged, here.doubled) == (
        there.persons, there.apart, there.merged, there.doubled,
    )  # fmt: skip
    assert [(e.uid, e.utc) for e in journal.read(mine.connection)] == [
        (e.uid, e.utc) for e in journal.read(yours.connection)
    ]
    assert {e.origin for e in journal.read(yours.connection)} == {"work.json"}
    assert journal.intact(yours.connection).broken == 0


def test_the_same_work_twice_changes_nothing(mine: Catalogue, yours: Catalogue) -> None:
    work(mine)
    import_decisions(yours, sent(mine), "work.json")
    before = everything(yours)
    again = import_decisions(yours, sent(mine), "work.json")
    assert (again.taken, again.known, again.waiting, again.contradicting) == (0, 8, 0, [])
    assert import_decisions(mine, sent(yours), "back.json").known == 8
    assert everything(yours) == before


def test_ids_are_those_of_the_archive(mine: Catalogue, tmp_path: Path) -> None:
    work(mine)
    mixed = {"P0001": CAST["P0003"], "P0002": CAST["P0001"], "P0003": CAST["P0002"], "": CAST[""]}
    with cast(tmp_path / "other", mixed) as other:
        other.set_fact("last_identity", 40)
        assert import_decisions(other, sent(mine), "work.json").contradicting == []
        found = rulings_of(other.connection)
        assert found.persons["P0002"].name == "Jane" and set(found.persons) == {"P0002", "P0041"}
        assert found.merged == {"P0003": ("P0041", 4)}
        assert of_tracks(other, found) == of_tracks(mine, rulings_of(mine.connection))


def test_a_split_here_is_the_same_split(mine: Catalogue, yours: Catalogue) -> None:
    """Where the machine has parted already what the other had to split, no third identity comes into being."""
    second = of(mine, "P0001")[1]
    split(mine, "P0001", [second])
    assign(yours, "P0009", second)
    import_decisions(yours, sent(mine), "work.json")
    assert set(rulings_of(yours.connection).persons) == {"P0001", "P0009"}


def test_what_footage_is_missing_for_waits_for_it(mine: Catalogue, tmp_path: Path) -> None:
    work(mine)
    with Catalogue.create_or_open(tmp_path / "empty") as empty:
        empty.start_run({})
        taken = import_decisions(empty, sent(mine), "work.json")
        assert (taken.waiting, taken.taken, taken.contradicting) == (4, 4, []), "undone ones and undos wait for nothing"
        assert len(rulings_of(empty.connection).persons) == 2
        for video in "abc":
            seen = [track(s, s + 4, x, q) for places in CAST.values() for v, s, x, q in places if v == video]
            empty.save(1, analysis(sha_of(video), [plain(one) for one in seen]))
        assert of_tracks(empty, rulings_of(empty.connection)) == of_tracks(mine, rulings_of(mine.connection))
        later = import_decisions(empty, sent(mine), "work.json")
        assert later.known == 8


def test_what_contradicts_is_left_out_and_told(mine: Catalogue, yours: Catalogue) -> None:
    second = of(mine, "P0001")[1]
    name(mine, "P0002", "Joan")
    reject(mine, "P0001", [second])
    name(mine, "P0001", "Jane")
    confirm(yours, "P0001")
    taken = import_decisions(yours, sent(mine), "work.json")
    assert taken.taken == 2
    (why,) = taken.contradicting
    assert why.startswith("decision 2 of work.json, of 20") and "rejected 1 appearance from P0001" in why
    assert "contradicts decision 1 of 20" in why and "`cvid undo 1`" in why
    found = rulings_of(yours.connection)
    assert {who.name for who in found.persons.values()} == {"Jane", "Joan"} and found.apart == []
    undo(yours, 1)
    assert import_decisions(yours, sent(mine), "work.json").taken == 1


def test_an_undo_of_what_is_known_comes_along(mine: Catalogue, yours: Catalogue) -> None:
    merge(mine, "P0001", "P0002")
    import_decisions(yours, sent(mine), "work.json")
    theirs = of(yours, "P0002")
    assign(yours, "P0001", *theirs)
    undo(mine)
    taken = import_decisions(yours, sent(mine), "more.json")
    assert (taken.taken, taken.known) == (1, 1)
    assert taken.formerly == dict.fromkeys(theirs, "P0002") and taken.identities == {"P0001", "P0002"}
    assert rulings_of(yours.connection).persons == {}


def test_two_who_are_seen_together_here_are_not_merged_by_others(mine: Catalogue, yours: Catalogue) -> None:
    merge(mine, "P0002", "P0003")
    seen = [track(10, 14, 0, 0.6), track(9, 14, 80, 0.5), track(0, 4, 0, 0.9)]
    yours.save(1, analysis(sha_of("a"), [plain(one) for one in seen]))
    at = {(a.start_s, a.x1): a.appearance for a in yours.appearances() if a.video == "a.mp4"}
    assign(yours, "P0003", at[9, 80])
    exported = sent(mine)
    exported["decisions"][0]["says"]["other_anchor"]["time_s"] = 11.0
    (why,) = import_decisions(yours, exported, "work.json").contradicting
    assert "seen together at 10.0 s of a.mp4" in why and rulings_of(yours.connection).persons == {}


def test_who_was_forgotten_does_not_come_back(mine: Catalogue, yours: Catalogue) -> None:
    work(mine)
    forget(yours, "P0001")
    taken = import_decisions(yours, sent(mine), "work.json")
    assert any("forgotten here" in why for why in taken.contradicting)
    assert "Jane" not in str(yours.connection.exec_driver_sql("SELECT data FROM payloads").all())
    forget(mine, "P0001")
    assert all("Jane" not in json.dumps(one) for one in sent(mine)["decisions"])


def broken(content: Any, path: str, value: Any) -> Any:
    """The content with something else at a place such as `decisions.0.says.name`."""
    *way, last = path.split(".")
    at = content
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[int(last) if last.isdigit() else last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("schema_version", 2, "of schema_version 2"),
        ("decisions", {}, "list named 'decisions'"),
        ("decisions.0", [], "decision 1: it must be an object"),
        ("decisions.1.uid", "../x", "decision 2: the field 'uid'"),
        ("decisions.1.utc", "yesterday", "decision 2: the field 'utc'"),
        ("decisions.1.utc", "2026-01-01T00:00:00", "decision 2: the field 'utc'"),
        ("decisions.1.utc", "0001-01-01T00:00:00+23:59", "decision 2: the field 'utc'"),
        ("decisions.0.kind", "forget", "decision 1: the field 'kind'"),
        ("decisions.0.kind", "drop", "no decision of kind 'drop'"),
        ("decisions.0.kind", "merge", "decision 1: the field"),
        ("decisions.0.says.name", "\x1b[2J", "the field 'name'"),
        ("decisions.0.says.person", "P1; DROP", "the field 'person'"),
        ("decisions.0.says.anchor.sha256", "0" * 63, "the field 'anchor': sha256"),
        ("decisions.0.says.anchor.time_s", float("nan"), "the field 'anchor': time_s"),
        ("decisions.0.says.anchor.time_s", 10**400, "the field 'anchor': time_s"),
        ("decisions.0.says.anchor.xyxy", [9, 9, 1, 1], "the field 'anchor': xyxy"),
        ("decisions.1.says.members", "abc", "the field 'members'"),
        ("decisions.1.says.members", [], "the field 'members'"),
    ],
)
def test_a_file_of_a_stranger_is_refused_with_the_place(mine: Catalogue, path: str, value: Any, told: str) -> None:
    name(mine, "P0001", "Jane")
    reject(mine, "P0001", [of(mine, "P0001")[1]])
    before, content = everything(mine), broken(sent(mine), path, value)
    with pytest.raises(DecisionError) as caught:
        import_decisions(mine, content, "work.json")
    assert told in str(caught.value) and str(caught.value).startswith("work.json")
    assert everything(mine) == before


@pytest.mark.parametrize("content", [None, 7, "x", [], {}, {"decisions": None}])
def test_what_is_no_export_is_refused(mine: Catalogue, content: Any) -> None:
    with pytest.raises(DecisionError, match=r"work\.json holds no decisions"):
        import_decisions(mine, content, "work.json")


def test_one_uid_twice_is_refused(mine: Catalogue) -> None:
    name(mine, "P0001", "Jane")
    content = sent(mine)
    content["decisions"] *= 2
    with pytest.raises(DecisionError, match=r"work.json, decision 2: the field 'uid'"):
        import_decisions(mine, content, "work.json")


def test_an_undo_of_nothing_is_left_out(mine: Catalogue, yours: Catalogue) -> None:
    name(mine, "P0001", "Jane")
    undo(mine)
    content = sent(mine)
    content["decisions"].pop(0)
    assert "undoes a decision that is not here" in import_decisions(yours, content, "work.json").contradicting[0]
    assert journal.read(yours.connection) == []

"""Somebody is forgotten: nothing is left of them in any file, they never come back, and others keep what is theirs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import analysis, sha_of, track
from deciding import assign, cast, everything, killed_after, lifelike, of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rulings import World, anything

from archive.catalogue import FILE, Catalogue
from archive.decisions import journal
from archive.decisions.anchors import Anchor
from archive.decisions.journal import Entry, active
from archive.decisions.rulings import Rulings, replay
from archive.decisions.standing import rulings_of
from archive.decisions.statements import Undone, anchors_in, ids_in
from archive.decisions.verbs import confirm, merge, name, reject, split, undo
from archive.folders import write_folders
from archive.forgetting.erasing import Gone, erasure_of
from archive.forgetting.forget import forget
from archive.forgetting.proof import samples, search, traces_of_name
from cvid.errors import DecisionError, UnknownName

NAME = "Jane Éluard"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """P0001 and P0003 have names, and everybody has a folder."""
    folder = tmp_path_factory.mktemp("archive")
    with cast(folder, look=lifelike) as catalogue:
        name(catalogue, "P0001", NAME)
        name(catalogue, "P0003", "Ann")
        catalogue.connection.exec_driver_sql("UPDATE identities SET name = 'Ann' WHERE id = 'P0003'")
        catalogue.connection.exec_driver_sql("UPDATE identities SET name = ? WHERE id = 'P0001'", (NAME,))
        write_folders(catalogue, folder, lambda event: None)
    return folder


@pytest.fixture
def catalogue(archive: Path, tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.create_or_open(Path(shutil.copytree(archive, tmp_path / "copy"))) as copy:
        yield copy


def traces(catalogue: Catalogue, identity: str) -> dict[bytes, str]:
    return samples(catalogue.connection, of(catalogue, identity)) | traces_of_name(identity, NAME)


def test_nothing_is_left_in_any_file(catalogue: Catalogue) -> None:
    folder = catalogue.folder
    shutil.copy(folder / FILE, folder / f"{FILE}.before-0002")
    before = traces(catalogue, "P0001")
    kinds = set(before.values())
    assert kinds == {"a vector", "a face", "a picture", "the name"} and len(before) > 60
    _, found = search(folder, before, [NAME])
    assert any(line.startswith(f"{FILE}: a vector") for line in found)
    assert any(line.startswith("identities/P0001-jane-éluard/faces/") and "picture" in line for line in found)
    assert f"{FILE}.before-0002: a face" in found and f"{FILE}: the name" in found

    done = forget(catalogue, "p0001")

    assert (done.identity, done.appearances, done.pictures, done.vectors, done.decisions_erased) == (
        "P0001",
        3,
        6,
        3,
        1,
    )
    assert done.found == [] and done.files_checked > 5 and done.as_json()["appearances"] == 3
    assert search(folder, before, [NAME]) == (done.files_checked, [])
    everything_left = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    assert not [what for trace, what in before.items() if trace in everything_left], "the search itself is blind"
    assert not (folder / f"{FILE}.before-0002").exists()
    assert (folder / f"{FILE}-wal").stat().st_size < 10_000
    assert catalogue.fact("scrub") is None


def test_the_others_keep_what_is_theirs(catalogue: Catalogue) -> None:
    theirs = traces(catalogue, "P0002")
    forget(catalogue, "P0001")
    assert [p.id for p in catalogue.people()] == ["P0002", "P0003"]
    assert [len(of(catalogue, i)) for i in ("P0002", "P0003", "")] == [2, 1, 1]
    _, found = search(catalogue.folder, {t: what for t, what in theirs.items() if what != "the name"}, [])
    assert f"{FILE}: a face" in found
    assert rulings_of(catalogue.connection).persons["P0003"].name == "Ann"


def test_the_chain_still_holds_and_says_what_happened(catalogue: Catalogue) -> None:
    forget(catalogue, "P0001")
    assert journal.intact(catalogue.connection) == journal.Intact(3, 0, "")
    first, second, third = journal.read(catalogue.connection)
    assert (first.said, second.kind, third.kind) == (None, "name", "forget")
    for number in (1, 3):
        with pytest.raises(DecisionError, match="forgot"):
            undo(catalogue, number)
    assert undo(catalogue).sentence.startswith("undid decision 2, "), "the last that can be"
    with pytest.raises(UnknownName):
        forget(catalogue, "P0001")


def test_the_same_footage_never_brings_them_back(catalogue: Catalogue) -> None:
    forget(catalogue, "P0001")
    again = [track(1.2, 4.6, 5, 0.9), track(0.2, 0.8, 4, 0.9), track(0, 4, 80, 0.5), track(9.8, 14.2, 2, 0.6)]
    catalogue.save(1, analysis(sha_of("a"), [lifelike(one) for one in again]))
    assert [(a.start_s, a.x1) for a in catalogue.appearances() if a.video == "a.mp4"] == [(0, 80), (9.8, 2)]


def test_a_pin_without_footage_is_kept_away_too(catalogue: Catalogue) -> None:
    confirm(catalogue, "P0001")
    catalogue.connection.exec_driver_sql("DELETE FROM videos WHERE sha256 = ?", (sha_of("b"),))
    forget(catalogue, "P0001")
    catalogue.save(1, analysis(sha_of("b"), [lifelike(track(0.1, 4, 3, 0.9)), lifelike(track(0, 4, 60, 0.9))]))
    assert [a.x1 for a in catalogue.appearances() if a.video == "b.mp4"] == [60]


def test_all_that_became_the_person_goes(catalogue: Catalogue) -> None:
    name(catalogue, "P0002", "Janet Doe")
    merge(catalogue, "P0001", "P0002")
    assign(catalogue, "P0001", *of(catalogue, "P0002"))
    with pytest.raises(DecisionError, match="P0002 is P0001 now"):
        forget(catalogue, "P0002")
    assert forget(catalogue, "P0001").decisions_erased == 3
    assert search(catalogue.folder, traces_of_name("P0002", "Janet Doe"), ["Janet Doe"])[1] == []
    assert [p.id for p in catalogue.people()] == ["P0003"]


def test_who_was_split_off_stays_somebody(catalogue: Catalogue) -> None:
    _, second, third = of(catalogue, "P0001")
    split(catalogue, "P0001", [second])
    assign(catalogue, "P0004", second)
    name(catalogue, "P0004", "Zoe")
    reject(catalogue, "P0001", [third])
    assign(catalogue, "P0002", third)
    forget(catalogue, "P0001")
    found = rulings_of(catalogue.connection)
    assert found.persons["P0004"].name == "Zoe" and found.apart == []
    assert [e.kind for e in active(journal.read(catalogue.connection))] == ["name", "hold", "name"]
    assert of(catalogue, "P0004") == [second] and third in of(catalogue, "P0002")
    assert journal.intact(catalogue.connection).broken == 0


def test_what_a_user_put_there_stays_and_is_named(catalogue: Catalogue) -> None:
    home = catalogue.folder / "identities" / "P0001-jane-éluard"
    picture = next((home / "faces").iterdir())
    shutil.copy(picture, home / "mine.jpg")
    (catalogue.folder / "notes.txt").write_text(f"I think {NAME} lives there", encoding="utf-8")
    found = forget(catalogue, "P0001").found
    assert found == [
        "notes.txt: the name",
        f"identities/{home.name}/mine.jpg: a picture",
        f"identities/{home.name}/mine.jpg: the name, in its path",
    ]


def test_a_short_name_is_not_found_by_chance(catalogue: Catalogue) -> None:
    name(catalogue, "P0003", "Al")
    (catalogue.folder / "notes.txt").write_text("Also Alan, and all", encoding="utf-8")
    assert forget(catalogue, "P0003").found == []
    (catalogue.folder / "notes.txt").write_text('{"name": "Al"}', encoding="utf-8")
    assert search(catalogue.folder, traces_of_name("P0003", "Al"), ["Al"])[1] == ["notes.txt: the name"]


def test_a_reader_delays_the_end(catalogue: Catalogue, tmp_path: Path) -> None:
    with Catalogue.open(catalogue.folder) as reader:
        reader.connection.exec_driver_sql("BEGIN")
        reader.people()
        catalogue.connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        found = forget(catalogue, "P0001").found
        assert any("another program is reading" in line for line in found) and catalogue.fact("scrub")
        reader.connection.exec_driver_sql("COMMIT")
    before = traces(catalogue, "P0001")
    catalogue.close()
    with Catalogue.create_or_open(catalogue.folder) as again:
        assert again.fact("scrub") is None
    assert search(catalogue.folder, before, [NAME])[1] == []


def test_killed_anywhere_it_is_as_before_or_all_is_gone(archive: Path, tmp_path: Path) -> None:
    with Catalogue.create_or_open(Path(shutil.copytree(archive, tmp_path / "before"))) as untouched:
        before, gone = everything(untouched), traces(untouched, "P0001")
    outcomes, killed, statements = set(), True, 0
    while killed:
        folder = Path(shutil.copytree(archive, tmp_path / str(statements)))
        with Catalogue.create_or_open(folder) as catalogue:
            killed = killed_after(catalogue, statements, lambda c=catalogue: forget(c, "P0001"))
        with Catalogue.create_or_open(folder) as catalogue:
            after = everything(catalogue) != before
            assert catalogue.fact("scrub") is None
            found = search(folder, gone, [NAME])[1]
            assert bool(found) != after, f"killed before statement {statements}: {found}"
            assert journal.intact(catalogue.connection).broken == 0
        outcomes.add((killed, after))
        statements += 3
        shutil.rmtree(folder)
    assert outcomes == {(True, False), (True, True), (False, True)}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_forgetting_somebody_changes_nothing_that_was_said_of_others(draw: st.DataObject) -> None:
    world = World()
    for _ in range(draw.draw(st.integers(2, 10))):
        said = anything(world, world.sort(draw), draw)
        if said is not None:
            world.say(said)
    before, now = world.rulings(), world.sort(draw)
    person = draw.draw(st.sampled_from(sorted({*now.values(), *before.persons})))
    ids = {person, *(identity for identity in before.merged if before.now(identity) == person)}
    pins = before.persons[person].pins if person in before.persons else {}
    places = {place for place, identity in now.items() if identity == person} | set(pins)

    todo = erasure_of(world.entries, Gone(frozenset(ids), frozenset(places), before))

    kept = [replace(e, said=None) if e.number in todo.numbers else e for e in world.entries]
    for place, said in [*((e.place, one) for e, one in todo.instead), *((0, one) for one in todo.anew)]:
        number = len(kept) + 1
        kept.append(Entry(number, f"again {number}", "", "", place or number, "", said))
    for entry in kept:
        if entry.said and not isinstance(entry.said, Undone):
            assert not ids & set(ids_in(entry.said)) and not places & set(anchors_in(entry.said))
    after = replay(active(kept))
    assert of_others(after, ids, places) == of_others(before, ids, places)
    assert after.doubled == before.doubled - ids


def of_others(found: Rulings, ids: set[str], places: set[Anchor]) -> dict[str, tuple[Any, ...]]:
    """What rulings say of those who are not forgotten."""
    return {
        who.id: (
            who.anchor,
            who.name,
            who.confirmed,
            {anchor: pin.firm for anchor, pin in who.pins.items() if anchor not in places},
            {anchor for anchor, identity, _ in found.apart if identity == who.id and anchor not in places},
        )
        for who in found.persons.values()
        if who.id not in ids
    }


def test_a_person_whose_first_faces_were_somebody_else_keeps_id_and_name(catalogue: Catalogue) -> None:
    """Ann was merged into Jane, Jane split off again and then forgotten: Ann stays who she has become."""
    janes, anns = of(catalogue, "P0001"), of(catalogue, "P0002")
    undo(catalogue, 1)
    name(catalogue, "P0002", "Joan")
    merge(catalogue, "P0001", "P0002")
    assign(catalogue, "P0001", *anns)
    split(catalogue, "P0001", janes)
    assign(catalogue, "P0004", *janes)
    assert forget(catalogue, "P0004").found == []
    found = rulings_of(catalogue.connection).persons["P0001"]
    assert found.name == "Joan" and len(found.pins) == 2
    assert journal.intact(catalogue.connection).broken == 0

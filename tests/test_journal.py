"""The journal and its chain, and the places in footage that it speaks of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import analysis, sha_of, track, track_analysis, unit

from archive.catalogue import Catalogue
from archive.decisions import journal
from archive.decisions.anchors import Anchor, anchors_of, overlap_at, resolve
from archive.decisions.statements import Confirmed, Forgot, Named, Undone
from archive.decisions.telling import sentence
from archive.found import Found, Stamp
from cvid.errors import CatalogueError
from cvid.types import Track

A, B = (Anchor(sha_of(name), 1.0, (0.0, 10.0, 40.0, 50.0)) for name in "ab")
SAID = (Named("P0001", A, "Jane"), Confirmed("P0001", A, (A, B)), Named("P0002", B, "Ann"))


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    made = Catalogue.create_or_open(tmp_path)
    made.start_run({})
    return made


def write(catalogue: Catalogue) -> list[journal.Entry]:
    with catalogue.atomic():
        return [journal.append(catalogue.connection, said) for said in SAID]


def see(catalogue: Catalogue, name: str, *seen: Track) -> list[str]:
    """A video with these tracks; their appearance ids."""
    catalogue.record([Found("/footage", name, Stamp(1, 2, 3), sha_of(name), None)])
    catalogue.save(1, analysis(sha_of(name), [track_analysis(one, unit(1, 0, 0)) for one in seen]))
    return [a.appearance for a in sorted(catalogue.appearances(), key=lambda a: (a.start_s, a.x1)) if a.video == name]


def moved(of: Track, px: float) -> Track:
    """The same face, its boxes a little to the right."""
    shift = np.array([px, 0, px, 0], np.float32)
    return Track(of.time_s, of.frame_index, of.xyxy + shift, of.score, of.quality)


def test_what_was_written_is_read_again(catalogue: Catalogue) -> None:
    written = write(catalogue)
    assert journal.read(catalogue.connection) == written
    assert [(e.number, e.place, e.kind, e.origin, e.said) for e in written] == [
        (1, 1, "name", "", SAID[0]),
        (2, 2, "confirm", "", SAID[1]),
        (3, 3, "name", "", SAID[2]),
    ]
    assert len({e.uid for e in written}) == 3 and all(e.utc.endswith("+00:00") for e in written)
    assert journal.intact(catalogue.connection) == journal.Intact(3, 0, "")


def test_a_decision_from_elsewhere_keeps_its_uid_and_time(catalogue: Catalogue) -> None:
    with catalogue.atomic():
        entry = journal.append(
            catalogue.connection, SAID[0], uid="0" * 32, utc="2026-01-02T03:04:05+00:00", origin="x.json"
        )
    (read,) = journal.read(catalogue.connection)
    assert read == entry and (read.uid, read.utc[:10], read.origin) == ("0" * 32, "2026-01-02", "x.json")


def test_a_number_is_never_given_again(catalogue: Catalogue) -> None:
    with pytest.raises(KeyError), catalogue.atomic():
        journal.append(catalogue.connection, SAID[0])
        raise KeyError
    assert journal.read(catalogue.connection) == [] and journal.intact(catalogue.connection).entries == 0
    assert [entry.number for entry in write(catalogue)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE payloads SET data = replace(data, 'Jane', 'Joan')", 1),
        ("UPDATE payloads SET origin = 'x' WHERE number = 2", 2),
        ("UPDATE payloads SET salt = x'00' WHERE number = 3", 3),
        ("UPDATE decisions SET utc = '2020' WHERE number = 2", 2),
        ("UPDATE decisions SET place = 1 WHERE number = 2", 2),
        ("UPDATE decisions SET kind = 'reject' WHERE number = 3", 3),
        ("DELETE FROM payloads WHERE number = 2", 2),
        ("DELETE FROM payloads WHERE number = 2; DELETE FROM decisions WHERE number = 2", 2),
        ("DELETE FROM payloads WHERE number = 3; DELETE FROM decisions WHERE number = 3", 3),
        ("DELETE FROM payloads; DELETE FROM decisions", 1),
    ],
)
def test_tampering_is_noticed(catalogue: Catalogue, tampering: str, broken: int) -> None:
    write(catalogue)
    for statement in tampering.split(";"):
        catalogue.connection.exec_driver_sql(statement)
    assert journal.intact(catalogue.connection).broken == broken


def test_what_forget_erased_does_not_break_the_chain(catalogue: Catalogue) -> None:
    write(catalogue)
    with catalogue.atomic():
        journal.erase(catalogue.connection, [1, 2])
        journal.append(catalogue.connection, Forgot("P0001", 2, (1, 2)))
    assert journal.intact(catalogue.connection) == journal.Intact(4, 0, "")
    entries = journal.read(catalogue.connection)
    assert [entry.said is None for entry in entries] == [True, True, False, False]
    assert [entry.number for entry in journal.active(entries)] == [3]
    assert [sentence(entry, {}) for entry in entries] == [
        "named somebody, erased when somebody was forgotten",
        "confirmed somebody, erased when somebody was forgotten",
        'named P0002 "Ann"',
        "forgot P0001, seen in 2 appearances",
    ]
    assert "Jane" not in str(catalogue.connection.exec_driver_sql("SELECT * FROM payloads").all())


def test_words_that_were_changed_cannot_be_read(catalogue: Catalogue) -> None:
    write(catalogue)
    catalogue.connection.exec_driver_sql("UPDATE payloads SET data = '{\"person\": 7}' WHERE number = 2")
    with pytest.raises(CatalogueError, match="decision 2 in the catalogue was changed"):
        journal.read(catalogue.connection)


def test_an_undo_is_told_by_number(catalogue: Catalogue) -> None:
    first, *_ = write(catalogue)
    with catalogue.atomic():
        undo = journal.append(catalogue.connection, Undone(first.uid))
    assert sentence(undo, {first.uid: first}).startswith("undid decision 1, ")


def test_an_appearance_is_found_by_its_best_face(catalogue: Catalogue) -> None:
    ids = see(catalogue, "a", track(0, 4), track(0, 4, x=60), track(5, 9))
    places = anchors_of(catalogue.connection, ids)
    assert [places[i].time_s for i in ids] == [0, 0, 5] and places[ids[1]].xyxy == (60, 10, 100, 50)
    assert resolve(catalogue.connection, places.values()) == {place: i for i, place in places.items()}
    assert anchors_of(catalogue.connection, ["0" * 12]) == {}
    assert resolve(catalogue.connection, [A, B]) == {A: ids[0]}, "nobody is seen in b"


def test_appearances_are_found_again_after_another_look(catalogue: Catalogue) -> None:
    left, right = see(catalogue, "a", track(0, 4), track(0, 4, x=60))
    places = anchors_of(catalogue.connection, [left, right])
    again = see(catalogue, "a", moved(track(0.3, 3), 9), moved(track(0.2, 4.2, x=60), -9))
    assert not {left, right} & set(again)
    found = resolve(catalogue.connection, places.values())
    where = {a.appearance: a.x1 for a in catalogue.appearances()}
    assert [where[found[places[i]]] for i in (left, right)] == [9, 51]


def test_a_place_without_anybody_is_left_out(catalogue: Catalogue) -> None:
    (seen,) = see(catalogue, "a", track(0, 4))
    (place,) = anchors_of(catalogue.connection, [seen]).values()
    for other in (track(0, 4, x=30), track(0.6, 4), track(9, 12)):
        see(catalogue, "a", other)
        assert resolve(catalogue.connection, [place]) == {}


def test_two_faces_of_one_moment_are_two_tracks(catalogue: Catalogue) -> None:
    see(catalogue, "a", track(0, 4, x=8))
    near, far = (Anchor(sha_of("a"), 1.0, (x, 10.0, x + 40, 50.0)) for x in (5.0, 20.0))
    assert set(resolve(catalogue.connection, [near, far])) == {near}
    (seen,) = (a.appearance for a in catalogue.appearances())
    exact = anchors_of(catalogue.connection, [seen])[seen]
    beside = Anchor(exact.sha256, exact.time_s, (14.0, 10.0, 54.0, 50.0))
    assert set(resolve(catalogue.connection, [exact, beside])) == {exact}


def test_a_box_between_two_looks_lies_between_them() -> None:
    times = np.array([0.0, 2.0])
    boxes = np.array([[0, 0, 40, 40], [80, 0, 120, 40]], np.float32)
    seen = Track(times, np.array([0, 50]), boxes, np.ones(2, np.float32), np.ones(2, np.float32))
    assert overlap_at(seen, 1.0, (40, 0, 80, 40)) == 1
    assert overlap_at(seen, 2.4, (80, 0, 120, 40)) == 1 and overlap_at(seen, 2.6, (80, 0, 120, 40)) == 0

"""Whatever is decided, added, sorted anew, looked at anew or taken back: no answer of a human is ever violated."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from builders import analysis, painted_settings, sha_of, track, track_analysis
from hypothesis import HealthCheck, note
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from archive.catalogue import Catalogue
from archive.decisions import verbs as decisions
from archive.decisions.anchors import resolve
from archive.decisions.carrying_out import decide_in
from archive.decisions.journal import intact
from archive.decisions.standing import places_of, rulings_of
from archive.found import Found, Stamp
from archive.packing import pack_vectors, unpack_vectors
from archive.schema import assignments, identities, tracks, vectors
from archive.sorting.matching import overlapping
from archive.sorting.settle import settle
from cvid.clustering import CLUSTERERS
from cvid.errors import DecisionError, UnknownName
from cvid.types import Floats

PEOPLE = 4
DIMENSIONS = 6
VERBS = ("name", "merge", "mirror", "split", "reject", "differ", "confirm", "join")
MODEL = "colours:" + "0" * 12


def face(person: int, seed: int) -> Floats:
    """A face of somebody, so unlike at times that the machine errs."""
    middle = np.eye(DIMENSIONS)[person] + 0.5 * np.eye(DIMENSIONS)[(person + 1) % PEOPLE]
    vector = middle + 0.35 * np.random.default_rng([person, seed]).normal(size=DIMENSIONS)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class Trust(RuleBasedStateMachine):
    """An archive in the hands of a human who answers at random."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.catalogue = Catalogue.create_or_open(Path(self.folder.name))
        self.catalogue.settle_models({"detector": "squares:" + "0" * 12, "embedder": MODEL})
        self.catalogue.start_run({})
        self.settings = painted_settings(clustering={"bar": 0.6, "found_quality": 0.05})
        self.videos: list[list[tuple[int, int]]] = []
        self.model = 0
        self.largest = 0

    def teardown(self) -> None:
        self.catalogue.close()
        self.folder.cleanup()

    # what may happen

    @initialize(first=st.integers(0, 99))
    def begin(self, first: int) -> None:
        for number in range(3):
            self.add_video([number % PEOPLE, (number + 1) % PEOPLE], first + number)

    @rule(people=st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=3), seed=st.integers(0, 99))
    def add_video(self, people: list[int], seed: int) -> None:
        self.videos.append([(person, seed * 10 + place) for place, person in enumerate(people)])
        self._look_at(len(self.videos) - 1, 0.0)
        settle(self.catalogue, self.settings)

    @rule(data=st.data(), moved=st.floats(0, 6))
    def look_again(self, data: st.DataObject, moved: float) -> None:
        """Footage is analysed anew, by a detector whose boxes lie a little beside."""
        self._look_at(data.draw(st.integers(0, len(self.videos) - 1)), moved)
        settle(self.catalogue, self.settings)

    @rule(method=st.sampled_from(CLUSTERERS.names()))
    def sort_anew(self, method: str) -> None:
        chosen = painted_settings(clustering={"bar": 0.6, "found_quality": 0.05, "method": method})
        settle(self.catalogue, chosen, anew=True)

    @rule(seed=st.integers(0, 99))
    def change_the_model(self, seed: int) -> None:
        self.model += 1
        name = f"colours:{self.model:012d}"
        random = np.random.default_rng(seed)
        turn = np.linalg.qr(random.normal(size=(DIMENSIONS, DIMENSIONS)))[0]
        for row in self.catalogue.connection.execute(select(vectors)).all():
            old = unpack_vectors(row.template, 1)[0]
            new = old @ turn + 0.1 * random.normal(size=DIMENSIONS)
            packed = pack_vectors((new / np.linalg.norm(new)).astype(np.float32))
            statement = update(vectors).where(vectors.c.track_id == row.track_id)
            self.catalogue.connection.execute(statement.values(model=name, template=packed, exemplars=packed))
        self.turn = turn
        self.catalogue.set_fact("models", self.catalogue.models() | {"embedder": name})
        settle(self.catalogue, self.settings, anew=True)

    @precondition(lambda self: self._people())
    @rule(
        data=st.data(),
        verb=st.sampled_from(["name", "merge", "mirror", "split", "reject", "differ", "confirm", "join"]),
    )
    def decide(self, data: st.DataObject, verb: str) -> None:
        who = data.draw(st.sampled_from(self._people()))
        other = data.draw(st.sampled_from(self._people()))
        own = self._members(who) or ["0000"]
        some = data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=2, unique=True))
        says: dict[str, Any] = {
            "name": lambda c: decisions.name(c, who, f"Jane {len(self.videos)}"),
            "merge": lambda c: decisions.merge(c, who, other),
            "mirror": lambda c: decisions.merge(c, who, other, mirror=True),
            "split": lambda c: decisions.split(c, who, some),
            "reject": lambda c: decisions.reject(c, who, some),
            "differ": lambda c: decisions.reject(c, who, [other]),
            "confirm": lambda c: decisions.confirm(c, who),
            "join": lambda c: decisions.confirm(c, who, self._members(other)[:1]),
        }
        self._try(says[verb])

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        entries = intact(self.catalogue.connection).entries
        number = data.draw(st.integers(1, max(entries, 1)))
        self._try(lambda c: decisions.undo(c, number))

    def _try(self, say: Any) -> None:
        try:
            said, _ = decide_in(self.catalogue, self.settings, say)
            note(said.sentence)
        except (DecisionError, UnknownName) as exc:
            note(f"refused: {exc}")

    def _look_at(self, number: int, moved: float) -> None:
        seen = [
            track_analysis(track(0, 5, x=60.0 * place + moved), self._vector(*who), self.catalogue.models()["embedder"])
            for place, who in enumerate(self.videos[number])
        ]
        self.catalogue.record([Found("/footage", f"{number}.mp4", Stamp(1, 2, 3), sha_of(str(number)), None)])
        self.catalogue.save(1, analysis(sha_of(str(number)), seen))

    def _vector(self, person: int, seed: int) -> Floats:
        vector = face(person, seed)
        return np.asarray(vector @ self.turn, np.float32) if self.model else vector

    def _people(self) -> list[str]:
        query = select(identities.c.id).order_by(identities.c.id)
        return list(self.catalogue.connection.execute(query).scalars())

    def _members(self, identity: str) -> list[str]:
        query = select(assignments.c.track_id).where(assignments.c.identity == identity)
        return list(self.catalogue.connection.execute(query.order_by(assignments.c.track_id)).scalars())

    # what always holds

    @invariant()
    def answers_hold(self) -> None:
        connection = self.catalogue.connection
        rulings = rulings_of(connection)
        found = resolve(connection, sorted(places_of(rulings)))
        holder = {row.track_id: row.identity for row in connection.execute(select(assignments))}
        people = {row.id: row for row in connection.execute(select(identities))}
        for identity, person in rulings.persons.items():
            row = people[identity]
            assert (row.name, row.status) == (person.name, "confirmed" if person.confirmed else "unconfirmed")
            for place in person.pins:
                assert place not in found or holder[found[place]] == identity, f"{place} is pinned to {identity}"
        for place, identity, number in rulings.apart:
            assert place not in found or holder[found[place]] != identity, f"decision {number}"
        assert not rulings.merged.keys() & people.keys()

    @invariant()
    def nobody_is_twice_in_a_picture(self) -> None:
        connection = self.catalogue.connection
        rows = connection.execute(select(tracks, assignments.c.identity).join(assignments)).all()
        number = {sha256: place for place, sha256 in enumerate(sorted({row.sha256 for row in rows}))}
        video = np.array([number[row.sha256] for row in rows], np.int64)
        start_s, end_s = (np.array([getattr(row, name) for row in rows], np.float64) for name in ("start_s", "end_s"))
        doubled = rulings_of(connection).doubled
        for a, b in overlapping(video, start_s, end_s).tolist():
            identity = rows[a].identity
            assert identity is None or identity != rows[b].identity or identity in doubled

    @invariant()
    def ids_are_never_given_again(self) -> None:
        known = getattr(self, "known", set())
        people = set(self._people())
        fresh = people - known
        spoken = set(rulings_of(self.catalogue.connection).persons)
        assert all(int(identity[1:]) > self.largest for identity in fresh - spoken)
        self.known = known | people
        self.largest = max([self.largest, *(int(identity[1:]) for identity in people)])

    @invariant()
    def the_journal_is_intact(self) -> None:
        assert not intact(self.catalogue.connection).broken


def test_no_answer_of_a_human_is_ever_violated() -> None:
    patient = examples(
        max_examples=int(os.environ.get("CVID_TRUST_EXAMPLES", "8")),
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Trust, settings=patient)


def test_a_decision_comes_back_after_the_machine_has_made_somebody_of_its_own() -> None:
    """Undone, the appearance founds an identity; brought back, it leaves that one, which is no more."""
    trust = Trust()
    try:
        trust.begin(first=1)
        (lone,) = trust._members("P0001")
        for say in (
            lambda c: decisions.confirm(c, "P0003", [lone]),
            lambda c: decisions.undo(c, 1),
            lambda c: decisions.undo(c, 2),
        ):
            decide_in(trust.catalogue, trust.settings, say)
        assert lone in trust._members("P0003") and "P0005" not in trust._people()
    finally:
        trust.teardown()

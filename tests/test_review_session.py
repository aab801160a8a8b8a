"""The review without a screen: what is asked, what answers come to, and that nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from deciding import cast
from reviewing import SETTINGS, doubtful

from archive.catalogue import Catalogue
from archive.decisions import verbs
from archive.decisions.journal import intact
from archive.sorting import settle as sorting
from archive.sorting.settle import settle
from cvid.errors import CatalogueError
from reports.review.questions import BELONGS, NAME, ODD, ONE, Question
from reports.review.session import ReviewSession
from reports.review.wording import how_far


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, int]]:
    folder = tmp_path_factory.mktemp("review") / "archive"
    return folder, doubtful(folder, videos=16)


@pytest.fixture
def session(made: tuple[Path, Mapping[str, int]], tmp_path: Path) -> Iterator[ReviewSession]:
    shutil.copytree(made[0], tmp_path / "archive")
    with ReviewSession(tmp_path / "archive", SETTINGS) as opened:
        yield opened


def groups(session: ReviewSession) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for appearance in session.catalogue.appearances():
        found.setdefault(appearance.identity, set()).add(appearance.appearance)
    return found


def answer(session: ReviewSession, asked: Question, truth: Mapping[str, int]) -> None:
    """As somebody does who knows everybody."""
    if asked.kind == NAME:
        session.name(f"Person {truth[asked.faces[0]]}")
        return
    held = groups(session)[asked.identity]
    who = Counter(truth[appearance] for appearance in held).most_common(1)[0][0]
    if asked.kind == ODD:
        session.odd([face for face in asked.faces if truth[face] != who])
    elif truth[asked.faces[0]] == (who if asked.kind == BELONGS else truth[asked.other_faces[0]]):
        session.yes()
    else:
        session.no()


def test_who_answers_all_questions_ends_with_people(
    session: ReviewSession, made: tuple[Path, Mapping[str, int]]
) -> None:
    truth, asked = made[1], []
    assert session.progress().answered == 0 and session.progress().left > 0
    while question := session.question():
        asked.append(question)
        if question.kind == NAME:
            assert not any(other.matters for other in session.open_questions()), "names come last"
        answer(session, question, truth)
        session.wait()
        assert not [line for line in session.news() if line.startswith("refused")]
        assert len(asked) < 60, "it comes to an end"
    assert len({question.key for question in asked}) == len(asked), "nothing is asked twice"
    assert session.progress().answered == len(asked) and session.progress().left == 0
    assert how_far(session.progress()) == f"{len(asked)} answers; nothing doubtful is left"
    for identity, members in groups(session).items():
        assert not identity or len({truth[member] for member in members}) == 1, "nobody is mixed"
    assert {question.kind for question in asked} >= {ONE, ODD, NAME}
    named = session.catalogue.names()
    assert all(truth[next(iter(groups(session)[identity]))] == int(name[-1]) for identity, name in named.items())
    assert len(groups(session)) == len(set(truth.values())), "nor in two: who is called alike was asked"


def test_the_most_useful_question_comes_first(session: ReviewSession) -> None:
    gains = [question.gain for question in session.open_questions()]
    assert gains == sorted(gains, reverse=True) and len(gains) > 3
    first = session.question()
    assert first and first.gain == gains[0]


def test_who_is_called_alike_is_asked_to_be_one_person(session: ReviewSession) -> None:
    """However little alike they are; and not again once it was said that they are not."""
    for identity in ("P0004", "P0005"):
        session.say(
            {identity}, lambda c, who=identity: verbs.name(c, who, "Jane Doe" if who == "P0004" else "jane doe")
        )
    session.wait()
    asked = next(question for question in session.open_questions() if question.concerns == {"P0004", "P0005"})
    asked = session.ask(asked)
    assert asked.kind == ONE and len(asked.faces) == len(asked.other_faces) == 1
    session.no()
    session.wait()
    session._done.clear()
    assert not [question for question in session.open_questions() if question.concerns == {"P0004", "P0005"}]


def test_an_answer_is_taken_back_as_a_whole(session: ReviewSession) -> None:
    before = groups(session)
    asked = next(question for question in session.open_questions() if question.kind == ODD)
    asked = session.ask(asked)
    session.odd(asked.faces[:1])
    session.wait()
    said = session.news()
    assert len(said) == 2, "that one is not, and the others are"
    assert asked.faces[0] not in groups(session)[asked.identity] and session.progress().answered == 1
    assert session.undo()
    session.wait()
    assert [line.partition(" ")[0] for line in session.news()] == ["undid", "undid"]
    assert groups(session) == before and session.progress().answered == 0
    assert asked.key in {question.key for question in session.open_questions()}, "it can be asked again"
    assert not session.undo(), "there is nothing more of this session"


def test_a_skipped_question_comes_again_when_nothing_else_is_left(session: ReviewSession) -> None:
    every = {question.key for question in session.open_questions()}
    skipped = []
    for _ in range(len(every)):
        asked = session.question()
        assert asked
        skipped.append(asked.key)
        session.skip()
    assert set(skipped) == every
    again = session.question()
    assert again and again.key == skipped[0]


def test_an_answer_that_an_earlier_one_forbids_is_told_and_counts_not(session: ReviewSession) -> None:
    asked = session.ask(next(question for question in session.open_questions() if question.kind == ONE))
    session.say({asked.identity, asked.other}, lambda c: verbs.reject(c, asked.identity, [asked.other]))
    session.wait()
    session.news()
    session.ask(asked)
    session.yes()
    session.wait()
    (line,) = session.news()
    assert line.startswith("refused: this contradicts") and session.progress().answered == 0
    assert session.undo(), "what can be taken back is the one before it"


def test_nothing_is_asked_about_what_is_still_being_sorted(
    session: ReviewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = session.question()
    assert asked
    monkeypatch.setattr(session.clerk, "_sort_after_the_last", lambda: None)
    session.skip()
    session.say(asked.concerns, lambda c: verbs.name(c, asked.identity, "Jane"))
    session._steps[-1].future.result()
    assert not any(question.concerns & asked.concerns for question in session.open_questions())
    monkeypatch.undo()
    session.say((), lambda c: verbs.name(c, asked.identity, "Jane Doe"))
    session.wait()
    assert any(question.concerns & asked.concerns for question in session.open_questions())


def test_answers_to_no_question_are_an_error_of_the_screen(session: ReviewSession) -> None:
    with pytest.raises(ValueError, match="no question"):
        session.yes()


KILLED = """
import os, sys
from pathlib import Path
from archive.decisions import verbs
from reports.review.clerk import Clerk
from reports.review.session import ReviewSession
from reviewing import SETTINGS
Clerk._sort_after_the_last = lambda self: None
session = ReviewSession(Path(sys.argv[1]), SETTINGS)
session.say({"P0003"}, lambda c: verbs.split(c, "P0003", sys.argv[2:]))
print(session._steps[-1].future.result()[0].sentence, flush=True)
os._exit(9)
"""


def test_killed_before_it_is_sorted_an_answer_is_kept(made: tuple[Path, Mapping[str, int]], tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(made[0], archive)
    with Catalogue.open(archive) as catalogue:
        one = next(catalogue.appearances("P0003")).appearance
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, here.parent)))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(archive), one],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 9 and done.stdout.startswith("split"), done.stderr
    with ReviewSession(archive, SETTINGS) as session:
        session.wait()
        assert one not in groups(session)["P0003"], "who opens it next sorts"
        assert intact(session.catalogue.connection).entries == 1


def test_what_cannot_be_sorted_is_kept_and_said(session: ReviewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CatalogueError("the disk is full")

    monkeypatch.setattr(sorting, "settle", full)
    session.say({"P0001"}, lambda c: verbs.name(c, "P0001", "Jane Doe"))
    session.wait()
    assert session.news() == [
        'named P0001 "Jane Doe"',
        "refused: what was said is kept, but not sorted yet: the disk is full",
    ]
    assert session.news() == [] and not session.progress().sorting, "said once, and nobody waits for it"
    monkeypatch.undo()
    session.say({"P0001"}, lambda c: verbs.name(c, "P0001", "Jane"))
    session.wait()
    assert session.catalogue.names() == {"P0001": "Jane"}


def test_folders_follow_and_those_of_others_stay(session: ReviewSession) -> None:
    home = session.archive / "identities"
    before = {path.name: (path / "identity.json").stat().st_mtime_ns for path in home.iterdir()}
    session.say({"P0001"}, lambda c: verbs.name(c, "P0001", "Jane Doe"))
    session.wait()
    after = {path.name: (path / "identity.json").stat().st_mtime_ns for path in home.iterdir()}
    assert set(after) - set(before) == {"P0001-jane-doe"} and set(before) - set(after) == {"P0001"}
    assert {name: when for name, when in after.items() if name in before} == {
        name: when for name, when in before.items() if name in after
    }


def test_an_undone_merge_gives_everybody_back_though_sorting_came_late(session: ReviewSession) -> None:
    before = groups(session)
    session.say({"P0001", "P0002"}, lambda c: verbs.merge(c, "P0001", "P0002"))
    session.wait()
    assert "P0002" not in groups(session)
    assert session.undo()
    session.wait()
    assert groups(session) == before


def test_an_archive_that_is_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no archive"):
        ReviewSession(tmp_path / "none", SETTINGS)
    assert not (tmp_path / "none").exists()
    with Catalogue.create_or_open(tmp_path / "empty") as catalogue:
        settle(catalogue, SETTINGS)
    with ReviewSession(tmp_path / "empty", SETTINGS) as session:
        assert session.question() is None and session.progress().left == 0


def test_two_reviews_at_once_are_refused(session: ReviewSession) -> None:
    with pytest.raises(CatalogueError, match="is in use"):
        ReviewSession(session.archive, SETTINGS)


def test_people_who_are_seen_together_are_never_one(tmp_path: Path) -> None:
    cast(tmp_path / "archive").close()
    with ReviewSession(tmp_path / "archive", SETTINGS) as session:
        session.say({"P0001", "P0003"}, lambda c: verbs.merge(c, "P0001", "P0003"))
        session.wait()
        (line,) = session.news()
        assert line.startswith("refused") and "seen together" in line

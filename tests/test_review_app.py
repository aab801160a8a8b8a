"""The full-screen review, driven by its keys."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from reviewing import SETTINGS, doubtful
from sqlalchemy import update
from textual.pilot import Pilot
from textual.widgets import Input, Static

from archive.catalogue import Catalogue
from archive.groups import Listed, listed
from archive.schema import identities, pictures
from reports.review import app as screens
from reports.review.app import ReviewApp
from reports.review.lists import Choice
from reports.review.questions import ODD, ONE, Question
from reports.review.session import ReviewSession

HOSTILE = "<script>alert(1)</script> [bold]\x1b[31mred\u202eevil [/] " + "x" * 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, int]]:
    folder = tmp_path_factory.mktemp("review") / "archive"
    return folder, doubtful(folder, videos=16)


@pytest.fixture
def archive(made: tuple[Path, Mapping[str, int]], tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(made[0], tmp_path / "archive")
    yield tmp_path / "archive"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "_POLL_S", 0.05)


Drive = Callable[[ReviewApp, Pilot[None]], Awaitable[None]]


def drive(archive: Path, steps: Drive, size: tuple[int, int] = (100, 36)) -> None:
    """Open the review on a screen of this size, and do something."""

    async def run() -> None:
        with ReviewSession(archive, SETTINGS) as session:
            app = ReviewApp(session)
            async with app.run_test(size=size, notifications=True) as pilot:
                await loaded(app, pilot)
                await steps(app, pilot)

    asyncio.run(run())


async def loaded(app: ReviewApp, pilot: Pilot[None]) -> None:
    """Wait until all is sorted and shown."""
    for _ in range(1000):
        await pilot.pause(0.02)
        session = app.session
        told = all(step.told for step in [*session._steps, *session._undoing])
        if told and session.clerk.idle and app._as_of == session.clerk.sortings:
            await app.workers.wait_for_complete()
            await pilot.pause()
            return
    raise AssertionError("it never came to rest")


async def ask(app: ReviewApp, pilot: Pilot[None], kind: str) -> Question:
    """Skip to a question of a kind."""
    for _ in range(30):
        question = app.panel.question
        if question and question.kind == kind:
            return question
        await pilot.press("s")
    raise AssertionError(f"no question of the kind {kind}")


def shown(app: ReviewApp, height: int = 36) -> str:
    """What is on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def told(app: ReviewApp) -> str:
    """What was told beside the screen."""
    return " ".join(str(notification.message) for notification in app._notifications)


def people_of(archive: Path) -> dict[str, Listed]:
    with Catalogue.open(archive) as catalogue:
        return {person.id: person for person in listed(catalogue.connection)}


@pytest.mark.parametrize("size", [(80, 24), (100, 36), (200, 60)])
def test_people_log_face_and_question_are_on_the_screen(archive: Path, size: tuple[int, int]) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        text = shown(app)
        for part in (
            "P0001",
            "P0003",
            "1.mp4",
            "0:02",
            "unconfirmed",
            "until certain",
            "? help",
            "P0001 · ".strip(" ·"),
        ):
            assert part in text, part
        assert "▀" in text, "faces are drawn"
        assert app.people.row_count() == len(people_of(archive))
        question = app.panel.question
        assert question and question.identity in text

    drive(archive, steps, size)


def test_the_keys_of_the_question(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        question = await ask(app, pilot, ODD)
        await pilot.press("1")
        assert app.panel.odd == {question.faces[0]} and "1 ✗" in shown(app)
        await pilot.press("1", "2", "enter")
        await loaded(app, pilot)
        assert app.session.progress().answered == 1
        members = {a.appearance for a in app.session.catalogue.appearances(question.identity)}
        assert question.faces[1] not in members and question.faces[0] in members
        await pilot.press("u")
        await loaded(app, pilot)
        assert app.session.progress().answered == 0
        members = {a.appearance for a in app.session.catalogue.appearances(question.identity)}
        assert question.faces[1] in members

    drive(archive, steps)


@pytest.mark.parametrize(("key", "left"), [("y", 1), ("n", 2)])
def test_yes_and_no(archive: Path, key: str, left: int) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        question = await ask(app, pilot, ONE)
        before = {person.id for person in app.people.people}
        await pilot.press(key)
        await loaded(app, pilot)
        after = {person.id for person in app.people.people}
        assert (
            len({question.identity, question.other} & after) == left and {question.identity, question.other} <= before
        )
        assert ("merged" if key == "y" else "rejected") in told(app) and "P0" in shown(app)

    drive(archive, steps)


def test_moving_about(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        first = app.people.current
        await pilot.press("down")
        second = app.people.current
        assert first and second and first.id != second.id and second.id in str(app.query_one("#facts", Static).render())
        assert {a.identity for a in app.log_list.seen} == {second.id}
        await pilot.press("end", "up", "home")
        assert app.people.cursor == 0
        await pilot.press("pagedown")
        assert app.people.cursor == len(app.people.people) - 1
        await pilot.press("home", "tab", "down")
        assert app.log_list.cursor == 1 and app.log_list.has_focus
        await pilot.click(app.people, offset=(3, 3))
        assert app.people.cursor == 2

    drive(archive, steps)


def test_naming_searching_and_sorting(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "N", *"Zoe", "enter")
        await loaded(app, pilot)
        named = app.people.current
        assert named and named.name == "Zoe" and "Zoe" in shown(app)
        await pilot.press("slash", *"zo", "enter")
        assert [person.name for person in app.people.people] == ["Zoe"]
        await pilot.press("slash", *"nobody", "enter")
        assert app.people.people == [] and "nobody is called so" in shown(app)
        await pilot.press("slash")
        app.screen.query_one(Input).value = ""
        await pilot.press("enter")
        assert len(app.people.people) > 3
        orders = []
        for _ in range(4):
            await pilot.press("S")
            orders.append((app.people.choice.order, [person.id for person in app.people.people]))
        assert [order for order, _ in orders] == ["appearances", "doubtful", "name", "id"]
        assert len({tuple(ids) for _, ids in orders}) > 1 and orders[2][1][0] == named.id

    drive(archive, steps)


def test_merge_split_reject_and_confirm(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("m", *"p0002", "enter")
        await loaded(app, pilot)
        assert "P0002" not in {person.id for person in app.people.people}
        await pilot.press("u")
        await loaded(app, pilot)
        assert "P0002" in {person.id for person in app.people.people}
        members = [a.appearance for a in app.log_list.seen]
        await pilot.press("tab", "space", "space")
        assert app.log_list.marked == set(members[:2])
        await pilot.press("p")
        await loaded(app, pilot)
        assert not {a.appearance for a in app.log_list.seen} & set(members[:2])
        await pilot.press("u")
        await loaded(app, pilot)
        await pilot.press("home", "x")
        await loaded(app, pilot)
        assert members[0] not in {a.appearance for a in app.log_list.seen}
        await pilot.press("c")
        await loaded(app, pilot)
        assert {a.certainty for a in app.log_list.seen} == {"confirmed"}

    drive(archive, steps)


def test_what_is_refused_is_said(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("m", *"p0001", "enter")
        await loaded(app, pilot)
        assert "cannot be merged with itself" in told(app)
        await pilot.press("m", *"nobody", "enter")
        await loaded(app, pilot)
        assert "no identity 'NOBODY'" in told(app)
        await pilot.press("u")
        await pilot.pause(0.1)
        assert "nothing to take back" in told(app)

    drive(archive, steps)


def test_help_and_zoom(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        assert "never proof" in " ".join(shown(app).split()) and "merge with another" in shown(app)
        await pilot.press("escape", "z")
        assert "unconfirmed" not in shown(app) and "Which of" in shown(app)
        await pilot.press("z", "N", "escape")
        assert "unconfirmed" in shown(app)

    drive(archive, steps)


def test_opening_the_video(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def told(catalogue: Catalogue, seen: object) -> str:
        opened.append(seen)
        return "playing"

    monkeypatch.setattr(screens, "open_at", told)

    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("o")
        assert opened == [app.log_list.current]

    drive(archive, steps)


def test_a_video_that_is_gone_is_marked_and_said(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press("o")
        await pilot.pause(0.2)
        assert "is not there any more" in told(app)

    drive(archive, steps)


def test_a_screen_that_is_too_small_says_so(archive: Path) -> None:
    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        assert "the review needs 60 × 16" in " ".join(shown(app).split())
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "P0001" in shown(app) and "needs" not in shown(app)

    drive(archive, steps, (40, 10))


def test_names_of_strangers_reach_neither_markup_nor_the_terminal(archive: Path) -> None:
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.execute(update(identities).where(identities.c.id == "P0001").values(name=HOSTILE))

    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "\x1b" not in text and "\u202e" not in text and "<script>alert(1)</script> [bold]\\x1b" in text
        question = next(q for q in app.session.open_questions() if "P0001" in q.concerns)
        app.panel.put(app.session.ask(question), {"P0001": HOSTILE}, app.session.progress())
        await pilot.pause()
        await pilot.press("N")
        await pilot.pause()
        assert "\x1b" not in shown(app) and "\u202e" not in shown(app)
        await pilot.press("escape")
        app.people.choose(Choice("name", "script"))
        await pilot.pause()
        assert [person.id for person in app.people.people] == ["P0001"]

    drive(archive, steps)


def test_a_broken_or_missing_picture_is_a_note(archive: Path) -> None:
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.execute(update(pictures).values(jpeg=b"\xff\xd8 broken"))

    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        assert "no picture" in shown(app) and "▀" not in shown(app)

    drive(archive, steps)


def test_an_empty_archive(tmp_path: Path) -> None:
    with Catalogue.create_or_open(tmp_path / "archive") as catalogue:
        catalogue.set_fact("settled", True)

    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        await pilot.press(
            "y", "n", "s", "u", "N", "m", "p", "x", "c", "space", "o", "S", "down", "1", "enter", "z", "z"
        )
        assert "nobody yet: index some footage" in shown(app) and "Nothing is left to ask" in shown(app)

    drive(tmp_path / "archive", steps)


def test_without_colour_faces_are_letters(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(app: ReviewApp, pilot: Pilot[None]) -> None:
        assert "▀▀" not in shown(app) and "%%%" in shown(app)

    drive(archive, steps)

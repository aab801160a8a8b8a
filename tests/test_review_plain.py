"""The review by prompts: what is said, what may be typed, and that it can be left anywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import MAIN, in_terminal, run
from reviewing import SETTINGS, doubtful
from rich.color import Color

from archive.catalogue import Catalogue
from cvid.errors import UnknownName
from cvid.opencv import cv2
from reports.review import plain, player
from reports.review.blocks import MISSING, face_rows, face_text
from reports.review.plain import review_plain
from reports.review.questions import ODD
from reports.review.session import ReviewSession


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, int]]:
    folder = tmp_path_factory.mktemp("review") / "archive"
    return folder, doubtful(folder, videos=16)


@pytest.fixture
def archive(made: tuple[Path, Mapping[str, int]], tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(made[0], tmp_path / "archive")
    yield tmp_path / "archive"


def talk(archive: Path, *typed: str) -> list[str]:
    """What is said when this is typed, line by line."""
    lines: list[str] = []
    answers = iter(typed)

    def ask(prompt: str) -> str:
        lines.append(prompt)
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    with ReviewSession(archive, SETTINGS) as session:
        review_plain(session, lines.append, ask)
    return lines


def test_answers_are_taken_and_told(archive: Path) -> None:
    said = talk(archive, "1 2", "0", "u", "s", "q")
    text = "\n".join(said)
    assert "Which of these faces are not P0001?" in text and "quality 0.5" in text and "0:02" in text
    assert "rejected 2 appearances from P0001" in text and "confirmed 2 appearances as P0001" in text
    assert "taken back" in text and "undid decision" in text
    assert said[-1].startswith("1 of about")


def test_what_is_no_answer_is_said_and_asked_again(archive: Path) -> None:
    said = talk(archive, "perhaps", "77", "-1", "h", "", "o 99", "q")
    assert said.count("that is no answer to it; h shows the keys") == 4
    assert any("undo the last answer" in line for line in said) and any("there is no face 99" in line for line in said)
    with Catalogue.open(archive) as catalogue:
        assert {a.certainty for a in catalogue.appearances()} & {"confirmed"} == set()


def test_it_ends_where_the_input_ends(archive: Path) -> None:
    assert talk(archive)[-1].startswith("0 of about")
    with Catalogue.create_or_open(archive):
        pass  # nobody holds it any more


def test_faces_and_videos_are_opened(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(plain, "opened", lambda path: opened.append(path) or "opening")
    said = talk(archive, "o 1", "v 1", "q")
    assert opened[0].is_file() and opened[0].parent.name == "faces" and "opening" in said
    assert any("is not there any more" in line for line in said), "its video is not on this disk"


def test_the_verb(archive: Path) -> None:
    for typed in ("q\n", ""):
        done = subprocess.run(
            [sys.executable, MAIN, "review", "--plain", "--archive", archive],
            input=typed,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Which of these faces" in done.stdout and "0 of about" in done.stdout.splitlines()[-1]
        assert "Aborted" not in done.stderr
    refused = run("review", "--archive", archive)
    assert refused.exit_code == 2 and "--plain" in refused.output
    nowhere = run("review", "--plain", "--archive", archive / "none")
    assert nowhere.exit_code == 1 and "there is no archive" in nowhere.output


def test_the_screen_in_a_real_terminal(archive: Path) -> None:
    shown = in_terminal(
        archive.parent, b"", args=["review", "--archive", str(archive)], answer_at=(b"until certain", b"q")
    )
    assert "P0001" in shown and "until certain" in shown


def test_a_player_begins_at_the_second(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = tmp_path / "-evil; rm.mp4"
    video.write_bytes(b"")
    started: list[list[str]] = []
    monkeypatch.setattr(player, "_video_of", lambda catalogue, seen: video)
    monkeypatch.setattr(player, "_start", started.append)
    with Catalogue.open(archive) as catalogue:
        seen = next(catalogue.appearances())
        monkeypatch.setattr(player.shutil, "which", lambda name: f"/bin/{name}" if name == "mpv" else None)
        assert "0:01" in player.open_at(catalogue, seen)
        assert started[-1] == ["/bin/mpv", "--start=1.00", "--force-window=yes", "--", str(video)]
        monkeypatch.setattr(player.shutil, "which", lambda name: None)
        with pytest.raises(UnknownName, match="no program"):
            player.open_at(catalogue, seen)


def test_faces_as_cells() -> None:
    picture = np.zeros((40, 20, 3), np.uint8)
    picture[:20] = (0, 0, 255)
    jpeg = cv2.imencode(".png", picture)[1].tobytes()
    rows = face_rows(jpeg, 9, 8)
    assert len(rows) == 8 and all(sum(len(segment.text) for segment in row) == 9 for row in rows)
    style = rows[0][len(rows[0]) // 2].style
    assert style and style.color == Color.from_rgb(255, 0, 0), "red above"
    letters = face_text(jpeg, 9, 8, colour=False).plain.split("\n")
    assert letters[0].strip() and set(letters[0]) != set(letters[-1])
    for broken in (None, b"", b"\xff\xd8 broken"):
        assert MISSING in face_text(broken, 12, 3).plain
    assert face_rows(None, 0, 0) == [] and len(face_rows(jpeg, 1, 1)) == 1


def test_odd_is_what_the_first_question_is(archive: Path) -> None:
    with ReviewSession(archive, SETTINGS) as session:
        question = session.question()
        assert question and question.kind == ODD

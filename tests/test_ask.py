"""Without a verb, in a terminal: what is asked, created and indexed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from calling import in_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def test_a_mistyped_footage_folder_is_not_created_unasked(tmp_path: Path) -> None:
    (tmp_path / "clips [1]").mkdir()
    text = in_terminal(tmp_path, b"clpis [1]\n\nclips [1]\nnew/archive\n")
    assert "clpis [1] does not exist. Create it? [y/N]" in text and "created clpis" not in text
    assert "is empty" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips [1]", "new"]
    assert (tmp_path / "new" / "archive").is_dir(), "the archive's folder is made without a question"


def test_what_cannot_be_a_folder_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "clips").mkdir()
    text = in_terminal(tmp_path, b"~nobody-of-that-name/x\nfile/x\ny\nclips\nfile\narchive\n")
    assert text.count("cannot be used") == 3 and "Another one?" in text
    assert (tmp_path / "archive").is_dir()


@pytest.mark.parametrize("question", [b"Folder with the footage", b"Create it?", b"Folder for the archive"])
def test_an_interrupt_at_a_question_kept_nothing(question: bytes, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    answers = {b"Create it?": b"clpis\n", b"Folder for the archive": b"clips\n"}.get(question, b"")
    text = in_terminal(tmp_path, answers, interrupt_at=question, exit_code=130)
    assert text.rstrip().endswith("interrupted") and "kept" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]

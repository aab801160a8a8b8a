"""Where a report may lie, what it replaces, and what it leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from calling import run
from reporting import archive_of, jpeg_of, page, reported, spoil

from archive.catalogue import Catalogue
from archive.forgetting.forget import forget
from archive.generated import writing
from archive.lock import ArchiveLock
from reports.page.folder import ReportError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive_of(tmp_path_factory.mktemp("archive") / "archive", P0001="Jane Doe")


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(archive: Path, output: Path) -> str:
    """Why a report cannot be written there."""
    done = run("report", "--archive", archive, "-o", output)
    assert done.exit_code == 1 and not writing(output).exists()
    return done.stderr


def test_a_new_report_takes_the_place_of_the_old_one(archive: Path) -> None:
    folder = reported(archive, plots=True).index.parent
    assert (folder / "plots").is_dir()
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.exec_driver_sql("UPDATE identities SET name = 'Ann' WHERE id = 'P0001'")
    reported(archive)
    assert "Ann" in page(folder / "index.html").text and "Jane" not in page(folder / "index.html").text
    assert not (folder / "plots").exists()
    assert names_in(archive) >= {"reports"} and not [n for n in names_in(archive) if n.startswith(".")]


def test_faces_that_are_the_same_are_not_written_again(archive: Path) -> None:
    folder = reported(archive).index.parent
    before = {path: path.stat().st_ino for path in (folder / "faces").rglob("*.jpg")}
    changed, linked, *same = sorted(before)
    spoil(archive, changed.stem, jpeg_of(5))
    linked.rename(linked.with_suffix(".txt"))
    linked.symlink_to(linked.with_suffix(".txt"))
    reported(archive)
    assert [path.stat().st_ino for path in same] == [before[path] for path in same] and len(same) > 2
    assert changed.read_bytes() == jpeg_of(5) and not linked.is_symlink()


def test_files_of_the_user_stay(archive: Path) -> None:
    folder = reported(archive).index.parent
    (folder / "people" / "notes.txt").write_text("mine")
    (folder / "index.html").write_text("changed by hand")
    reported(archive)
    assert (folder / "people" / "notes.txt").read_text() == "mine"
    assert (folder / "index.html.kept").read_text() == "changed by hand"
    assert "Jane Doe" in page(folder / "index.html").text


def test_a_folder_of_somebody_else_is_left_alone(archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    assert "holds files that `report` did not write; name a new or an empty folder with -o" in refused(archive, own)
    assert names_in(own) == {"thesis.txt"}
    (archive / "reports").mkdir()
    (archive / "reports" / "report.json").write_text("{}")
    with pytest.raises(ReportError, match="did not write"):
        reported(archive)
    assert names_in(archive / "reports") == {"report.json"}


def test_an_empty_folder_is_as_good_as_none(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / ".DS_Store").write_bytes(b"")
    assert reported(archive, tmp_path / "page").index.is_file()


def test_a_link_to_a_folder_stays_a_link(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (archive / "reports").symlink_to(tmp_path / "disk")
    reported(archive)
    assert (archive / "reports").is_symlink() and (tmp_path / "disk" / "index.html").is_file()
    with Catalogue.create_or_open(archive) as catalogue:
        forget(catalogue, "P0001")
    assert (archive / "reports").is_symlink() and not (tmp_path / "disk").exists()


def test_a_file_is_no_folder(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("mine")
    assert "is a file; name a new or an empty folder with -o" in refused(archive, tmp_path / "page")
    assert (tmp_path / "page").read_text() == "mine"


@pytest.mark.parametrize("inside", ["identities/P0001/page", "page", "."])
def test_what_the_archive_writes_is_not_written_into(archive: Path, inside: str) -> None:
    assert "lies among what the archive writes itself" in refused(archive, archive / inside)


def test_a_report_never_lies_in_footage(archive: Path, tmp_path: Path) -> None:
    with Catalogue.create_or_open(archive) as catalogue:
        footage = str(tmp_path / "footage").encode()
        catalogue.connection.exec_driver_sql("UPDATE roots SET path = ?", (footage,))
    assert "its faces would be indexed as photographs" in refused(archive, tmp_path / "footage" / "page")
    assert not (tmp_path / "footage").exists()


def test_an_archive_in_its_footage_keeps_its_report(archive: Path) -> None:
    with Catalogue.create_or_open(archive) as catalogue:
        catalogue.connection.exec_driver_sql("UPDATE roots SET path = ?", (str(archive.parent).encode(),))
    assert reported(archive).index.is_file()


def test_a_killed_report_is_made_up_for(archive: Path) -> None:
    folder = reported(archive).index.parent
    half = writing(folder)
    half.mkdir()
    (half / "lock").write_bytes(b"")
    (half / "index.html").write_text("half")
    folder.rename(folder.with_name(".leaving-reports"))
    assert "Jane Doe" in page(reported(archive).index).text
    assert not [name for name in names_in(archive) if name.startswith(".")]


def test_a_folder_that_only_looks_like_a_half_written_one_stays(archive: Path, tmp_path: Path) -> None:
    half = writing(tmp_path / "page")
    half.mkdir()
    (half / "thesis.txt").write_text("mine")
    with pytest.raises(ReportError, match="did not write"):
        reported(archive, tmp_path / "page")
    assert (half / "thesis.txt").read_text() == "mine"


def test_two_reports_at_once_are_refused(archive: Path) -> None:
    half = writing(archive / "reports")
    half.mkdir()
    lock = ArchiveLock(half)
    with pytest.raises(ReportError, match=r"another process is writing a report to .*; wait for it or stop it"):
        reported(archive)
    assert half.is_dir()
    lock.release()


def test_a_report_that_fails_leaves_the_old_one(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = reported(archive).index.parent
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reports.page.writing.write_sure", fail)
    with pytest.raises(ReportError, match=r"the report cannot be written \(No space left on device\)"):
        reported(archive)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not [name for name in names_in(archive) if name.startswith(".")]


def test_who_is_forgotten_is_in_no_report(archive: Path) -> None:
    folder = reported(archive).index.parent
    (folder / "notes.txt").write_text("mine")
    writing(folder).mkdir()
    (writing(folder) / "index.html").write_text("Jane Doe")
    with Catalogue.create_or_open(archive) as catalogue:
        assert forget(catalogue, "P0001").found == []
    assert names_in(folder) == {"notes.txt"} and not writing(folder).exists()

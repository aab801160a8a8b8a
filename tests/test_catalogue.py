"""The catalogue: transactions, migrations, locks, errors as sentences, and what it answers."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from builders import analysis, may_read_everything, sha_of, track, track_analysis, unit
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from archive.catalogue import FILE, Catalogue
from archive.database import atomic, connect
from archive.found import Found, Scope, Stamp, Unreadable
from archive.migrate import LAYOUT, layout, migrate
from archive.packing import pack_track, unpack_track, unpack_vectors
from archive.schema import metadata, pictures, trails, vectors
from cvid.errors import CatalogueError, UnknownName

MIGRATIONS = Path(__file__).parents[1] / "archive" / "migrations"
MODELS = {"detector": "squares:" + "0" * 12, "embedder": "colours:" + "0" * 12}


def found(path: str, text: str, root: str = "/footage") -> Found:
    return Found(root, path, Stamp(10, 20, 30), sha_of(text), None)


def rows(catalogue: Catalogue, table: str) -> int:
    return int(catalogue.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def filled(folder: Path) -> Catalogue:
    """An archive of two videos: one track with a vector, one without."""
    catalogue = Catalogue.create_or_open(folder)
    run = catalogue.start_run({"jobs": 1})
    catalogue.settle_models(MODELS)
    catalogue.record([found("a.mp4", "a"), found("sub/b.mp4", "b")])
    catalogue.save(run, analysis(sha_of("a"), [track_analysis(track(1, 3), unit(1, 0, 0))]))
    catalogue.save(run, analysis(sha_of("b"), [track_analysis(track(0, 1), None)]))
    catalogue.finish_run(run, "done", MODELS, ["CPU"])
    return catalogue


def test_the_layout_is_that_of_the_migrations(tmp_path: Path) -> None:
    with Catalogue.create_or_open(tmp_path) as catalogue:
        assert compare_metadata(MigrationContext.configure(catalogue.connection), metadata) == []
        assert layout(catalogue.connection) == LAYOUT
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == LAYOUT


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Catalogue.create_or_open(tmp_path / "new" / "archive"):
        assert (tmp_path / "new" / "archive").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "new" / "archive" / FILE).stat().st_mode & 0o777 == 0o600


def test_it_is_durable(tmp_path: Path) -> None:
    with Catalogue.create_or_open(tmp_path) as catalogue:
        pragmas = {
            p: catalogue.connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_video_is_saved_with_all_that_hangs_on_it(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        first, second = catalogue.appearances()
        assert (first.video, first.start_s, first.end_s, first.faces, first.identity) == ("a.mp4", 1, 3, 5, "")
        assert (second.video, second.reason, second.support, second.similarity) == (
            "sub/b.mp4",
            "not sorted into people yet",
            0,
            None,
        )
        assert len(first.appearance) == 12 and first.evidence == "face"
        stored = catalogue.connection.execute(select(vectors)).one()
        assert (stored.track_id, stored.model, stored._mapping["count"]) == (first.appearance, MODELS["embedder"], 1)
        assert unpack_vectors(stored.exemplars, 1).tolist() == [[1, 0, 0]]
        trail = catalogue.connection.execute(
            select(trails.c.data).where(trails.c.track_id == first.appearance)
        ).scalar_one()
        assert pack_track(unpack_track(trail)) == trail == pack_track(track(1, 3))
        assert catalogue.connection.execute(select(pictures.c.jpeg)).first()[0].startswith(b"\xff\xd8")  # type: ignore[index]


def test_saving_a_video_again_replaces_it(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        before = [a.appearance for a in catalogue.appearances()]
        catalogue.save(1, analysis(sha_of("a"), [track_analysis(track(1, 3), unit(0, 1, 0))]))
        assert [a.appearance for a in catalogue.appearances()] == before, (
            "the id is the content's, the time's and the box's"
        )
        assert [rows(catalogue, t) for t in ("videos", "tracks", "trails", "vectors", "pictures")] == [2, 2, 2, 1, 2]


def test_two_tracks_of_one_anchor_have_two_ids(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        twins = [track_analysis(track(1, 3), unit(1, 0, 0)), track_analysis(track(1, 3), unit(0, 1, 0))]
        catalogue.save(1, analysis(sha_of("b"), twins))
        assert len({a.appearance for a in catalogue.appearances()}) == 3


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_atomic_is_all_or_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with filled(tmp_path) as catalogue:
        with pytest.raises(error), catalogue.atomic():
            catalogue.set_fact("a", 1)
            raise error
        assert catalogue.fact("a") is None
        with catalogue.atomic():
            catalogue.set_fact("b", 1)
            with pytest.raises(error), catalogue.atomic():
                catalogue.set_fact("c", 1)
                raise error
        assert (catalogue.fact("b"), catalogue.fact("c")) == (1, None)


def test_a_video_is_wholly_in_or_not_at_all(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        broken = analysis(sha_of("c"), [track_analysis(track(1, 3), unit(1, 0, 0))])
        broken.tracks[0].pictures.append((2.0, None))  # type: ignore[attr-defined]
        with pytest.raises(TypeError):
            catalogue.save(1, broken)
        assert rows(catalogue, "videos") == 2 and rows(catalogue, "tracks") == 2


def test_models_are_recorded_once(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        assert catalogue.models() == MODELS
        catalogue.settle_models(MODELS)
        with pytest.raises(CatalogueError) as told:
            catalogue.settle_models({"detector": "squares:111", "embedder": "colours:111"})
        for part in ("squares:111", "colours:111", *MODELS.values(), "--detectors squares", "--archive"):
            assert part in str(told.value)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with filled(tmp_path) as writer:
        with pytest.raises(
            CatalogueError, match=f"in use by process {os.getpid()} \\(since 20.* UTC\\); wait for it or stop it"
        ):
            Catalogue.create_or_open(tmp_path)
        with writer.atomic(), Catalogue.open(tmp_path) as reader:
            assert len(list(reader.appearances())) == 2
    Catalogue.create_or_open(tmp_path).close()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from archive.catalogue import Catalogue; "
        "held = Catalogue.create_or_open(pathlib.Path(sys.argv[1])); os._exit(9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, cwd=MIGRATIONS.parents[1], check=False).returncode == 9
    Catalogue.create_or_open(tmp_path).close()


def test_reading_needs_an_archive(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no archive at"):
        Catalogue.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_damage_is_told(tmp_path: Path) -> None:
    filled(tmp_path).close()
    size = (tmp_path / FILE).stat().st_size
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    with pytest.raises(CatalogueError, match="is damaged"), Catalogue.open(tmp_path) as catalogue:
        catalogue.people()
    (tmp_path / FILE).write_bytes(b"not a catalogue" * 1000)
    with pytest.raises(CatalogueError, match="no catalogue, or damaged"):
        Catalogue.open(tmp_path)
    with pytest.raises(CatalogueError, match="no catalogue, or damaged"):
        Catalogue.create_or_open(tmp_path)


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        catalogue.connection.exec_driver_sql(
            f"PRAGMA max_page_count = {catalogue.connection.exec_driver_sql('PRAGMA page_count').scalar_one()}"
        )
        many = [track_analysis(track(i, i + 0.5), unit(1, 0, 0)) for i in range(300)]
        with pytest.raises(CatalogueError, match="the disk is full; make room and run the same command again"):
            catalogue.save(1, analysis(sha_of("c"), many))
        assert rows(catalogue, "videos") == 2
        catalogue.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        catalogue.save(1, analysis(sha_of("c"), many))
        assert rows(catalogue, "tracks") == 302


@pytest.mark.parametrize("harm", ["empty", "gone"])
def test_a_lost_catalogue_is_not_taken_for_a_new_one(tmp_path: Path, harm: str) -> None:
    filled(tmp_path).close()
    (tmp_path / "identities" / "P0001").mkdir(parents=True)
    for beside in tmp_path.glob(f"{FILE}*"):
        beside.unlink()
    if harm == "empty":
        (tmp_path / FILE).touch()
    for opening in (Catalogue.create_or_open, Catalogue.open) if harm == "empty" else (Catalogue.create_or_open,):
        with pytest.raises(CatalogueError, match="put a backup of it in its place"):
            opening(tmp_path)
    assert (tmp_path / "identities" / "P0001").exists()
    (tmp_path / "identities" / "P0001").rmdir()
    Catalogue.create_or_open(tmp_path).close()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "archive"):
        with pytest.raises(CatalogueError, match="cannot be used"):
            Catalogue.create_or_open(folder)


@pytest.mark.skipif(may_read_everything(), reason="the superuser may write everywhere")
def test_a_read_only_archive_can_be_read(tmp_path: Path) -> None:
    filled(tmp_path / "archive").close()
    (tmp_path / "archive").chmod(0o500)
    try:
        with Catalogue.open(tmp_path / "archive") as catalogue:
            assert len(list(catalogue.appearances())) == 2
        with pytest.raises(CatalogueError):
            Catalogue.create_or_open(tmp_path / "archive")
    finally:
        (tmp_path / "archive").chmod(0o700)


def test_errors_of_the_program_propagate(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue, pytest.raises(OperationalError):
        catalogue.connection.exec_driver_sql("SELECT nonsense FROM nowhere")


def test_a_migration_copies_first_and_an_older_cvid_refuses(tmp_path: Path) -> None:
    filled(tmp_path / "archive").close()
    path = tmp_path / "archive" / FILE
    steps = shutil.copytree(MIGRATIONS, tmp_path / "steps")
    (steps / "versions" / "9000_next.py").write_text(
        f'from alembic import op\nrevision = "9000"\ndown_revision = "{LAYOUT}"\n\n\ndef upgrade():\n'
        '    op.execute("CREATE TABLE later (x)")\n    op.execute("INSERT INTO later VALUES (1)")\n'
    )
    connection = connect(path, create=True)
    migrate(path, connection, steps, "9000")
    assert layout(connection) == "9000" and connection.exec_driver_sql("SELECT x FROM later").scalar() == 1
    connection.exec_driver_sql("UPDATE meta SET value = '\"cvid 99.1\"' WHERE key = 'needs'")
    connection.close()

    copy = path.with_name("catalogue.sqlite.before-9000")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [(LAYOUT,)]
        assert old.execute("SELECT count(*) FROM tracks").fetchone() == (2,)
    for way in (Catalogue.open, Catalogue.create_or_open):
        with pytest.raises(CatalogueError, match=r"newer cvid: it needs cvid 99\.1 and this is"):
            way(tmp_path / "archive")


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "archive").close()
    path = tmp_path / "archive" / FILE
    steps = shutil.copytree(MIGRATIONS, tmp_path / "steps")
    (steps / "versions" / "9000_next.py").write_text(
        f'from alembic import op\nrevision = "9000"\ndown_revision = "{LAYOUT}"\n\n\ndef upgrade():\n'
        '    op.execute("CREATE TABLE later (x)")\n    op.execute("nonsense")\n'
    )
    connection = connect(path, create=True)
    with pytest.raises(OperationalError):
        migrate(path, connection, steps, "9000")
    assert layout(connection) == LAYOUT
    assert not connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE name = 'later'").all()
    connection.close()
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert len(list(catalogue.appearances())) == 2


def test_a_nested_block_of_a_failed_commit_is_undone(tmp_path: Path) -> None:
    connection = connect(tmp_path / FILE, create=True)
    connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    connection.exec_driver_sql("CREATE TABLE child (parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(Exception, match="FOREIGN KEY"), atomic(connection):
        connection.exec_driver_sql("INSERT INTO child VALUES (1)")
    with atomic(connection):
        assert connection.exec_driver_sql("SELECT count(*) FROM child").scalar() == 0
    connection.close()


def test_moved_replaced_missing_and_failing_files(tmp_path: Path) -> None:
    scope = Scope([("/footage", "/footage")], [])
    with filled(tmp_path) as catalogue:
        catalogue.record([found("moved/a.mp4", "a"), Unreadable("/footage", "bad.mp4", Stamp(0, 0, 0), "empty")])
        catalogue.close_scan(scope, {"/footage/moved/a.mp4", "/footage/bad.mp4"})
        assert [a.video for a in catalogue.appearances()] == ["moved/a.mp4", "sub/b.mp4"]
        status = catalogue.status()
        assert (status.sources, status.missing, status.failed, status.tracks, status.unassigned) == (2, 1, 1, 2, 2)
        assert [(f.path, f.reason) for f in catalogue.failures()] == [("bad.mp4", "empty")]

        catalogue.record([found("bad.mp4", "c"), found("moved/a.mp4", "d"), found("sub/b.mp4", "b")])
        catalogue.close_scan(scope, {"/footage/moved/a.mp4", "/footage/bad.mp4", "/footage/sub/b.mp4"})
        assert catalogue.failures() == [] and catalogue.status().missing == 1
        assert [a.video for a in catalogue.appearances()] == ["moved/a.mp4", "sub/b.mp4"], "nothing lost yet"
        catalogue.save(1, analysis(sha_of("d"), []))
        assert [a.video for a in catalogue.appearances()] == ["sub/b.mp4"], (
            "other content lies there now, and is indexed"
        )
        assert catalogue.status().missing == 0
        assert catalogue.fail(sha_of("c"), "cut short") == ["bad.mp4"]
        assert [f.reason for f in catalogue.failures()] == ["cut short"]


def test_names_of_any_bytes_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe\n.mp4") if os.name == "posix" else "\n.mp4"
    with filled(tmp_path) as catalogue:
        catalogue.record([found(name, "c")])
        catalogue.save(1, analysis(sha_of("c"), [track_analysis(track(0, 1), None)]))
        assert name in {a.video for a in catalogue.appearances()}
        assert f"/footage/{name}" in catalogue.known_files()


def test_unknown_identities_are_named(tmp_path: Path) -> None:
    with (
        filled(tmp_path) as catalogue,
        pytest.raises(UnknownName, match="has no identity 'P0009'; it holds 0 identities"),
    ):
        catalogue.person("P0009")


def test_runs_are_kept(tmp_path: Path) -> None:
    with filled(tmp_path) as catalogue:
        catalogue.start_run({})
    with Catalogue.create_or_open(tmp_path) as catalogue:
        last, first = catalogue.status().runs
    assert (first.outcome, first.providers, first.settings, first.models) == ("done", ["CPU"], {"jobs": 1}, MODELS)
    assert first.finished_utc and first.finished_utc.endswith("+00:00")
    assert (last.outcome, last.finished_utc) == ("stopped", None)

"""A decision is carried out wholly or not at all, and the folders catch up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import BLUE, GREEN, RED, film, painted_settings
from deciding import killed_after
from fakes import open_fakes
from sqlalchemy import select

from archive.catalogue import Catalogue
from archive.decisions import verbs as decisions
from archive.decisions.carrying_out import decide, decide_in
from archive.index import index_footage
from archive.schema import assignments, identities, payloads
from archive.sorting.settle import settle

SETTINGS = painted_settings()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deciding")
    for name, *colours in (("one", RED), ("two", RED, GREEN), ("three", GREEN), ("four", BLUE)):
        film(folder / "footage" / f"{name}.mp4", *colours)
    index_footage(folder / "a", [folder / "footage"], SETTINGS, lambda e: None, open_parts=open_fakes, engine="inline")
    return folder / "a"


def everything(catalogue: Catalogue) -> list[Any]:
    """People, who is who, and what was decided."""
    tables = (identities, assignments, payloads)
    return [[tuple(row) for row in catalogue.connection.execute(select(t).order_by(*t.primary_key))] for t in tables]


WAYS: dict[str, Callable[[Catalogue], object]] = {
    "merge": lambda c: decide_in(c, SETTINGS, lambda c: decisions.merge(c, "P0001", "P0002")),
    "recluster": lambda c: settle(c, painted_settings(clustering={"bar": 0.99999, "found_s": 60}), anew=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_killed_at_any_statement_the_catalogue_is_as_before_or_as_after(
    way: str, archive: Path, tmp_path: Path
) -> None:
    statements, outcomes = 0, []
    while True:
        folder = Path(shutil.copytree(archive, tmp_path / str(statements)))
        with Catalogue.create_or_open(folder) as catalogue:
            before = everything(catalogue)
            killed = killed_after(catalogue, statements, partial(WAYS[way], catalogue))
        with Catalogue.create_or_open(folder) as catalogue:
            changed = everything(catalogue) != before
        outcomes.append((killed, changed))
        shutil.rmtree(folder)
        if not killed:
            break
        statements += 2
    assert set(outcomes) >= {(True, False), (False, True)} and outcomes == sorted(outcomes, key=lambda o: o[1])
    assert len(outcomes) > 5


def test_folders_that_a_killed_run_left_behind_catch_up(archive: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(archive, tmp_path / "a"))
    with Catalogue.create_or_open(folder) as catalogue:
        decide_in(catalogue, SETTINGS, lambda c: decisions.name(c, "P0001", "Jane"))  # and killed before the folders
    assert not (folder / "identities" / "P0001-jane").exists()
    decide(folder, SETTINGS, lambda c: decisions.name(c, "P0002", "Ann"))
    assert (folder / "identities" / "P0001-jane").is_dir() and (folder / "identities" / "P0002-ann").is_dir()


def test_a_decision_writes_only_the_folders_that_it_concerns(archive: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(archive, tmp_path / "a"))
    decide(folder, SETTINGS, lambda c: decisions.name(c, "P0001", "Jane"))
    (folder / "identities" / "P0002" / "log.csv").unlink()
    decide(folder, SETTINGS, lambda c: decisions.confirm(c, "P0001"))
    assert not (folder / "identities" / "P0002" / "log.csv").exists(), "nobody looked there"

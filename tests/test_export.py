"""Exports: the columns of the contract, exact bytes, and files that are whole or not there."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path

import pytest

from archive.records import Appearance
from cvid.errors import UnknownBackend
from reports.export import FORMATS, ExportError, write_export, write_stream

CONTRACT = "identity,name,video,start_s,end_s,x1,y1,x2,y2,best_s,faces,quality,similarity,evidence,appearance"
SEEN = Appearance(
    identity="P0001",
    name="Jane",
    video="day/clip [1].mp4",
    start_s=0.04,
    end_s=2.5,
    x1=10.26,
    y1=20,
    x2=110.04,
    y2=140,
    best_s=1.2,
    faces=9,
    quality=0.81234567,
    similarity=0.9,
    evidence="face",
    appearance="a1f3c0ffee12",
    margin=None,
    support=3,
    certainty="confident",
    reason="",
)
ALONE = replace(
    SEEN, identity="", name="", video='=cmd|"x"\n\udcff.mp4', similarity=None, support=0, reason="nobody similar"
)


def exported(format_name: str, *appearances: Appearance) -> bytes:
    stream = BytesIO()
    assert write_stream(format_name, appearances, stream) == len(appearances)
    return stream.getvalue()


def test_csv_begins_with_the_columns_of_the_contract() -> None:
    header, row = exported("csv", SEEN).decode().splitlines()
    assert header.startswith(CONTRACT)
    assert row.startswith(
        "P0001,Jane,day/clip [1].mp4,0.040,2.500,10.3,20.0,110.0,140.0,1.200,9,0.8123,0.9000,face,a1f3c0ffee12,"
    )


def test_csv_keeps_hostile_names_exactly() -> None:
    text = exported("csv", ALONE).decode()
    (row,) = csv.DictReader(StringIO(text, newline=""))
    assert row["video"] == '=cmd|"x"\n\\xff.mp4'
    assert (row["identity"], row["similarity"], row["reason"]) == ("", "", "nobody similar")


def test_jsonl_has_the_fields_of_the_csv() -> None:
    lines = exported("jsonl", SEEN, ALONE).decode().splitlines()
    first, second = map(json.loads, lines)
    header = exported("csv").decode().strip().split(",")
    assert list(first) == ["schema_version", *header]
    assert first["schema_version"] == 1 and first["start_s"] == 0.04 and first["margin"] is None
    assert second["video"] == '=cmd|"x"\n\\xff.mp4'


@pytest.mark.parametrize("format_name", FORMATS.names())
def test_an_empty_export_is_legal(format_name: str) -> None:
    assert exported(format_name).count(b"\n") == (format_name == "csv")


@pytest.mark.parametrize("format_name", FORMATS.names())
def test_rows_are_streamed(format_name: str) -> None:
    """Memory does not grow with the archive: the first bytes are out before the last row was asked for."""
    stream, early = BytesIO(), []

    def rows() -> Iterator[Appearance]:
        for number in range(20_000):
            if number == 15_000:
                early.append(len(stream.getvalue()))
            yield SEEN

    write_stream(format_name, rows(), stream)
    assert early[0] > 0


def test_a_file_appears_whole_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    assert write_export("csv", [SEEN], path) == 1
    with pytest.raises(ExportError, match="exists already; choose another file or add --overwrite"):
        write_export("csv", [SEEN, ALONE], path)
    before = path.read_bytes()

    def breaking() -> Iterator[Appearance]:
        yield SEEN
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_export("csv", breaking(), path, overwrite=True)
    assert path.read_bytes() == before
    assert write_export("csv", [SEEN, ALONE], path, overwrite=True) == 2
    assert [left.name for left in tmp_path.iterdir()] == ["people.csv"]


def test_footage_is_never_overwritten(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"footage")
    with pytest.raises(ExportError, match="is footage"):
        write_export("csv", [SEEN], clip, overwrite=True)
    assert clip.read_bytes() == b"footage"


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"nowhere/x\.csv: cannot be written \(No such file or directory\)"):
        write_export("csv", [SEEN], tmp_path / "nowhere" / "x.csv")


def test_a_device_is_written_directly() -> None:
    assert write_export("csv", [SEEN], Path(os.devnull)) == 1


def test_an_unknown_format_lists_the_choices() -> None:
    with pytest.raises(UnknownBackend, match="csv, jsonl"):
        write_stream("xls", [], BytesIO())


@pytest.mark.parametrize(
    "name", ["catalogue.sqlite", "catalogue.sqlite-wal", "lock", "logs/a.csv", "identities/P1/log.csv"]
)
def test_the_archives_own_files_are_not_written_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"precious")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    before = (tmp_path / name).exists()
    with pytest.raises(ExportError, match="belongs to an archive"):
        write_export("csv", [SEEN], tmp_path / name, overwrite=True)
    assert (tmp_path / "catalogue.sqlite").read_bytes() == b"precious" and (tmp_path / name).exists() == before
    assert write_export("csv", [SEEN], tmp_path / "people.csv") == 1

"""Footage at addresses: what an address is, reading by range, and indexing as if it lay in a folder."""

from __future__ import annotations

import hashlib
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import fsspec
import pytest
from builders import BLUE, CYAN, GREEN, RED, Shot, film, painted_settings, photograph, write_video
from calling import ROOT, run
from elsewhere import Drill, Liar, drill, open_fakes, web
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.catalogue import Catalogue
from archive.events import Event, Scanned
from archive.found import Found, Item, PassedOver, Unreadable
from archive.index import IndexSummary, index_footage
from archive.paths import above, inside, relative_to
from archive.scan import scan, scope_of
from cvid.errors import MissingDependency, VideoError
from cvid.places import Address, Place, joined, place_of
from cvid.ranges import BLOCK_BYTES, Blocks, RangeFile
from cvid.storage import patiently
from cvid.video import probe

MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def nothing_read_yet() -> Iterator[None]:
    Drill.read.clear()
    yield


def index(
    archive: Path,
    *footage: Place,
    engine: str = "inline",
    hook: Callable[[Event], None] = lambda event: None,
) -> IndexSummary:
    return index_footage(archive, footage, painted_settings(jobs=2), hook, open_parts=open_fakes, engine=engine)


def seen(archive: Path) -> list[Any]:
    with Catalogue.open(archive) as catalogue:
        return list(catalogue.appearances())


def look(*footage: Place) -> list[Item]:
    return list(scan(scope_of(footage, []), {}, lambda sha256: False, Path("/nowhere"), lambda event: None))


def reasons(summary: IndexSummary) -> dict[str, str]:
    return {failure.path: failure.reason for failure in summary.failures}


def fetched(name: str) -> int:
    """Bytes that were read of a file on the drill."""
    return sum(stop - start for read, start, stop in Drill.read if read == name)


# what an address is


@pytest.mark.parametrize(
    "text, address",
    [
        ("s3://bucket/2014/", "s3://bucket/2014"),
        ("S3://bucket", "s3://bucket"),
        ("sftp://me@host:22/footage//", "sftp://me@host:22/footage"),
        ("sftp://[::1]:22/footage", "sftp://[::1]:22/footage"),
        ("http://host", "http://host/"),
        ("http://host/a%20b/", "http://host/a b/"),
    ],
)
def test_an_address_is_written_in_one_way(text: str, address: str) -> None:
    assert place_of(text) == Address(address)
    assert str(place_of(address)) == address


def test_a_path_stays_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("s3:/bucket") == Path("s3:/bucket")
    assert place_of("C://videos") == Path("C://videos")
    assert place_of(f"file://{tmp_path}") == tmp_path
    assert isinstance(place_of("s3://bucket"), Address)
    Path("s3:/bucket").mkdir(parents=True)
    assert place_of("s3://bucket") == Path("s3:/bucket"), "what is there is meant"


SECRETS = [
    "sftp://me:hush@host/footage",
    "sftp://me:hu@sh@host/footage",
    "sftp://me:hush/@host/footage",
    "s3://key:hush@bucket/2014",
    "https://hush@host/clip.mp4",
    "https://host/clip.mp4?token=hush",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(VideoError, match="fsspec's own settings") as refused:
        place_of(text)
    assert "hu" not in str(refused.value).replace("fsspec", "")


@pytest.mark.parametrize("text", ["s3://", "sftp:///footage", "s3://bucket/../other", "sftp://host/./a"])
def test_what_no_file_can_have_is_refused(text: str) -> None:
    with pytest.raises(VideoError):
        place_of(text)


def test_an_address_goes_to_another_process_and_is_a_key() -> None:
    address = Address("s3://bucket/a clip.MP4")
    with address.open() as file:
        assert file.tell() == 0
    assert pickle.loads(pickle.dumps(address)) == address
    assert {address: 1}[Address("s3://bucket/a clip.MP4")] == 1
    assert (address.name, address.suffix, address.parent) == ("a clip.MP4", ".MP4", Address("s3://bucket"))
    assert Address("http://host/a/b.mp4").parent == Address("http://host/a/")


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["s3://bucket", "s3://bucket/2014", "http://host/", "memory://", "sftp://me@host:22/a b"]),
    st.lists(st.text(min_size=1).filter(lambda part: "/" not in part), min_size=1).map("/".join),
)
def test_a_key_is_never_read_as_anything_else(root: str, key: str) -> None:
    place = str(joined(root, key))
    assert relative_to(place, root) == key
    assert inside(place, root) and not inside(root, place)
    assert root.rstrip("/") in {folder.rstrip("/") for folder in above(place)}


# reading by range


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.bin"
    path.write_bytes(random.Random(1).randbytes(24 * MEGABYTE + 17))
    return path


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3 * BLOCK_BYTES), st.integers(0, 2 * BLOCK_BYTES)), max_size=12))
def test_any_reading_gives_what_the_file_holds(steps: Sequence[tuple[int, int]]) -> None:
    content = random.Random(2).randbytes(2 * BLOCK_BYTES + 12_345)
    files = fsspec.filesystem("memory")
    files.pipe_file("/test-places/file", content)
    with place_of("memory://test-places/file").open() as file:  # type: ignore[union-attr]
        for at, length in steps:
            file.seek(at)
            assert file.read(length) == content[at : at + length]
            assert file.tell() == at + len(content[at : at + length])
        assert file.seek(0, os.SEEK_END) == len(content) and file.read(5) == b""
        file.seek(-7, os.SEEK_CUR)
        assert file.read() == content[-7:]


def test_reading_through_fetches_every_byte_once_and_asks_rarely(long_file: Path) -> None:
    digest = hashlib.sha256()
    with place_of(drill(long_file)).open("rb", buffering=0) as file:
        while chunk := file.read(1 << 18):
            digest.update(chunk)
    assert digest.digest() == hashlib.sha256(long_file.read_bytes()).digest()
    assert fetched("long.bin") == long_file.stat().st_size
    assert len(Drill.read) < 15


def test_reading_from_two_places_in_turn_fetches_every_byte_once(long_file: Path) -> None:
    with place_of(drill(long_file)).open("rb", buffering=0) as file:
        for step in range(0, 4 * MEGABYTE, 1 << 18):
            for start in (0, 12 * MEGABYTE):
                file.seek(start + step)
                file.read(1 << 18)
    assert len({start for _, start, _ in Drill.read}) == len(Drill.read), "nothing twice"
    assert fetched("long.bin") <= 16 * MEGABYTE


def test_jumping_about_fetches_little(long_file: Path) -> None:
    with place_of(drill(long_file)).open("rb", buffering=0) as file:
        for start in range(0, 24 * MEGABYTE, MEGABYTE):
            file.seek(start)
            file.read(1000)
    assert fetched("long.bin") <= 24 * BLOCK_BYTES


def test_a_video_with_its_index_at_the_end_is_probed_by_its_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [Shot(1.0, {})])
    content = path.read_bytes()
    at = content.index(b"moov") - 4
    assert at > content.index(b"mdat"), "the index comes last"
    filler = 16 * MEGABYTE
    path.write_bytes(content[:at] + filler.to_bytes(4, "big") + b"free" + bytes(filler - 8) + content[at:])
    place = place_of(drill(path))
    info = probe(place)
    assert info.width == probe(path).width and info.duration_s == probe(path).duration_s
    assert fetched("clip.mp4") < MEGABYTE


def test_what_was_probed_is_not_fetched_again_until_it_is_asked_anew(tmp_path: Path) -> None:
    place = place_of(drill(film(tmp_path / "clip.mp4", RED)))
    probe(place)
    probe(place)
    assert len(Drill.read) == 1
    place.stat()
    probe(place)
    assert len(Drill.read) == 2


def test_a_storage_that_drops_once_is_asked_again(long_file: Path) -> None:
    (long_file.parent / ".long.bin.once").write_text(str(9 * MEGABYTE))
    with RangeFile(drill(long_file), Blocks(), waits_s=(0.0,)) as file:
        assert file.read(12 * MEGABYTE) == long_file.read_bytes()[: 12 * MEGABYTE]


def test_a_storage_that_drops_for_good_ends_the_file_and_says_so_at_last(tmp_path: Path) -> None:
    (tmp_path / "f.bin").write_bytes(bytes(MEGABYTE))
    (tmp_path / ".f.bin.drops").write_text("100000")
    with (
        pytest.raises(VideoError, match=r"the storage at drill://\S+ dropped.*Connection reset by peer"),
        RangeFile(drill(tmp_path / "f.bin"), Blocks(), waits_s=(0.0, 0.0)) as file,
    ):
        assert len(file.read(1000)) == 1000
        assert file.read(MEGABYTE) == b"" or file.tell() < MEGABYTE
        assert file.read(10) == b""
    with RangeFile(drill(tmp_path / "f.bin"), Blocks()) as file:
        assert file.read(10) == bytes(10)  # it answers again


def test_a_storage_that_has_dropped_is_asked_once_a_file_until_it_answers() -> None:
    asked = []

    def act(files: Any, path: str) -> str:
        asked.append(path)
        if path.endswith("bad"):
            raise ConnectionResetError
        return path

    def ask(key: str) -> None:
        patiently(f"memory://test-gone/{key}", act, waits_s=(0.0, 0.0))

    for _ in range(2):
        with pytest.raises(VideoError, match="dropped"):
            ask("bad")
    assert len(asked) == 3 + 1
    ask("good")
    with pytest.raises(VideoError, match="dropped"):
        ask("bad")
    assert len(asked) == 4 + 1 + 3


# indexing


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    film(folder / "2014" / "one.mp4", RED)
    film(folder / "two.mkv", RED, BLUE)
    photograph(folder / "a still.png", GREEN)
    (folder / "broken.mp4").write_text("not a video")
    (folder / "notes.csv").write_text("video,person\n")
    photograph(folder / ".hidden" / "x.png", CYAN)
    return folder


def same(one: IndexSummary, other: IndexSummary) -> bool:
    return (one.videos, reasons(one)) == (other.videos, reasons(other)) and seen(one.archive) == seen(other.archive)


def test_an_address_is_indexed_like_the_folder_and_known_again_unread(footage: Path, tmp_path: Path) -> None:
    local = index(tmp_path / "local", footage)
    assert local.videos == {"found": 4, "indexed": 3, "skipped": 0, "failed": 1, "ignored": 1}
    remote = index(tmp_path / "remote", place_of(drill(footage)))
    assert same(local, remote)
    with Catalogue.open(tmp_path / "remote") as catalogue:
        assert catalogue.roots() == [drill(footage)]

    Drill.read.clear()
    again = index(tmp_path / "remote", place_of(drill(footage)))
    assert (again.videos["skipped"], again.videos["indexed"]) == (3, 0)
    assert {name for name, _, _ in Drill.read} == {"broken.mp4", "notes.csv"}, "as with a folder"

    moved = footage / "2014" / "moved.mkv"
    (footage / "two.mkv").rename(moved)
    assert index(tmp_path / "remote", place_of(drill(footage))).videos["indexed"] == 0
    assert seen(tmp_path / "remote")[0].video == "2014/moved.mkv"


def test_workers_read_an_address_too(footage: Path, tmp_path: Path) -> None:
    assert same(index(tmp_path / "a", footage), index(tmp_path / "b", place_of(drill(footage)), engine="local"))


def test_a_web_server_is_indexed_like_the_folder(footage: Path, tmp_path: Path) -> None:
    film(footage / "Ünï #? 100% [a]&b.mp4", CYAN)
    local = index(tmp_path / "local", footage)
    with web(footage) as address:
        assert same(local, index(tmp_path / "remote", place_of(address)))
        assert index(tmp_path / "remote", place_of(address)).videos["skipped"] == 4
        single = index(tmp_path / "single", place_of(f"{address}a%20still.png"))
        assert [appearance.video for appearance in seen(single.archive)] == ["a still.png"]
        with pytest.raises(VideoError, match="there is no such file or folder"):
            index(tmp_path / "none", place_of(f"{address}nothing/"))
        assert not (tmp_path / "none").exists()


def test_a_web_server_without_ranges_is_told_of(footage: Path) -> None:
    with web(footage, ranges=False) as address:
        (found,) = look(place_of(f"{address}two.mkv"))
    assert isinstance(found, Unreadable) and "whole files only" in found.reason


def test_a_file_that_a_web_server_refuses_fails_alone(footage: Path) -> None:
    photograph(footage / "2014" / "forbidden.png", RED)
    with web(footage / "2014") as address:
        refused, found = look(place_of(address))
    assert isinstance(refused, Unreadable) and "credentials" in refused.reason and "403" in refused.reason
    assert isinstance(found, Found)


def test_several_places_and_single_files(footage: Path, tmp_path: Path) -> None:
    photograph(tmp_path / "other" / "face.png", CYAN)
    below = (footage / "two.mkv", footage / "2014", footage)
    items = look(*(place_of(drill(place)) for place in below), tmp_path / "other")
    assert [(Path(item.root).name, item.path) for item in items if isinstance(item, Found)] == [
        ("other", "face.png"),
        ("footage", "a still.png"),
        ("footage", "two.mkv"),
        ("footage", "2014/one.mp4"),
    ]
    (alone,) = look(place_of(drill(footage / "two.mkv")))
    assert isinstance(alone, Found) and (alone.root, alone.path) == (drill(footage), "two.mkv")


def test_an_archive_at_an_address_is_passed_over(footage: Path) -> None:
    (footage / "2014" / "catalogue.sqlite").touch()
    items = look(place_of(drill(footage)))
    assert [item.path for item in items if isinstance(item, PassedOver)] == [drill(footage / "2014")]
    assert not any(item.path == "2014/one.mp4" for item in items)


def test_a_file_on_a_dropping_storage_fails_alone_and_the_next_run_tries_again(footage: Path, tmp_path: Path) -> None:
    cuts = [Shot(0.2, {RED: (10, 30), BLUE: (100, 50)}, ground) for ground in range(20, 220, 2)]
    path = write_video(footage / "long.mkv", cuts, width=640, height=480, rate=25)
    fault, size = footage / ".long.mkv.drops", path.stat().st_size
    assert size > 300_000, "so that it drops when many frames are analysed"

    def drop(event: Event) -> None:
        if isinstance(event, Scanned):
            fault.write_text("300000")

    summary = index(tmp_path / "archive", place_of(drill(footage)), hook=drop)
    assert (summary.videos["indexed"], summary.damaged) == (3, 0)
    assert "dropped" in reasons(summary)["long.mkv"]
    assert "long.mkv" not in {appearance.video for appearance in seen(tmp_path / "archive")}
    fault.unlink()
    Drill.read.clear()
    assert index(tmp_path / "archive", place_of(drill(footage))).videos["indexed"] == 1
    assert size < fetched("long.mkv") < 2 * size, "to probe and to analyse; its hash was kept"


def test_a_folder_that_is_refused_fails_and_what_lies_in_it_is_not_missing(footage: Path, tmp_path: Path) -> None:
    index(tmp_path / "archive", place_of(drill(footage)))
    (footage / "2014" / ".refused").touch()
    summary = index(tmp_path / "archive", place_of(drill(footage)))
    assert "credentials" in reasons(summary)["2014"] and summary.videos["skipped"] == 2
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.missing() == []
    (footage / "2014" / ".refused").unlink()
    (footage / "2014" / "one.mp4").unlink()
    index(tmp_path / "archive", place_of(drill(footage)))
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert catalogue.missing() == ["2014/one.mp4"]


def test_hostile_keys_are_kept_as_they_are(tmp_path: Path) -> None:
    names = [
        "new\nline.png",
        "tab\t\x1b[31m.png",
        "a::b.png",
        "#?%20.png",
        "ünï 🎬.png",
        "[red]x.png",
        "a" * 200 + ".png",
    ]
    names += [os.fsdecode(b"latin-\xe9\xff.png")] if os.name == "posix" else []
    for name in names:
        photograph(tmp_path / "made.png", RED).rename(tmp_path / name)
    summary = index(tmp_path / "archive", place_of(drill(tmp_path)))
    assert summary.videos["indexed"] == 1 and summary.duplicates == len(names) - 1
    items = look(place_of(drill(tmp_path)))
    assert sorted(item.path for item in items if isinstance(item, Found)) == sorted(names)


def test_a_storage_that_lies_about_names_leads_nowhere() -> None:
    Liar.listed = ["/etc/passwd", "..", "../up.png", "lies", "lies/", "lies//double.png", "lies/", "other/x.png"]
    assert look(Address("liar://lies")) == []
    Liar.listed = ["lies/bad \ud800 name.png"]
    (item,) = look(Address("liar://lies"))
    assert isinstance(item, Unreadable) and item.path == "bad ? name.png" and "rename" in item.reason


def test_a_folder_that_lies_in_itself_comes_to_an_end() -> None:
    Liar.listed = ["<self>/again/"]
    assert look(Address("liar://lies")) == []
    assert Liar.asked < 100


def test_what_is_missing_is_named_with_its_remedy(tmp_path: Path) -> None:
    fsspec.register_implementation("absent", "no_such_package.FileSystem", clobber=True, errtxt="install it")
    with pytest.raises(MissingDependency, match=r"the package 'no_such_package': pip install 'cvid\[remote\]' no_such"):
        index(tmp_path / "archive", place_of("absent://host/footage"))
    with pytest.raises(VideoError, match="fsspec knows no address that begins with nonsense://"):
        index(tmp_path / "archive", place_of("nonsense://host/footage"))
    with pytest.raises(VideoError, match="there is no such file or folder"):
        index(tmp_path / "archive", place_of(drill(tmp_path / "nothing")))
    assert not (tmp_path / "archive").exists()


# the command line


@pytest.mark.parametrize("text", SECRETS)
def test_index_refuses_a_password_as_wrong_usage(text: str, tmp_path: Path) -> None:
    result = run("index", text, "--archive", tmp_path / "archive")
    assert result.exit_code == 2 and "fsspec's own settings" in " ".join(result.output.split())
    assert "hush" not in result.output and not (tmp_path / "archive").exists()


def test_only_footage_lies_at_an_address(tmp_path: Path) -> None:
    result = run("index", tmp_path, "--archive", "s3://bucket/archive")
    assert result.exit_code == 2 and "of this machine" in result.output
    assert run("index", tmp_path / "nothing").exit_code == 2


def test_fsspec_is_imported_for_addresses_alone() -> None:
    code = "import sys, archive.index, reports.cli.index, cvid.places; assert 'fsspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

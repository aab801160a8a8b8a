"""The verbs of decisions as a user types them: what they print, their exit codes, and what they leave as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import BLUE, GREEN, RED, film, painted_settings
from calling import run
from fakes import open_fakes

from archive.index import index_footage


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Red is P0001 or so in three videos, Green in two, Blue in one, beside Red."""
    footage = tmp_path / "footage"
    film(footage / "one.mp4", RED)
    film(footage / "two.mp4", RED, GREEN)
    film(footage / "three.mp4", GREEN)
    film(footage / "four.mp4", BLUE, RED)
    index_footage(
        tmp_path / "a", [footage], painted_settings(), lambda event: None, open_parts=open_fakes, engine="inline"
    )
    monkeypatch.setenv("CVID_ARCHIVE", str(tmp_path / "a"))
    return tmp_path / "a"


def told(*args: Any, code: int = 0) -> dict[str, Any]:
    result = run(*args, "--json")
    assert result.exit_code == code, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["schema_version"] == 1
    return report


def people() -> dict[str, dict[str, Any]]:
    """Identity → what `people` says of it, by the number of its appearances: Red, Green, Blue."""
    return {p["id"]: p for p in sorted(told("people")["identities"], key=lambda p: -p["appearances"])}


def shown(identity: str) -> list[str]:
    return [a["appearance"] for a in told("show", identity)["appearances"]]


def test_a_name_is_seen_everywhere(archive: Path) -> None:
    red = next(iter(people()))
    result = run("name", red.lower(), "Jane [Doe]")
    assert result.exit_code == 0 and f'1: named {red} "Jane [Doe]"' in result.stdout and "undo 1" in result.stdout
    assert people()[red]["name"] == "Jane [Doe]"
    assert (archive / "identities" / f"{red}-jane-doe" / "log.csv").is_file()
    assert not (archive / "identities" / red).exists()
    run("undo")
    assert people()[red]["name"] == "" and (archive / "identities" / red).is_dir()


def test_merge_and_back(archive: Path) -> None:
    _, green, blue = people()
    merged = told("merge", green, blue)
    assert (merged["number"], merged["decision"]) == (1, f"merged {blue} into {green}")
    assert merged["changes"]["merged"] == [{"from": blue, "into": green, "appearances": 1}]
    assert blue not in people() and people()[green]["appearances"] == 3
    assert not (archive / "identities" / blue).exists()
    back = told("undo", 1)
    assert back["decision"] == f"undid decision 1, merged {blue} into {green}"
    assert people()[blue]["appearances"] == 1 and people()[green]["appearances"] == 2
    assert (archive / "identities" / blue / "portrait.jpg").is_file()


def test_two_who_were_seen_together_are_one_only_in_a_mirror(archive: Path) -> None:
    red, green, _ = people()
    refused = run("merge", red, green)
    assert refused.exit_code == 1 and "two.mp4" in refused.stderr and "--mirror" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert people()[green]["appearances"] == 2
    assert run("merge", red, green, "--mirror").exit_code == 0
    assert people()[red]["appearances"] == 5
    assert told("recluster")["moved"]["appearances"] == 0
    assert people()[red]["appearances"] == 5, "sorted anew, the mirror still holds"


def test_split_reject_confirm_and_a_contradiction(archive: Path) -> None:
    red, *_ = people()
    first, second, third = shown(red)
    split = told("split", red, "--appearances", f"{first[:5]},{second}")
    (new,) = set(split["identities"]) - {red}
    assert set(shown(new)) == {first, second} and shown(red) == [third]
    assert run("reject", new, second[:6]).exit_code == 0
    assert shown(new) == [first]
    assert told("confirm", new)["number"] == 3 and people()[new]["status"] == "confirmed"
    refused = run("reject", new, first)
    assert refused.exit_code == 1
    refused = run("merge", new, red)
    assert refused.exit_code == 1 and "decision 1" in refused.stderr and "cvid undo 1" in refused.stderr
    log = told("show", new)["appearances"][0]
    assert (log["identity"], log["certainty"]) == (new, "confirmed")
    assert told("recluster", "--method", "average")["moved"]["appearances"] == 0


def test_history_tells_the_story(archive: Path) -> None:
    red, green, blue = people()
    run("name", red, "Jane")
    run("merge", green, blue)
    run("undo")
    text = run("history").stdout
    for fragment in (
        "run 1: done",
        f'named {red} "Jane"',
        "(undone)",
        "undid decision 2",
        "3 decisions in the journal",
    ):
        assert fragment in text
    story = told("history")
    assert [d["kind"] for d in story["decisions"]] == ["name", "merge", "undo"]
    assert [d["counts"] for d in story["decisions"]] == [True, False, True]
    assert story["journal"] == {"entries": 3, "intact": True}


def test_decisions_are_exchanged(archive: Path, tmp_path: Path) -> None:
    red, green, blue = people()
    run("name", red, "Jane")
    run("merge", green, blue)
    file = tmp_path / "decisions.json"
    assert run("history", "--export", file).exit_code == 0
    assert run("history", "--export", file).exit_code == 1, "it exists"
    other = tmp_path / "b"
    index_footage(
        other, [tmp_path / "footage"], painted_settings(), lambda e: None, open_parts=open_fakes, engine="inline"
    )
    taken = told("history", "--import", file, "--archive", other)
    assert (taken["taken"], taken["known"], taken["waiting"], taken["contradicting"]) == (2, 0, 0, [])
    named = [p for p in told("people", "--archive", other)["identities"] if p["name"] == "Jane"]
    assert [p["appearances"] for p in named] == [3]
    assert told("history", "--import", file, "--archive", other)["known"] == 2
    file.write_text('{"schema_version": 1, "decisions": [{"uid": "x"}]}')
    refused = run("history", "--import", file, "--archive", other)
    assert refused.exit_code == 1 and refused.stderr.count("\n") == 1


def test_a_dry_run_changes_nothing(archive: Path) -> None:
    before = (archive / "catalogue.sqlite").read_bytes(), people()
    said = told("recluster", "--dry-run", "--set", "clustering.bar=0.999999")
    assert said["dry_run"] and set(said) >= {"moved", "merged", "split", "founded", "dissolved"}
    assert run("recluster", "--dry-run").stdout.startswith("nothing would change")
    assert ((archive / "catalogue.sqlite").read_bytes(), people()) == before


def test_what_is_asked_and_answered_is_not_asked_again(archive: Path) -> None:
    asked = told("doubts", "--most", 1000)
    assert asked["total"] == len(asked["doubts"])
    for doubt in asked["doubts"]:
        assert set(doubt) == {
            "kind", "identity", "other", "appearance", "other_appearance", "similarity", "gain"
        }  # fmt: skip
    for identity in people():
        run("confirm", identity)
    assert [d for d in told("doubts")["doubts"] if d["kind"] == "member"] == []


def test_forgetting_is_for_good(archive: Path) -> None:
    _, green, _ = people()
    run("name", green, "Jane Doe")
    assert run("forget", green).exit_code == 2, "nobody can be asked here"
    gone = told("forget", green, "--yes")
    assert (gone["appearances"], gone["found"]) == (2, [])
    assert green not in people() and not list((archive / "identities").glob(f"{green}*"))
    assert run("show", green).exit_code == 1
    assert "forgot" in run("history").stdout and "Jane" not in run("history").stdout
    assert run("undo", "1").exit_code == 1
    files = [path for path in archive.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Jane Doe" in path.read_bytes() or "jane" in str(path)]


@pytest.mark.parametrize(
    ("args", "words", "code"),
    [
        (["name", "P9999", "X"], "has no identity 'P9999'", 1),
        (["name", "P0001", "  "], "cannot be empty", 1),
        (["name", "P0001", "a\x1bb"], "control characters", 1),
        (["merge", "P0001", "p0001"], "cannot be merged with itself", 1),
        (["split", "P0001", "--appearances", "ffffffff"], "no appearance 'ffffffff'", 1),
        (["split", "P0001"], "--appearances", 2),
        (["reject", "P0001"], "APPEARANCE", 2),
        (["undo"], "no decision to undo", 1),
        (["undo", "7"], "there is no decision 7", 1),
        (["history", "--import", "none.json"], "none.json: cannot be read", 1),
        (["history", "--import", "a", "--export", "b"], "exclude each other", 2),
        (["recluster", "--method", "magic"], "choose one of", 1),
        (["forget", "P9999", "--yes"], "has no identity 'P9999'", 1),
    ],
)
def test_what_cannot_be_is_a_sentence_and_changes_nothing(
    args: list[str], words: str, code: int, archive: Path
) -> None:
    before = people()
    result = run(*args)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.output
    assert people() == before and told("history")["decisions"] == []


@pytest.mark.parametrize("verb", ["name P0001 X", "merge P0001 P0002", "confirm P0001", "undo", "recluster", "doubts",
                                  "history", "forget P0001 --yes"])  # fmt: skip
def test_no_verb_makes_an_archive(verb: str, tmp_path: Path) -> None:
    result = run(*verb.split(), "--archive", tmp_path / "none")
    assert result.exit_code == 1 and "there is no archive" in result.stderr
    assert not (tmp_path / "none").exists()

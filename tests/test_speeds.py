"""A first look, and a closer one later: the archive knows how closely each video was seen."""

from __future__ import annotations

from pathlib import Path

from builders import BLUE, GREEN, RED, film, painted_settings, photograph
from fakes import open_fakes

from archive.catalogue import Catalogue
from archive.decisions.carrying_out import decide
from archive.decisions.verbs import name
from archive.index import IndexSummary, index_footage
from cvid.speeds import SPEEDS, at_least


def index(folder: Path, speed: str) -> IndexSummary:
    settings = painted_settings(speed=speed, **SPEEDS[speed])
    footage = [folder / "footage"]
    return index_footage(folder / "archive", footage, settings, lambda event: None, open_parts=open_fakes)


def filmed(folder: Path) -> None:
    for number, colour in enumerate((RED, GREEN, BLUE)):
        film(folder / "footage" / f"{number}.mp4", colour)
    photograph(folder / "footage" / "still.png", RED)


def test_what_was_skimmed_is_looked_at_again_and_what_was_decided_stays(tmp_path: Path) -> None:
    filmed(tmp_path)
    first = index(tmp_path, "skim")
    assert (first.videos["indexed"], first.videos["failed"], first.identities) == (4, 0, 3), "one key frame founds"
    red = max(first.people, key=lambda person: person.appearances).id
    decide(tmp_path / "archive", painted_settings(), lambda catalogue: name(catalogue, red, "Ann"))
    again = index(tmp_path, "skim")
    assert (again.videos["indexed"], again.videos["skipped"]) == (0, 4)
    closer = index(tmp_path, "balanced")
    assert closer.videos["indexed"] == 4 and closer.frames["analysed"] > first.frames["analysed"]
    assert {person.name for person in closer.people} == {"Ann", ""} and closer.identities == 3
    assert next(p.id for p in closer.people if p.name == "Ann") == red
    assert index(tmp_path, "skim").videos["skipped"] == 4, "who was looked at closely is not skimmed"
    with Catalogue.open(tmp_path / "archive") as catalogue:
        assert len(catalogue.indexed("balanced")) == 4 and not catalogue.indexed("thorough")


def test_speeds_are_in_order() -> None:
    assert at_least("skim") == ["skim", "balanced", "thorough"] == list(SPEEDS) and at_least("thorough") == ["thorough"]

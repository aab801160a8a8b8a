"""Settings: where they come from, which wins, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cvid.clustering import CLUSTERERS
from cvid.errors import SettingsError
from cvid.settings import Section, Settings
from cvid.settings_sources import load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings of the machine."""
    import os

    for name in [n for n in os.environ if n.upper().startswith("CVID_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield


def refused(flags: dict[str, Any] | None = None, config: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, flags)
    text = str(caught.value)
    assert "\n" not in text and "pydantic" not in text
    return text


def toml(text: str, name: str = "mine.toml") -> Path:
    Path(name).write_text(text)
    return Path(name)


def test_the_defaults_stand_alone() -> None:
    assert load_settings() == Settings()


def test_file_then_environment_then_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    config = toml("jobs = 2\n[selection]\nmotion = 0.2\nfloor_s = 2\nmin_gap_s = 0.2\n")
    assert (load_settings(config).jobs, load_settings(config).selection.motion) == (2, 0.2)
    monkeypatch.setenv("CVID_JOBS", "3")
    monkeypatch.setenv("CVID_SELECTION__MOTION", "0.3")
    monkeypatch.setenv("CVID_SELECTION__FLOOR_S", "3")
    loaded = load_settings(config, {"jobs": "4", "selection.motion": 0.4})
    selection = loaded.selection
    assert (loaded.jobs, selection.motion, selection.floor_s, selection.min_gap_s) == (4, 0.4, 3.0, 0.2)
    assert selection.flow is True, "what nobody names keeps its default"
    assert type(loaded) is Settings, "picklable, for the workers"


def test_where_the_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    toml("jobs = 5", "cvid.toml")
    assert load_settings().jobs == 5
    toml("jobs = 6", "other.toml")
    monkeypatch.setenv("CVID_CONFIG", "other.toml")
    assert load_settings().jobs == 6
    assert load_settings(toml("jobs = 7")).jobs == 7
    assert load_settings(toml("models = 'light'")).jobs == 0, "one file, not all of them"


def test_text_is_understood_as_in_a_shell() -> None:
    loaded = load_settings(
        flags={"selection.flow": "false", "jobs": "8", "clustering.bar": "0.5", "faces.keep": "all", "models": "light"}
    )
    assert (loaded.selection.flow, loaded.jobs, loaded.clustering.bar) == (False, 8, 0.5)
    assert (loaded.faces.keep, loaded.models) == ("all", "light")


@pytest.mark.parametrize("name", ["jobz", "selection.flw", "selectoin.flow", "", "selection.", "selection.flow.x"])
def test_unknown_names_are_refused(name: str) -> None:
    assert f"'{name.removesuffix('.x')}'" in refused({name: 1}) or "'selectoin'" in refused({name: 1})


def test_unknown_names_in_a_file_are_refused() -> None:
    told = refused(config=toml("[selection]\nflo = true"))
    assert told == "there is no setting 'selection.flo'; did you mean selection.flow?"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("selection.flor_s", "did you mean selection.floor_s?"),
        ("selectoin.flow", "did you mean selection.flow?"),
        ("bar", "did you mean clustering.bar?"),
        ("jobz", "did you mean jobs?"),
        ("faces.zzz", "choose one of: faces.exemplars, faces.apart_s, faces.crops, faces.min_quality, faces.keep"),
        ("zzz", "docs/settings.md lists them"),
    ],
)
def test_an_unknown_name_gets_the_closest_ones(name: str, hint: str) -> None:
    assert refused({name: "1"}) == f"there is no setting '{name}'; {hint}"


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("CVID_SELECTION__FLO", "'selection.flo'"),
        ("CVID_SELECTOIN__FLOW", "'selectoin.flow'"),
        ("CVID_JOBS__X", "jobs"),
    ],
)
def test_unknown_names_in_the_environment_are_refused(
    variable: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    assert told in refused()


def test_other_variables_of_cvid_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CVID_ARCHIVE", "CVID_BENCH_DATA"):
        monkeypatch.setenv(variable, "x")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jobs", "-1"), ("jobs", "many"), ("jobs", 2.5), ("jobs", ""),
        ("selection.motion", -0.1), ("selection.motion", "nan"), ("selection.floor_s", "inf"),
        ("clustering.false_links", float("inf")), ("tracking.max_gap_s", "1e999"),
        ("selection.floor_s", 0), ("selection.flow", "maybe"),
        ("selection.width_px", 8), ("selection.fixed_rate_hz", 1000), ("selection.dark_luma", 256),
        ("tracking.high_score", 1.1), ("tracking.min_likeness", -2), ("tracking.max_gap_s", 0),
        ("faces.exemplars", 0), ("faces.keep", "some"), ("faces.min_quality", 1.5),
        ("clustering.bar", 1), ("clustering.cohesion", 1), ("clustering.found_s", -1), ("clustering.method", "magic"),
        ("selection", "x"), ("models", 5),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused_by_name(name: str, value: Any) -> None:
    text = refused({name: value})
    assert text.startswith(f"setting '{name}': ") and (str(value) in text or "method" in name)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("jobs", "many", "'many' is not allowed; it must be a whole number, at least 0 and at most 512"),
        ("selection.floor_s", "inf", "'inf' is not allowed; it must be a number, above 0"),
        ("clustering.bar", 2, "2 is not allowed; it must be a number, at least 0 and below 1"),
        ("selection.flow", "maybe", "'maybe' is not allowed; it must be true or false"),
        ("faces.keep", "some", "'some' is not allowed; it must be one of: best, exemplars, all"),
        ("models", 5, "5 is not allowed; it must be text"),
        ("faces", "x", "'x' is not allowed; it is a section: set one of its settings, such as faces.exemplars"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(name: str, value: Any, told: str) -> None:
    assert refused({name: value}) == f"setting '{name}': {told}"


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_infinite_numbers_are_refused_wherever_they_come_from(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "'selection.motion'" in refused(config=toml(f"[selection]\nmotion = {value}"))
    monkeypatch.setenv("CVID_SELECTION__MOTION", value)
    assert "'selection.motion'" in refused()


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = refused({"jobs": "x", "selection.motion": "y", "nonsense": 1})
    assert "'jobs'" in text and "'selection.motion'" in text and "'nonsense'" in text


def test_flags_that_contradict_each_other() -> None:
    assert "'selection.flow.x'" in refused({"selection.flow": "true", "selection.flow.x": "1"})
    assert "'selection.flow'" in refused({"selection": "x", "selection.flow": "1"})


def test_an_unknown_method_lists_the_choices() -> None:
    assert refused({"clustering.method": "magic"}).endswith("choose one of: " + ", ".join(CLUSTERERS.names()))


def test_a_wrong_environment_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVID_SELECTION", "words")
    assert "environment" in refused() and "toml" not in refused()


@pytest.mark.parametrize("data", [b"jobs = ", b"\xff\xfe", b"[selection\n", b"jobs = 1\njobs = 2"])
def test_what_is_no_toml_is_named(data: bytes) -> None:
    Path("broken.toml").write_bytes(data)
    assert refused(config=Path("broken.toml")).startswith("broken.toml: not a readable TOML file")


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nowhere.toml: there is no such settings file" in refused(config=Path("nowhere.toml"))
    refused(config=Path("x" * 5000))
    assert "is a folder" in refused(config=Path("/"))
    monkeypatch.setenv("CVID_CONFIG", ".")
    assert "is a folder" in refused()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().jobs = 4
    with pytest.raises(ValidationError):
        Settings().selection.flow = False


def test_every_setting_says_what_it_is() -> None:
    sections = [Settings, *(type(f.default) for f in Settings.model_fields.values() if isinstance(f.default, Section))]
    fields = {
        f"{section.__name__}.{name}": field
        for section in sections
        for name, field in section.model_fields.items()
        if not isinstance(field.default, Section)
    }
    assert len(fields) > 25 and [name for name, field in fields.items() if not field.description] == []


def test_settings_survive_the_catalogue() -> None:
    """They are stored with each run as JSON."""
    changed = load_settings(flags={"selection.motion": 0.1, "faces.keep": "all"})
    assert Settings.model_validate_json(changed.model_dump_json()) == changed

"""The documents say what the code does.

`python -m tests.test_docs` from the repository's root writes docs/settings.md anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cvid.settings import Section, Settings
from reports.cli.app import VERBS

ROOT = Path(__file__).resolve().parent.parent
SETTINGS_PAGE = ROOT / "docs" / "settings.md"


def settings_page() -> str:
    """Every setting with its default and the reason for it, as Markdown."""
    lines = [
        "# Settings",
        "",
        "TOML file (`--config`, `CVID_CONFIG`, or `cvid.toml` in the working directory) < environment",
        "(`CVID_SELECTION__FLOOR_S=0.5`) < flags (`--set selection.floor_s=0.5`). Stored with every run.",
        "",
        "| setting | default | what, and why this default |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Section):
            rows = [(f"{name}.{inner}", f) for inner, f in type(field.default).model_fields.items()]
        else:
            rows = [(name, field)]
        for dotted, row in rows:
            default = str(row.default).lower() if isinstance(row.default, bool) else row.default
            lines.append(f"| `{dotted}` | `{default}` | {row.description} |")
    return "\n".join(lines) + "\n"


def test_the_settings_page_is_what_the_code_says() -> None:
    assert SETTINGS_PAGE.read_text(encoding="utf-8") == settings_page()


def test_every_setting_says_why() -> None:
    for name, field in Settings.model_fields.items():
        for inner, f in (type(field.default).model_fields if isinstance(field.default, Section) else {}).items():
            assert f.description and f.description.count(". ") + f.description.count(", because") >= 1, (
                f"{name}.{inner}"
            )


@pytest.mark.parametrize("page", ["README.md", "docs/ARCHITECTURE.md"])
def test_the_documents_know_every_verb(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [verb for verb in VERBS if not re.search(rf"\b{verb}\b", text)] == []


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    said = set(re.findall(r"^ {4}(?:\S*python )?main\.py ([a-z]+)", text, re.MULTILINE))
    assert said and said <= set(VERBS)


def test_the_files_of_the_readme_tree_exist() -> None:
    """Each file that the tree names is in the room it stands under."""
    missing, room = [], ROOT
    for line in (ROOT / "README.md").read_text(encoding="utf-8").split("## The code")[1].splitlines():
        found = re.match(r"^ {4}( *)((?:[\w/]+(?:\.py|/) ?)+) ", line + " ")
        if not found:
            continue
        for name in found[2].split():
            if not found[1]:
                room = ROOT / name if name.endswith("/") else ROOT
                missing += [] if (ROOT / name).exists() else [name]
            elif not (room / name).exists():
                missing.append(f"{room.name}/{name}")
    assert missing == []


def test_every_invariant_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = text.split("## Invariants")[1].split("## ")[0]
    invariants = re.split(r"^\d+\. ", listed, flags=re.MULTILINE)[1:]
    written = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py"))
    assert len(invariants) == 10
    for invariant in invariants:
        named = re.findall(r"`(test_\w+)`", invariant)
        assert named and all(f"def {name}(" in written for name in named), invariant


if __name__ == "__main__":
    SETTINGS_PAGE.write_text(settings_page(), encoding="utf-8")

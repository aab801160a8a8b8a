"""The documents say what the code does.

`python -m tests.test_docs` from the repository's root writes docs/settings.md and docs/models.md anew.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from cvid.models.figures import FIGURES, Figure
from cvid.models.listing import sets_with
from cvid.models.sets import SETS
from cvid.models.table import FAMILIES, MODELS, Model
from cvid.settings import Section, Settings
from reports.cli.app import VERBS
from reports.wording import size

ROOT = Path(__file__).resolve().parent.parent
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
MODELS_PAGE = ROOT / "docs" / "models.md"


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


def models_page() -> str:
    """Every model with its licence, its source and what was measured of it, as Markdown."""
    measured, unmeasured = ([m.name for m in MODELS.values() if m.measured is how] for how in (True, False))
    lines = [
        "# Models",
        "",
        *_wrapped(
            "`cvid models` shows this table with what is on your machine, `cvid models download NAME` fetches a set, "
            "a family or a model. Nothing is downloaded unasked. What each model gets to see is in "
            "`cvid/models/table.py`."
        ),
        "| model | kind | licence | commercial use | size | where from | sets | measured here | LFW TAR | ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_model_row(model) for model in MODELS.values()),
        "",
        *_wrapped(
            "LFW TAR: the share of pairs of one person that an embedder accepts where it accepts one pair of "
            "strangers in 1,000. ms: on one core, of an embedder a face, of a detector a frame. A dash: not measured. "
            "docs/LOG.md has how."
        ),
        "## Measured or not",
        "",
        *_wrapped(f"Measured here with the true weights: {_named(measured)}."),
        *_wrapped(
            f"Not measured: {_named(unmeasured)}. Their weights could not be had where cvid was developed, so how "
            "good they are is not known here: measure them on pictures of your own with `cvid evaluate --stills` "
            "before relying on them. The face models among them and `retinaface_r50` run in the tests on small "
            "stand-in graphs of the same signature, which pin size, alignment, colour order and normalisation of what "
            "they are shown; `scrfd_10g` shares its code with the smaller ones."
        ),
        "## Files",
        "",
        *_wrapped(
            "Weights are looked for in `--model-dir`, `CVID_MODEL_DIR`, `~/.cache/cvid/models`, and where insightface "
            "and deepface keep theirs. Downloads go into `--model-dir` if it is named, else into "
            "`~/.cache/cvid/models`. A file with a known sha256 is compared with it whenever it is loaded. Where "
            "upstream publishes none, the download keeps its hash in `FILE.sha256`, and the file is compared with "
            "that from then on; what you put there yourself is taken as it is. Of models without an address, the "
            "table names the source: put the file into one of these folders."
        ),
        *_wrapped(
            "The licence of weights that exclude commercial use must be accepted once, at the download; what you put "
            "into a folder yourself is not asked about. When it was accepted stands in "
            "`~/.config/cvid/licences.json`."
        ),
        "## Sets and families",
        "",
        "| set | detectors | embedders |",
        "|---|---|---|",
        *(f"| `{name}` | {', '.join(s.detectors)} | {', '.join(s.embedders)} |" for name, s in SETS.items()),
        "",
        "| family | models; the name stands for the first that is here, in a download for the first |",
        "|---|---|",
        *(f"| `{name}` | {', '.join(members)} |" for name, members in FAMILIES.items()),
    ]
    return "\n".join(lines) + "\n"


def _wrapped(paragraph: str) -> list[str]:
    return [*textwrap.wrap(paragraph, 116, break_on_hyphens=False, break_long_words=False), ""]


def _model_row(model: Model) -> str:
    weights, figure = model.weights, FIGURES.get(model.name, Figure())
    if weights is None:
        held, source = "in the package", f"{model.source} `{model.package}`"
    else:
        held = size(weights.size) if weights.size else "not known"
        link = f"[{weights.url.rpartition('/')[2]}]({weights.url})" if weights.url else f"{weights.file}, by hand"
        if model.instead:
            link += f", or {model.instead.file} out of [{model.instead.url.rpartition('/')[2]}]({model.instead.url})"
        source = f"{model.source}: {link}" + (f"; needs the package `{model.package}`" if model.package else "")
    cells = [
        f"`{model.name}`",
        model.kind,
        model.licence,
        "yes" if model.commercial else "no",
        held,
        source,
        ", ".join(sets_with(model.name)) or "–",
        "yes" if model.measured else "no",
        "–" if figure.tar is None else f"{figure.tar:.3f}",
        "–" if figure.ms is None else f"{figure.ms:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_the_models_page_is_what_the_code_says() -> None:
    assert MODELS_PAGE.read_text(encoding="utf-8") == models_page()
    assert set(FIGURES) <= {name for name, model in MODELS.items() if model.measured}


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
    MODELS_PAGE.write_text(models_page(), encoding="utf-8")

"""Where the benchmarks find their footage, stills and weights: the folder that $CVID_BENCH_DATA names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

KINDS = {
    "composed": ["composed-11", "composed-12", "composed-13"],
    "lookalikes": ["lookalikes-21", "lookalikes-22", "lookalikes-23"],
    "room": ["room-41"],
    "real": ["real"],
    "once": ["once-42"],
}
"""Kind → its sets; a kind is quoted by the mean and the minimum over its sets."""


def data_folder() -> Path:
    """The folder with `footage/`, `stills/` and `models/`; ends the program where it is not named."""
    named = os.environ.get("CVID_BENCH_DATA", "")
    folder = Path(named)
    if not named or not (folder / "footage").is_dir():
        sys.exit("CVID_BENCH_DATA must name a folder that holds footage/, stills/ and models/")
    os.environ.setdefault("CVID_MODEL_DIR", str(folder / "models"))
    return folder.resolve()


def videos_of(footage: Path) -> list[Path]:
    """The videos of one set, without the photographs that lie beside them."""
    return sorted(footage.glob("*.mp4"))

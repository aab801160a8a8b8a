"""Where cvid keeps what belongs to a user and to no archive: configuration, and downloaded weights."""

from __future__ import annotations

import os
from pathlib import Path


def config_file(name: str) -> Path:
    """A file of the user's own configuration, such as ~/.config/cvid/NAME; in the working folder without a home."""
    try:
        return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "cvid" / name
    except RuntimeError:  # a container's user may have no home
        return Path(f"cvid-{name}")


def cache_folder() -> Path:
    """Where downloaded weights go, such as ~/.cache/cvid/models."""
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "cvid" / "models"


def expanded(folder: str) -> Path:
    """With `~` replaced by the home folder, where there is one."""
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        return Path(folder)

"""Keeps a user's own calibration of a combination of models."""

from __future__ import annotations

from pathlib import Path

from cvid.calibration import Calibration, own_file_with
from cvid.errors import ModelError


def keep_calibration(models: str, calibration: Calibration) -> Path:
    """Add a calibration to the user's own, or replace the one of the same models; the file it went into.

    Args:
        models: names joined by "+".

    Raises:
        ModelError: the file cannot be read or written.
    """
    path, content = own_file_with(models, calibration)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        beside.write_text(content, encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        raise ModelError(f"{path}: the calibration cannot be kept ({exc.strerror or exc})") from exc
    return path

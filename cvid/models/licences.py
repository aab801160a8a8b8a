"""Which licences of weights a user has accepted: asked once each, kept in the user's own configuration."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cvid.errors import ModelError
from cvid.homes import config_file


def accepted(licence: str) -> bool:
    """Has this licence been accepted?

    Raises:
        ModelError: the file that would say so cannot be read.
    """
    return licence in _accepted()


def accept(licence: str) -> None:
    """Keep that this licence has been accepted, and when. A second time changes nothing.

    Raises:
        ModelError: that cannot be kept.
    """
    known = _accepted()
    if licence in known:
        return
    path = licences_file()
    content = known | {licence: datetime.now(UTC).isoformat(timespec="seconds")}
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps({"accepted": content}, indent=1, ensure_ascii=False) + "\n")
        beside.replace(path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ModelError(
            f"{path}: the acceptance of a licence cannot be kept ({exc.strerror}); check the folder's rights, or name "
            "another one in XDG_CONFIG_HOME"
        ) from exc


def licences_file() -> Path:
    """Where acceptances are kept: licence → time (UTC)."""
    return config_file("licences.json")


def _accepted() -> dict[str, str]:
    path = licences_file()
    try:
        content = json.loads(path.read_bytes())["accepted"]
        return {str(licence): str(time) for licence, time in content.items()}
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check its rights") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelError(f"{path}: not a list of accepted licences; remove it and accept them anew") from exc

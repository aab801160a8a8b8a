"""Every error that cvid raises on purpose.

    CvidError
    ├── VideoError          one file cannot be read or decoded; the others go on
    ├── ModelError          a weights file is missing, damaged or of another signature
    ├── MissingDependency   a Python package or a system library is absent
    ├── UnknownBackend      a name that no registry knows
    ├── LabelsError         labelled pictures, pairs or groups to measure by are not what they should be
    ├── SettingsError       a setting is unknown or out of range
    ├── CatalogueError      the archive cannot be opened, is locked, or belongs to other models
    ├── DecisionError       what a human decides cannot be done, or contradicts what was decided before
    └── UnknownName         an identity or an appearance that the catalogue does not hold

A message says what happened, to which file, and what to do next.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cvid.places import Address


class CvidError(Exception):
    """Base of all errors that are told to the user as one sentence."""


class VideoError(CvidError):
    """A video or picture cannot be read; `reason` stands alone, without the path."""

    def __init__(self, path: str | Path | Address, reason: str) -> None:
        super().__init__(path, reason)
        self.path = str(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ModelError(CvidError):
    """A model's weights are missing, damaged or do not have the expected signature."""


class MissingDependency(CvidError):
    """A package or system library is absent; the message names the line that installs it."""


class UnknownBackend(CvidError):
    """A detector, embedder, clusterer or model set of that name does not exist."""

    def __init__(self, kind: str, name: str, choices: list[str]) -> None:
        super().__init__(kind, name, choices)
        self.kind, self.name, self.choices = kind, name, choices

    def __str__(self) -> str:
        return f"there is no {self.kind} named '{self.name}'; choose one of: {', '.join(self.choices)}"


class LabelsError(CvidError):
    """A folder of labelled pictures, a file of pairs or one of groups cannot be used to measure by."""


class SettingsError(CvidError):
    """A setting is unknown, of the wrong type or out of range."""


class CatalogueError(CvidError):
    """The archive cannot be opened, is in use, or was made with other models or a newer cvid."""


class DecisionError(CvidError):
    """A decision is impossible, or contradicts an earlier one; nothing was changed."""


class UnknownName(CvidError):
    """An identity or appearance id that the catalogue does not hold."""

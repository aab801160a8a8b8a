"""A lazy registry: a name stands for "module:Class", imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cvid.errors import MissingDependency, UnknownBackend


class Registry:
    """Names of one kind of backend, and where each one's class lives.

    Args:
        kind: what the names are, for messages ("detector").
        entries: name → "package.module:Class".
        extras: name → pip line to install what the class imports, where it is optional.
    """

    def __init__(self, kind: str, entries: dict[str, str], extras: dict[str, str] | None = None) -> None:
        self.kind = kind
        self._entries = entries
        self._extras = extras or {}

    def names(self) -> list[str]:
        """All names, in the order they were declared."""
        return list(self._entries)

    def load(self, name: str) -> Any:
        """The class behind `name`.

        Raises:
            UnknownBackend: no such name; the message lists the choices.
            MissingDependency: a package that the class needs is not installed.
        """
        if name not in self._entries:
            raise UnknownBackend(self.kind, name, self.names())
        module, _, attribute = self._entries[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as exc:
            line = self._extras.get(name, f"pip install {exc.name}")
            raise MissingDependency(f"the {self.kind} '{name}' needs the package '{exc.name}': {line}") from exc

    def create(self, backend: str, /, **parts: Any) -> Any:
        """Make the backend of that name from its parts."""
        return self.load(backend)(**parts)

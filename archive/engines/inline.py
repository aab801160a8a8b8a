"""The engine that works in this process, one video after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive.engines import Job, Message, OpenParts
from archive.engines.tasks import Assembly, do, opened
from cvid.settings import Settings


class InlineEngine:
    """For a debugger and for tests: an error of the program ends the run where it happens."""

    def __init__(self, open_parts: OpenParts, settings: Settings) -> None:
        self._open_parts, self._settings = open_parts, settings

    def run(self, jobs: Sequence[Job], receive: Callable[[Message], None]) -> None:
        """Do all jobs, in order."""
        if not jobs:
            return
        parts = self._open_parts()
        receive(opened(parts))
        assembly = Assembly(jobs, self._settings, receive)
        while task := assembly.next():
            assembly.took(do(task, parts, self._settings, assembly.took))

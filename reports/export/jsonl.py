"""JSON lines: one object an appearance, with the fields of the csv."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from archive.records import ENCODING, Appearance, as_fields, json_line

SCHEMA_VERSION = 1


class JsonLinesFormat:
    """The columns of `archive.records.COLUMNS` as keys, after `schema_version`."""

    def write(self, appearances: Iterable[Appearance], stream: IO[bytes]) -> int:
        """Write all appearances; returns how many there were."""
        number = 0
        for appearance in appearances:
            fields = {"schema_version": SCHEMA_VERSION, **as_fields(appearance)}
            stream.write(json_line(fields).encode(ENCODING) + b"\n")
            number += 1
        return number

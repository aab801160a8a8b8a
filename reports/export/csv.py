"""Comma-separated values, UTF-8: a header, then a line an appearance. Values are exact, `=1+1` too."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import TextIOWrapper
from typing import IO

from archive.records import COLUMNS, ENCODING, Appearance, as_row


class CsvFormat:
    """The columns of `archive.records.COLUMNS`."""

    def write(self, appearances: Iterable[Appearance], stream: IO[bytes]) -> int:
        """Write all appearances; returns how many there were."""
        text = TextIOWrapper(stream, encoding=ENCODING, newline="", write_through=False)
        try:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(COLUMNS)
            number = 0
            for appearance in appearances:
                writer.writerow(as_row(appearance))
                number += 1
            text.flush()
        finally:
            text.detach()  # the stream is the caller's to close
        return number

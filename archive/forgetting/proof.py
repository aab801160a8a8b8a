"""Look for what was erased, byte by byte, in every file of an archive."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from archive.names import as_text, slug
from archive.schema import crops, pictures, vectors

_LENGTH = 32
"""Of a sample, bytes. One that lies across two pages of the catalogue is not found, so there are several a blob."""
_AT = (0.35, 0.65, 0.9)
_FEWEST_DISTINCT = 12
"""A sample of fewer different bytes could be anything: grey, zeros, a table that all JPEG files have."""
_SHORTEST_NAME = 6
"""Bytes; shorter names are looked for only as cvid writes them, for chance writes them too."""
_BLOCK = 1 << 22
_AT_ONCE = 500


def samples(connection: Connection, track_ids: Collection[str]) -> dict[bytes, str]:
    """Pieces of all that is kept of some appearances → what they are pieces of."""
    found: dict[bytes, str] = {}
    ordered = sorted(track_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        for column, what in (
            (vectors.c.template, "a vector"),
            (vectors.c.exemplars, "a vector"),
            (crops.c.jpeg, "a face"),
            (pictures.c.jpeg, "a picture"),
        ):
            query = select(column).where(column.table.c.track_id.in_(some))
            for blob in connection.execute(query).scalars():
                found |= dict.fromkeys(_pieces(blob), what)
    return found


def own_alone(connection: Connection, traces: Mapping[bytes, str]) -> dict[bytes, str]:
    """Those traces that nobody's pictures hold who is still there: two JPEG files may share a piece of plain wall."""
    if not traces:
        return {}
    table, starts = _tables(traces)
    shared: set[bytes] = set()
    for column in (pictures.c.jpeg, crops.c.jpeg, vectors.c.exemplars):
        for blob in connection.execute(select(column), execution_options={"yield_per": _AT_ONCE}).scalars():
            shared |= _in_data(blob, table, starts)
    return {trace: what for trace, what in traces.items() if trace not in shared}


def traces_of_name(identity: str, name: str) -> dict[bytes, str]:
    """How the name of an identity stands in files."""
    plain = name.encode()
    if len(plain) >= _SHORTEST_NAME:
        return {plain: "the name"}
    # In JSON, in csv, and in the catalogue, whose rows have no separators.
    return {text.encode(): "the name" for text in (f'"{name}"', f",{name},", f"{identity}{name}")}


def search(folder: Path, traces: Mapping[bytes, str], names: Collection[str]) -> tuple[int, list[str]]:
    """Look into all files below a folder.

    Args:
        traces: bytes to look for → what they are.
        names: of the person, as folders are called by them.

    Returns:
        How many files were looked into, and where something was found, as `path: what`.
    """
    checked, found = 0, []
    slugs = {slug(name.lower(), "") for name in names} - {""}
    for path in _files(folder):
        shown = as_text(path.relative_to(folder).as_posix())
        what = {"the name, in its path"} if _is_called(path.relative_to(folder), slugs) else set()
        try:
            what |= _in_file(path, traces)
        except OSError as exc:
            what.add(f"cannot be looked into ({exc.strerror or exc})")
        checked += 1
        found += [f"{shown}: {one}" for one in sorted(what)]
    return checked, found


def _pieces(blob: bytes) -> Iterator[bytes]:
    for at in _AT:
        start = int(at * (len(blob) - _LENGTH))
        piece = blob[start : start + _LENGTH] if start >= 0 else b""
        if len(set(piece)) >= _FEWEST_DISTINCT and len(set(piece[:3])) == 3:
            yield piece


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if not (path := Path(at, name)).is_symlink() and path.is_file())


def _is_called(path: Path, slugs: Collection[str]) -> bool:
    """Is a folder or file on the way called by the name?"""
    parts = {slug(part.lower(), "") for part in path.parts}
    return any(part == own or part.endswith(f"-{own}") for part in parts for own in slugs)


def _in_file(path: Path, traces: Mapping[bytes, str]) -> set[str]:
    """What of the traces a file holds."""
    if not traces:
        return set()
    longest = max(map(len, traces))
    table, starts = _tables(traces)
    found: set[str] = set()
    rest = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            data = rest + block
            found |= {traces[trace] for trace in _in_data(data, table, starts)}
            rest = data[-longest + 1 :]
    return found


def _tables(traces: Collection[bytes]) -> tuple[NDArray[np.bool_], dict[bytes, list[bytes]]]:
    """Which values the first three bytes of traces have, as a mask over all values; and first three bytes → traces."""
    starts: dict[bytes, list[bytes]] = {}
    for trace in traces:
        starts.setdefault(trace[:3], []).append(trace)
    table = np.zeros(1 << 24, np.bool_)
    table[[int.from_bytes(start, "little") for start in starts]] = True
    return table, starts


def _in_data(data: bytes, table: NDArray[np.bool_], starts: Mapping[bytes, list[bytes]]) -> set[bytes]:
    """The traces that some bytes hold; thousands at once, for one by one they would take hours in a large archive."""
    values = np.frombuffer(data, np.uint8)
    if len(values) < 3:
        return set()
    words = values[:-2].astype(np.uint32)
    words |= values[1:-1].astype(np.uint32) << 8
    words |= values[2:].astype(np.uint32) << 16
    found = set()
    for at in np.flatnonzero(table[words]).tolist():
        found |= {trace for trace in starts[data[at : at + 3]] if data.startswith(trace, at)}
    return found

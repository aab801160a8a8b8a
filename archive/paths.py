"""Paths of footage as text, for there may be millions of them: absolute ones of this machine, and addresses alike."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cvid.places import is_address


def relative_to(path: str, root: str) -> str:
    """A path below a root, with "/"; "." for the root itself."""
    if is_address(root):
        return path[len(root) + (not root.endswith("/")) :].rstrip("/") or "."
    relative = os.path.relpath(path, root)
    return relative.replace(os.sep, "/") if os.sep != "/" else relative


def inside(path: str, folder: str) -> bool:
    """Does it lie in a folder, or is it the folder?"""
    separator = _separator(folder)
    return path == folder or path.startswith(folder.rstrip(separator) + separator)


def above(path: str) -> Iterator[str]:
    """The folders that it lies in, from the inmost."""
    separator = _separator(path)
    while separator in path:
        path = path.rpartition(separator)[0]
        yield path


def can_be_kept(path: str) -> bool:
    """Can the catalogue hold it? Storages may tell of names that are no text."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def without_surrogates(path: str) -> str:
    """The same as text, with question marks for what is none."""
    return path.encode("utf-8", "replace").decode()


def _separator(path: str) -> str:
    return "/" if is_address(path) else os.sep

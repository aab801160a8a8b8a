"""Where footage lies: at a path of this machine, or at an address such as s3://bucket/2014 or sftp://host/footage.

An `Address` offers what the code uses of a `pathlib.Path`. Its text is what the catalogue, logs and messages hold, so
that no password is ever part of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from cvid.errors import VideoError
from cvid.ranges import Blocks, RangeFile
from cvid.storage import WEB, patiently

_BEGINS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LOCAL = ("file", "local")
_HOSTLESS = ("memory",)
_TIMES = ("LastModified", "last_modified", "mtime", "last_write_time", "created")
_MARKS = ("ETag", "etag", "md5Hash", "generation", "ino", "Content-MD5", "Last-Modified", "modify", "updated")
"""What storages tell of a file beside its size: when it was written, and what else changes with its content."""
_SETTINGS = "put it into fsspec's own settings (~/.config/fsspec or variables such as FSSPEC_SFTP_PASSWORD) instead"


@dataclass(frozen=True)
class Told:
    """What a storage says of a file, by the names that `os.stat_result` has for it; 0 where it says nothing.

    Times are whole seconds, for some tell more of it when asked for one file than in a listing. `st_ino` stands for
    all else that changes with the content. A size of −1 is not known.
    """

    st_size: int
    st_mtime_ns: int
    st_ino: int


@dataclass(frozen=True)
class Entry:
    """Something in a folder at an address; of what is neither file nor folder nothing is told."""

    address: Address
    is_folder: bool
    told: Told | None  # None where the listing does not say it


@dataclass(frozen=True)
class Address:
    """A file or folder that fsspec can reach; `place_of` makes it out of what a user wrote.

    Methods raise `VideoError` where the storage refuses or has dropped, and `MissingDependency` where the package for
    it is not installed. What was read lately is kept until `stat` asks anew.
    """

    text: str
    _blocks: Blocks = field(default_factory=Blocks, compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[Address], tuple[str]]:
        return Address, (self.text,)

    @property
    def name(self) -> str:
        """The last part of it."""
        return self.text.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> Address:
        """The folder it lies in."""
        scheme, _, rest = self.text.partition("://")
        return Address(f"{scheme}://{rest.rstrip('/').rpartition('/')[0]}" + ("/" if self._is_web() else ""))

    @property
    def suffix(self) -> str:
        """What its name ends in, such as .mp4, or nothing."""
        return PurePosixPath(self.name).suffix

    def open(self, mode: str = "rb", buffering: int = 0) -> RangeFile:
        """For reading, by range; `mode` and `buffering` are those of `Path.open`, of which there is one kind here."""
        return RangeFile(self.text, self._blocks)

    def stat(self) -> Told:
        """Size and times, asked for anew.

        Raises:
            FileNotFoundError: nothing lies there.
        """
        self._blocks.forget()
        return _told(patiently(self.text, _info))

    def exists(self) -> bool:
        """Does anything lie there? Where the storage cannot be asked, it may."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        except VideoError:
            return True
        return True

    def is_folder(self) -> bool:
        """Is it one, and no file? On the web, what ends in "/" is.

        Raises:
            VideoError: also where nothing lies there.
        """
        try:
            if not self._is_web():
                return bool(patiently(self.text, _info)["type"] == "directory")
            is_folder = self.text.endswith("/")
            _ = self.entries() if is_folder else self.stat()
        except FileNotFoundError as exc:
            raise VideoError(self.text, "there is no such file or folder") from exc
        return is_folder

    def entries(self) -> list[Entry]:
        """What lies in this folder, by name, without hidden files and whatever claims to lie elsewhere.

        Raises:
            FileNotFoundError: nothing lies there.
        """
        found = {}
        for name, is_folder, info in patiently(self.text, _listed):
            if name and not name.startswith(".") and "/" not in name:
                address = Address(below(self.text, name) + ("/" if is_folder and self._is_web() else ""))
                found[name] = Entry(address, is_folder, None if info["size"] is None else _told(info))
        return [found[name] for name in sorted(found, key=lambda name: name.encode("utf-8", "surrogatepass"))]

    def _is_web(self) -> bool:
        return self.text.partition("://")[0] in WEB


Place = Path | Address


def is_address(text: str) -> bool:
    """Does this look like an address, and not like a path?"""
    return _BEGINS.match(text) is not None


def place_of(text: str) -> Place:
    """The place that a user named: a path where something of that name lies, else an address if it looks like one.

    Raises:
        VideoError: the address holds a password, or is none that a file can have.
    """
    if os.path.lexists(text) or not is_address(text):
        return Path(text)
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme in _LOCAL:
        return Path(rest)
    authority, _, inner = rest.partition("/")
    _refuse_secrets(scheme, authority, inner)
    if not authority and scheme not in _HOSTLESS:
        raise VideoError(text, "it names no host and no bucket")
    if {".", ".."} & set(inner.split("/")):
        raise VideoError(text, "an address has no '.' or '..' in it; name the folder itself")
    if scheme in WEB:
        return Address(f"{scheme}://{authority}/{_unquoted(inner)}")
    return Address(f"{scheme}://{rest.rstrip('/')}")


def joined(root: str, path: str) -> Place:
    """The place of a path below a root of the catalogue."""
    if not is_address(root):
        return Path(root, path)
    return Address(root if path in ("", ".") else below(root, path))


def below(folder: str, path: str) -> str:
    """The text of what lies at a path in a folder at an address."""
    return f"{folder}{path}" if folder.endswith("/") else f"{folder}/{path}"


def _refuse_secrets(scheme: str, authority: str, inner: str) -> None:
    """Stop before a password gets into a catalogue or a log; none is repeated in the message.

    Raises:
        VideoError: with what to do instead.
    """
    user, at, host = authority.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]
    if ":" in user or (at and scheme in WEB) or (port and not port.isdecimal()):
        shown = f"{scheme}://…@{host}" if at else f"{scheme}://{host.partition(':')[0]}:…"
        raise VideoError(shown, f"a password in an address would be kept in the catalogue and in logs; {_SETTINGS}")
    if scheme in WEB and "?" in inner:
        shown = f"{scheme}://{authority}/{inner.partition('?')[0]}?…"
        raise VideoError(shown, f"what follows '?' may be a key, and would be kept in the catalogue; {_SETTINGS}")


def _info(files: Any, path: str) -> Mapping[str, Any]:
    files.invalidate_cache()
    info: Mapping[str, Any] = files.info(path)
    return info


def _listed(files: Any, path: str) -> Sequence[tuple[str, bool, Mapping[str, Any]]]:
    """(name, is it a folder, what is told of it) of what lies directly in a folder; linked folders are left out."""
    files.invalidate_cache()
    found = []
    for listed in files.ls(path, detail=True):
        where, _, name = listed["name"].rstrip("/").rpartition("/")
        if path.partition("://")[0] in WEB:
            name = "" if "?" in name or "#" in name else _unquoted(name)  # those are links to views of the same list
        info = _pointed_to(files, listed) if listed["type"] == "link" else listed
        if where.lstrip("/") == path.strip("/") and info["type"] in ("file", "directory"):
            found.append((name, info["type"] == "directory", info))
    files.invalidate_cache()
    return found


def _unquoted(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def _pointed_to(files: Any, link: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        info: Mapping[str, Any] = files.info(link["name"])
    except FileNotFoundError:
        return {**link, "type": "file", "size": None}
    return link if info["type"] == "directory" else info


def _told(info: Mapping[str, Any]) -> Told:
    time = next((info[key] for key in _TIMES if isinstance(info.get(key), datetime | int | float)), 0)
    seconds = time.timestamp() if isinstance(time, datetime) else time
    marks = [f"{key}={str(info[key]).removeprefix('W/').strip(chr(34))}" for key in _MARKS if info.get(key)]
    digest = hashlib.sha256("\n".join(marks).encode("utf-8", "replace")).digest()
    size = info["size"]
    return Told(
        -1 if size is None else int(size),
        int(seconds) * 10**9,
        int.from_bytes(digest[:8], "big") >> 1 if marks else 0,
    )

"""Fetch one file over https: goes on where it was cut, tries again, and says in a sentence what went wrong.

What has come so far lies in `NAME.STAMP.part`. The stamp is made of the address, the server's ETag (else its date) and
the length: a file that has changed upstream is begun anew instead of being patched together.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from glob import escape
from http.client import HTTPException, HTTPMessage, HTTPResponse
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

import cvid
from cvid.errors import ModelError

Hook = Callable[[str, int, int], None]
"""Takes a file's name, how many bytes have come, and how many there are (0 while unknown)."""

_CHUNK = 1 << 18
_WORTHWHILE = 1 << 20  # bytes after which the attempts are counted anew
_LONGEST_PAUSE_S = 60.0
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ENETDOWN}


@dataclass(frozen=True)
class Patience:
    """How long a silent or failing server is borne."""

    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0  # before the second attempt; twice as long before each further one


@dataclass(frozen=True)
class Transfer:
    """One file to fetch.

    Args:
        url: https; http only to this machine itself.
        folder: where the part lies.
        remedy: what to do when it cannot be had; the end of every message.
        size: the file's size; 0 where it is not known.
        room: bytes that are needed on the disk besides.
    """

    url: str
    folder: Path
    remedy: str
    size: int = 0
    room: int = 0
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        """The file's name."""
        return urlsplit(self.url).path.rpartition("/")[2]

    def run(self, hook: Hook) -> tuple[Path, bool]:
        """Fetch it: the complete part, and whether some of it came in an earlier run.

        Raises:
            ModelError: it cannot be had or written. What has come is kept for the next run.
        """
        if not _is_safe(self.url):
            raise self._error("its address is not https")
        opener = build_opener(_SafeRedirects)
        earlier, failed, met = bool(self._parts()), 0, False
        while True:
            had = self._had()
            try:
                part, whole = self._attempt(opener, hook)
                return part, earlier and not whole
            except _Broken as exc:
                met = met or exc.met
                failed = 0 if self._had() - had >= _WORTHWHILE else failed + 1
                if (exc.hopeless and not met) or failed >= self.patience.attempts:
                    raise self._error(f"{exc}{self._kept()}") from exc
                time.sleep(min(max(self.patience.pause_s * 2 ** max(failed - 1, 0), exc.pause_s), _LONGEST_PAUSE_S))

    def _attempt(self, opener: OpenerDirector, hook: Hook) -> tuple[Path, bool]:
        """The complete part, and whether all of it came in this attempt."""
        part = next(iter(self._parts()), None)
        begun = part.stat().st_size if part else 0
        headers = {"User-Agent": f"cvid/{cvid.__version__}", "Accept-Encoding": "identity"}
        if begun:
            headers["Range"] = f"bytes={begun}-"
        try:
            response = opener.open(Request(self.url, headers=headers), timeout=self.patience.timeout_s)
        except HTTPError as exc:
            with exc:
                if exc.code == 416 and part:
                    if _total(exc.headers) == begun:
                        return part, False
                    self._remove(part)
                    return self._attempt(opener, hook)
                raise self._refused(exc) from exc
        except (OSError, HTTPException) as exc:
            raise _broken(exc, self.url) from exc
        with response:
            if response.status == 206 and part:
                if _first_byte(response.headers) == begun and part == self._part(response.headers):
                    self._receive(response, part, begun, hook)
                    return part, False
                self._remove(part)  # it has changed upstream
                response.close()
                return self._attempt(opener, hook)
            if response.status != 200:
                raise self._error(f"the server answered {response.status} {response.reason}")
            fresh = self._part(response.headers)
            for old in self._parts():
                self._remove(old)
            self._receive(response, fresh, 0, hook)
            return fresh, True

    def _receive(self, response: HTTPResponse, part: Path, done: int, hook: Hook) -> None:
        """Append what comes to the part."""
        total = _total(response.headers)
        chunk = self._read(response)
        if _is_page(response.headers, chunk if not done else b""):
            raise self._error("a web page came in its place, as from a proxy or a login page")
        if self.size and total and total != self.size:
            raise self._error(f"the server offers {total:,} bytes where {self.size:,} are expected, so another file")
        self._check_room(total - done)
        try:
            with part.open("ab" if done else "wb") as file:
                while chunk:
                    file.write(chunk)
                    done += len(chunk)
                    hook(self.name, done, total)
                    chunk = self._read(response)
        except OSError as exc:
            raise ModelError(
                f"{self.name} cannot be kept: {self.folder} cannot be written to ({exc.strerror}){self._kept()}; make "
                "room or check its rights, or name another folder with --model-dir"
            ) from exc
        if done < total:
            raise _Broken("the connection was cut", met=True)

    def _read(self, response: HTTPResponse) -> bytes:
        try:
            return response.read1(_CHUNK)
        except (OSError, HTTPException) as exc:
            raise _Broken(f"the connection was cut ({_why(exc)})", met=True) from exc

    def _check_room(self, more: int) -> None:
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return
        if free < max(more, 0) + self.room:
            raise ModelError(
                f"{self.name} is too large: {self.folder} has {free / 1e6:,.0f} MB free where "
                f"{(max(more, 0) + self.room) / 1e6:,.0f} MB are needed; make room, or name another folder with "
                "--model-dir"
            )

    def _part(self, headers: HTTPMessage) -> Path:
        """Where that which a server offers is put."""
        etag = headers.get("ETag", "")
        mark = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
        stamp = hashlib.sha256(f"{self.url} {mark} {_total(headers)}".encode()).hexdigest()[:8]
        return self.folder / f"{self.name}.{stamp}.part"

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob(f"{escape(self.name)}.{'[0-9a-f]' * 8}.part"))

    def _had(self) -> int:
        return max((part.stat().st_size for part in self._parts()), default=0)

    def _kept(self) -> str:
        had = self._had()
        return f"; {had / 1e6:,.1f} MB have come and are kept, the same line goes on" if had else ""

    def _remove(self, part: Path) -> None:
        try:
            part.unlink(missing_ok=True)
        except OSError as exc:
            raise self._error(f"{part} cannot be removed ({exc.strerror})") from exc

    def _refused(self, exc: HTTPError) -> Exception:
        said = f"the server says {exc.code} {exc.reason}"
        if exc.code in _AGAIN:
            pause = exc.headers.get("Retry-After", "")
            return _Broken(said, met=True, pause_s=float(pause) if pause.isdecimal() else 0.0)
        return self._error("it is no longer at its address (404)" if exc.code in (404, 410) else said)

    def _error(self, reason: str) -> ModelError:
        return ModelError(f"{self.name} cannot be fetched: {reason}; {self.remedy}")


class _Broken(Exception):
    """An attempt that failed and may be repeated.

    Args:
        met: whether the server has been reached.
        hopeless: whether repeating it is vain unless the server has been reached before.
        pause_s: how long to wait at least.
    """

    def __init__(self, reason: str, met: bool = False, hopeless: bool = False, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.met, self.hopeless, self.pause_s = met, hopeless, pause_s


class _SafeRedirects(HTTPRedirectHandler):
    """Follows no redirect away from https."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request to go on with."""
        if not _is_safe(newurl):
            fp.close()
            raise URLError(f"redirected to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_safe(url: str) -> bool:
    """Is it https, or this machine itself?"""
    try:
        parts = urlsplit(url)
        if parts.scheme == "https":
            return bool(parts.hostname)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _broken(exc: Exception, url: str) -> _Broken:
    """Why no answer came."""
    cause: Any = exc.reason if isinstance(exc, URLError) else exc
    host = urlsplit(url).hostname
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _Broken(f"the certificate of {host} is not trusted here ({cause.verify_message})", hopeless=True)
    if isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _NO_WAY):
        return _Broken(f"{host} cannot be reached ({_why(cause)}), perhaps for want of a network", hopeless=True)
    if isinstance(cause, TimeoutError | ConnectionError | HTTPException | ssl.SSLError):
        return _Broken(f"{host} does not answer ({_why(cause)})")
    return _Broken(f"{host} cannot be reached ({_why(cause)})", hopeless=True)


def _why(exc: object) -> str:
    said = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return str(said).strip().splitlines()[0]


def _total(headers: Message) -> int:
    """The length of the whole file; 0 where the server does not say."""
    ranged = re.fullmatch(r"bytes (?:\d+-\d+|\*)/(\d+)", headers.get("Content-Range", "").strip())
    if ranged:
        return int(ranged[1])
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else 0


def _first_byte(headers: HTTPMessage) -> int:
    ranged = re.match(r"bytes (\d+)-", headers.get("Content-Range", "").strip())
    return int(ranged[1]) if ranged else -1


def _is_page(headers: HTTPMessage, start: bytes) -> bool:
    return headers.get_content_type() == "text/html" or looks_like_a_page(start)


def looks_like_a_page(start: bytes) -> bool:
    """Do these first bytes of a file belong to a web page?"""
    return start[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head"))

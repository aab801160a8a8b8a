"""The one door to fsspec: storages that hold footage elsewhere, asked again where they drop, and why they refuse.

fsspec is imported when the first address is used, and takes the credentials as it is set up. A storage's own package
raises what it likes: whatever it is becomes a `VideoError` that names the address and what to do.
"""

from __future__ import annotations

import errno
import logging
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import quote

from cvid.errors import MissingDependency, VideoError

log = logging.getLogger(__name__)

_T = TypeVar("_T")

WEB = ("http", "https")

WAITS_S = (0.2, 1.0, 3.0)
"""A storage that drops is asked again after each of these; then it has dropped."""
_gone: set[str] = set()
"""Storages that have dropped: asked only once for each file until they answer, for there may be thousands to go."""

_PACKAGES = {
    "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs", "gcs": "gcsfs", "gs": "gcsfs", "http": "aiohttp",
    "https": "aiohttp", "s3": "s3fs", "s3a": "s3fs", "sftp": "paramiko", "smb": "smbprotocol", "ssh": "paramiko",
}  # fmt: skip
_RAISED = (
    ("aiohttp", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("paramiko", "SSHException"),
    ("smbprotocol.exceptions", "SMBException"),
)
"""What storages raise that is no `OSError`, by module and name."""
_REFUSALS = (
    "AuthenticationException", "DefaultCredentialsError", "LogonFailure", "NoCredentialsError",
    "PartialCredentialsError",
)  # fmt: skip
_NO_RANGES = ("range requests", "Cannot seek streaming")
_FORBIDDEN = (401, 403, 407)
_LONGEST = 160


def connect(text: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it. Connections are shared until one drops.

    Only what stands before the path is read as a URL: a key may hold any character.

    Raises:
        MissingDependency: fsspec, or the package for this kind of address, is not installed.
        VideoError: fsspec knows no such kind of address.
    """
    scheme, _, rest = text.partition("://")
    _, slash, inner = rest.partition("/")
    base = _base(text) + "/"
    kind = _kind(scheme, text)
    inner = quote(inner, errors="surrogateescape") if scheme in WEB else inner
    return kind(**kind._get_kwargs_from_urls(base)), kind._strip_protocol(base).rstrip("/") + slash + inner or "/"


def _kind(scheme: str, text: str) -> Any:
    try:
        return import_module("fsspec").get_filesystem_class(scheme)
    except ImportError as exc:
        cause = exc if exc.name else exc.__cause__  # fsspec tells it in words of its own
        lacking = getattr(cause, "name", None) or scheme
        package = "" if lacking == "fsspec" else _PACKAGES.get(scheme, lacking)
        line = f"pip install 'cvid[remote]' {package}".rstrip()
        raise MissingDependency(f"footage at {text} needs the package '{package or lacking}': {line}") from exc
    except ValueError as exc:
        raise VideoError(text, f"fsspec knows no address that begins with {scheme}://") from exc


def patiently(
    text: str,
    act: Callable[[Any, str], _T],
    again: Callable[[], None] = lambda: None,
    waits_s: Sequence[float] = WAITS_S,
) -> _T:
    """What `act` gives for the file system and the path of an address; tried again where the storage drops.

    Args:
        again: called before each new try, to let go of what was open.

    Raises:
        FileNotFoundError: nothing lies there.
        VideoError: the storage refuses, or has dropped for good.
        MissingDependency: a package for it is not installed.
    """
    base = _base(text)
    for wait_s in (*(() if base in _gone else waits_s), None):
        try:
            found = act(*connect(text))
            _gone.discard(base)
            return found
        except errors() as raised:
            exc = _true_cause(raised)
            _raise_if_final(exc, text)
            _disconnect(text)
            if wait_s is None:
                _gone.add(base)
                raise VideoError(text, _dropped(exc, base)) from raised
        log.info("%r: %s, once more in %.1f s", text, _plain(exc), wait_s)
        again()
        time.sleep(wait_s)
    raise AssertionError("the last try returns or raises")


def errors() -> tuple[type[BaseException], ...]:
    """What the storages in use may raise: the errors of the packages that are loaded."""
    own = [getattr(sys.modules[module], name) for module, name in _RAISED if module in sys.modules]
    return (OSError, EOFError, ValueError, *own)


def _disconnect(text: str) -> None:
    _kind(text.partition("://")[0], text).clear_instance_cache()


def _true_cause(exc: BaseException) -> BaseException:
    """Fsspec's http says "not found" of all that goes wrong, and names the cause."""
    cause = exc.__cause__
    return cause if isinstance(exc, FileNotFoundError) and isinstance(cause, errors()) else exc


def _raise_if_final(exc: BaseException, text: str) -> None:
    if (isinstance(exc, OSError) and exc.errno == errno.ENOENT) or isinstance(exc, FileNotFoundError):
        raise FileNotFoundError(text) from exc
    if reason := _refusal(exc, text):
        raise VideoError(text, reason) from exc


def _refusal(exc: BaseException, text: str) -> str:
    """Why the storage will not, however often it is asked; empty where it may yet."""
    if isinstance(exc, ValueError) and any(said in str(exc) for said in _NO_RANGES):
        return "the server hands out whole files only, not parts of them; copy the footage to a disk, or mount it"
    if isinstance(exc, UnicodeError):
        return "its name, or one in this folder, is no Unicode, and cannot be asked for; rename it"
    if "NoSuchBucket" in str(exc):
        return "there is no such bucket"
    status = getattr(exc, "status", None)
    denied = isinstance(exc, OSError) and exc.errno in (errno.EACCES, errno.EPERM)
    if denied or isinstance(exc, PermissionError) or status in _FORBIDDEN or type(exc).__name__ in _REFUSALS:
        scheme = text.partition("://")[0].upper()
        return (
            f"the storage refuses it ({_plain(exc)}); give the credentials as fsspec takes them, in ~/.config/fsspec "
            f"or in variables such as FSSPEC_{scheme}_…"
        )
    return ""


def _dropped(exc: BaseException, base: str) -> str:
    return f"the storage at {base} dropped, or cannot be reached ({_plain(exc)}); run the same line again once it can"


def _base(text: str) -> str:
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _plain(exc: BaseException) -> str:
    """The first line of what was raised, not too long."""
    said = (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).strip().splitlines()
    return said[0][:_LONGEST].rstrip(".") if said else type(exc).__name__

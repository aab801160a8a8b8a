"""Storages that footage may lie on: a folder served as drill:// that counts, drops and lies, and a web server."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import fsspec.spec
from fakes import open_fakes as open_local_fakes

from cvid.analyse import Parts


class Drill(fsspec.spec.AbstractFileSystem):  # type: ignore[misc]
    """drill://tmp/footage is the folder /tmp/footage.

    A hidden file beside a file makes it misbehave: `.NAME.drops` holds from which byte on reading it fails,
    `.NAME.once` the same, but only the first time.
    """

    protocol = "drill"
    read: list[tuple[str, int, int]] = []  # name, start and stop of every range

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("drill:/")

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        found = Path(path).stat()
        kind = "directory" if Path(path).is_dir() else "file"
        return {"name": path, "size": found.st_size, "type": kind, "mtime": found.st_mtime, "ino": found.st_ino}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[dict[str, Any]]:
        if Path(path, ".refused").exists():
            raise PermissionError(errno.EACCES, "Access Denied")
        return [self.info(str(found)) for found in Path(path).iterdir()]

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> DrilledFile:
        return DrilledFile(self, path, mode, **kwargs)


class DrilledFile(fsspec.spec.AbstractBufferedFile):  # type: ignore[misc]
    """A file that is counted, and may drop."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        folder, name = Path(self.path).parent, Path(self.path).name
        once, always = Path(folder, f".{name}.once"), Path(folder, f".{name}.drops")
        for fault in (once, always):
            if fault.exists() and end > int(fault.read_text()):
                once.unlink(missing_ok=True)
                raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        Drill.read.append((name, start, end))
        with Path(self.path).open("rb") as file:
            file.seek(start)
            return file.read(end - start)


class Liar(fsspec.spec.AbstractFileSystem):  # type: ignore[misc]
    """liar://lies is a folder that lists whatever it was told to; `<self>` stands for the folder that is asked."""

    protocol = "liar"
    listed: list[str] = []
    asked = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("liar://")

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        return {"name": path, "size": 0, "type": "directory"}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[dict[str, Any]]:
        Liar.asked += 1
        names = [name.replace("<self>", path) for name in Liar.listed]
        return [{"name": n, "size": 9, "type": "directory" if n.endswith("/") else "file"} for n in names]


fsspec.register_implementation("drill", Drill, clobber=True)
fsspec.register_implementation("liar", Liar, clobber=True)


def open_fakes() -> Parts:
    """The painted faces' networks; importing this module makes drill:// known to a worker."""
    return open_local_fakes()


def drill(folder: Path) -> str:
    """The address of a folder."""
    return f"drill:/{folder}"


@contextmanager
def web(folder: Path, ranges: bool = True) -> Iterator[str]:
    """A web server of a folder, with or without parts of files, that keeps what is "forbidden"; its address."""

    class Handler(_Handler):
        gives_ranges = ranges

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    gives_ranges = True

    def do_HEAD(self) -> None:
        self.send_error(403) if "forbidden" in self.path else super().do_HEAD()

    def do_GET(self) -> None:
        if "forbidden" in self.path:
            self.send_error(403)
            return
        ranged, path = self.headers.get("Range", ""), Path(self.translate_path(self.path))
        if not (ranged and self.gives_ranges and path.is_file()):
            super().do_GET()
            return
        start, stop = (int(number) for number in ranged.removeprefix("bytes=").split("-"))
        with path.open("rb") as file:
            file.seek(start)
            content = file.read(stop + 1 - start)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{start + len(content) - 1}/{path.stat().st_size}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes" if self.gives_ranges else "none")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

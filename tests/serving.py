"""A web server in a thread that misbehaves as told, and a table of models that lie on it."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cvid.models.table import Model, Weights


@dataclass
class Served:
    """A file of the server."""

    content: bytes
    etag: str = '"one"'
    ranges: bool = True
    length: bool = True  # told by the server
    kind: str = "application/octet-stream"


@dataclass
class Shop:
    """What the server has, how it fails, and what it was asked for."""

    files: dict[str, Served] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # of each answer only so many bytes come; then all
    statuses: list[int] = field(default_factory=list)  # of each answer; then 200
    redirects: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0.0  # after each kilobyte
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range
    url: str = ""

    def model(self, name: str, file: str, sha256: str = "", member: str = "", **more: object) -> Model:
        """A model whose weights lie here."""
        content = self.files[file].content if file in self.files and not member else b""
        weights = Weights(f"{name}.onnx", len(content) if sha256 else 0, sha256, f"{self.url}/{file}", member)
        told: dict[str, object] = {"licence": "MIT", "commercial": True, **more}
        return Model(name, "embedder", source="a test", input="", measured=False, weights=weights, **told)  # type: ignore[arg-type]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zip_of(**members: bytes) -> bytes:
    """A zip; `_` in a name stands for a dot."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, inner in members.items():
            zipped.writestr(name.replace("_", "."), inner)
    return content.getvalue()


@contextmanager
def serving() -> Iterator[Shop]:
    """A shop on this machine."""
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shop))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(shop: Shop) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, ranged = self.path.lstrip("/"), self.headers.get("Range", "")
            shop.asked.append((path, ranged))
            status = shop.statuses.pop(0) if shop.statuses else 200
            if path in shop.redirects:
                self._start(302, {"Location": shop.redirects[path]})
            elif status != 200:
                self._start(status, {"Content-Length": "0"})
            elif path not in shop.files:
                self._start(404, {"Content-Length": "0"})
            else:
                self._send(shop.files[path], ranged)

        def _send(self, served: Served, ranged: str) -> None:
            begun, total = int(ranged[6:-1]) if ranged and served.ranges else 0, len(served.content)
            headers = {"ETag": served.etag, "Content-Type": served.kind}
            if begun >= total and begun:
                self._start(416, {**headers, "Content-Range": f"bytes */{total}", "Content-Length": "0"})
                return
            if served.length:
                headers["Content-Length"] = str(total - begun)
            if begun:
                headers["Content-Range"] = f"bytes {begun}-{total - 1}/{total}"
            self._start(206 if begun else 200, headers)
            content = served.content[begun:]
            content = content[: shop.cuts.pop(0)] if shop.cuts else content
            for at in range(0, len(content), 1024):
                try:
                    self.wfile.write(content[at : at + 1024])
                except OSError:
                    return  # nobody listens any more
                time.sleep(shop.pause_s)

        def _start(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler

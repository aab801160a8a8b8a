"""Files at an address, read by range: only what is asked for, more at a time the longer somebody reads on.

Blocks lie where multiples of 64 KiB begin. One that is missing is fetched together with as many after it as lie
before it already, at most 8 MiB in one request: whoever reads a film through asks for little more often than it has
megabytes, and whoever jumps from key frame to key frame, or reads sound and picture from two places in turn, fetches
hardly anything in vain. What was read lately is kept, 32 MiB of a file.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from cvid.errors import VideoError
from cvid.storage import WAITS_S, errors, patiently

BLOCK_BYTES = 1 << 16
_AHEAD_MOST, _KEPT_MOST = 128, 512


class Blocks:
    """What was read of one file lately, by number of block, and its size; −1 before it is known."""

    def __init__(self) -> None:
        self.size_bytes = -1
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def get(self, number: int) -> bytes | None:
        """A block, if it is kept."""
        if number in self._kept:
            self._kept.move_to_end(number)
        return self._kept.get(number)

    def forget(self) -> None:
        """Know nothing: the file may have changed."""
        self.size_bytes = -1
        self._kept.clear()

    def missing_from(self, number: int, last: int) -> int:
        """Where to stop fetching, if one begins with block `number` to have those up to `last`."""
        run = 1
        while run < _AHEAD_MOST and number - run in self._kept:
            run += 1
        end = -(-self.size_bytes // BLOCK_BYTES)
        stop = number + 1
        while stop < min(end, number + min(_AHEAD_MOST, max(run, last + 1 - number))) and stop not in self._kept:
            stop += 1
        return stop

    def keep(self, number: int, data: bytes) -> None:
        """Take in what was fetched from block `number` on; what was not read for longest goes."""
        for at in range(0, len(data), BLOCK_BYTES):
            self._kept[number + at // BLOCK_BYTES] = data[at : at + BLOCK_BYTES]
        while len(self._kept) > _KEPT_MOST:
            self._kept.popitem(last=False)


class RangeFile(io.RawIOBase):
    """A file at an address, opened for reading. A context manager.

    Where the storage fails for good, reading ends as at the end of the file, and leaving the `with` block raises: the
    decoder that reads may be in the middle of code that lets no exception through.

    Args:
        blocks: what is known of the file already; what is read is added.

    Raises:
        VideoError, FileNotFoundError: on leaving the block.
    """

    def __init__(self, text: str, blocks: Blocks, waits_s: Sequence[float] = WAITS_S) -> None:
        super().__init__()
        self._text, self._blocks, self._waits_s = text, blocks, waits_s
        self._at = 0
        self._handle: Any = None
        self._failure: VideoError | FileNotFoundError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere; nothing is fetched before it is read."""
        base = 0 if whence == io.SEEK_SET else self._at if whence == io.SEEK_CUR else self._size()
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer, as far as the file goes."""
        view = memoryview(buffer).cast("B")
        length = max(min(len(view), self._size() - self._at), 0)
        done = 0
        while done < length:
            number, skip = divmod(self._at, BLOCK_BYTES)
            data = self._block(number, (self._at + length - done - 1) // BLOCK_BYTES)
            part = data[skip : skip + length - done]
            if not part:
                break
            view[done : done + len(part)] = part
            done += len(part)
            self._at += len(part)
        return done

    def close(self) -> None:
        """Let go of the storage's own file."""
        self._let_go()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._failure and kind is not GeneratorExit:
            raise self._failure from exc

    def _size(self) -> int:
        if self._blocks.size_bytes < 0 and not self._failure:
            self._blocks.size_bytes = self._ask(0, 0)[1]
        return max(self._blocks.size_bytes, 0)

    def _block(self, number: int, last: int) -> bytes:
        """One block, fetched with what follows; empty where the storage failed."""
        data = self._blocks.get(number)
        if data is not None or self._failure:
            return data or b""
        stop = self._blocks.missing_from(number, last)
        start = number * BLOCK_BYTES
        found, _ = self._ask(start, min(stop * BLOCK_BYTES, self._blocks.size_bytes))
        self._blocks.keep(number, found)
        return found[:BLOCK_BYTES]

    def _ask(self, start: int, stop: int) -> tuple[bytes, int]:
        """The bytes of a range, and the size of the file; nothing where the storage failed."""

        def read(files: Any, path: str) -> tuple[bytes, int]:
            if self._handle is None:
                # the buffers of fsspec would read on where nobody asked; smbprotocol has none, and knows no such word
                plain = {} if self._text.startswith("smb:") else {"cache_type": "none"}
                self._handle = files.open(path, "rb", block_size=BLOCK_BYTES, **plain)
            return _read(self._handle, start, stop)

        try:
            return patiently(self._text, read, self._let_go, self._waits_s)
        except (VideoError, FileNotFoundError) as exc:
            self._failure = exc
            return b"", -1

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except errors():
                return  # it has dropped


def _read(handle: Any, start: int, stop: int) -> tuple[bytes, int]:
    """Bytes `start` to `stop` of an open file; its size where these are none.

    Raises:
        OSError: it ends before `stop`.
    """
    if start == stop:
        size = handle.seek(0, io.SEEK_END)
        return b"", handle.tell() if size is None else size
    if hasattr(handle, "readv"):  # paramiko's asks for all at once: 46 MB/s where 32 KiB after 32 KiB came to 4
        data = b"".join(handle.readv([(start, stop - start)]))
    else:
        handle.seek(start)
        data = b"".join(_parts(handle, stop - start))
    if len(data) < stop - start:
        raise OSError("the file ends too soon")
    return data, -1


def _parts(handle: Any, length: int) -> Iterator[bytes]:
    while length > 0 and (part := handle.read(length)):
        length -= len(part)
        yield part

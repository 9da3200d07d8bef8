"""Large responses, in temporary files until their clients have read them."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from sessionary.durations import monotonic
from sessionary.store import TooLarge

MEMORY_BYTES = 256 * 1024  # a longer response goes into a file
MEDIUM_BYTES = 4 * 1024 * 1024  # a longer one is made on the thread for any size
MAX_TOTAL_BYTES = 2 * 1024**3  # of the files of a process
MAX_WAIT_SECONDS = 60.0  # for the thread, then 503
_MAX_SECONDS = 60.0  # to make a response: its read transaction keeps the WAL from being reused
_CHUNK = 65_536
_SLICE_SECONDS = 0.005  # of work, and then of rest, so that other threads can run
_total_lock = threading.Lock()
_total_bytes = 0
# Bytes of closed files, to be taken from the total. A garbage collection may close one anywhere,
# even in the lock, so that this takes none.
_freed: SimpleQueue[int] = SimpleQueue()


class LargeResponseRefused(Exception):
    """A large response that cannot be made at the moment; the message says why."""


class Aborted(BaseException):
    """The server has closed the connection of a response that is being made."""


class Spool:
    """A response body in an unnamed temporary file. Its space is free again once it is closed."""

    def __init__(self) -> None:
        """Create the file. Raises LargeResponseRefused where that fails."""
        self._file: IO[bytes] = BytesIO()
        self._written = 0
        try:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - see close
        except OSError as error:
            raise _cannot_write(error) from error
        self.length = 0  # bytes that are sent; fewer than were written to cut it
        self.beginning = 0  # bytes of the first pieces, as far as they are short

    @classmethod
    def of_file(cls, write: Callable[[Path], object]) -> "Spool":
        """Let `write` create the file at a path."""
        spool = cls()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "body")
            write(path)
            spool._file.close()
            spool._file = path.open("rb")
            spool._grow(path.stat().st_size)
        return spool

    def write(self, piece: bytes) -> None:
        """Append a piece. Raises LargeResponseRefused where space is short."""
        self._grow(len(piece))
        try:
            self._file.write(piece)
        except OSError as error:
            raise _cannot_write(error) from error
        if self.length <= _CHUNK:
            self.beginning = self.length

    def rewind(self) -> None:
        """Begin to read it."""
        try:
            self._file.seek(0)
        except OSError as error:
            raise _cannot_write(error) from error

    def read(self) -> bytes:
        """Return the next bytes to send; none at the end."""
        return self._file.read(max(0, min(_CHUNK, self.length - self._file.tell())))

    def start(self) -> bytes:
        """Return the first whole pieces, some 64 KB at most."""
        self._file.seek(0)
        found = self._file.read(self.beginning)
        self._file.seek(0)
        return found

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def close(self) -> None:
        self._file.close()
        _freed.put(self._written)
        self._written = 0

    __del__ = close

    def _grow(self, count: int) -> None:
        if _add_to_total(count) > MAX_TOTAL_BYTES:
            _freed.put(count)
            raise LargeResponseRefused("large responses that clients do not read fill their space")
        self._written += count
        self.length += count


def _cannot_write(error: OSError) -> LargeResponseRefused:
    return LargeResponseRefused(f"a large response cannot be written: {error}")


def check_waiting_time(since: float | None) -> None:
    """Raise DatabaseUnavailable if a response has waited too long for its thread."""
    if since is not None and monotonic() - since > MAX_WAIT_SECONDS:
        raise LargeResponseRefused("large responses have waited too long for each other")


def keep(body: bytes) -> bytes | Spool:
    """Put a body into a file, if there is space."""
    try:
        return _fill([body])
    except LargeResponseRefused:
        return body


def collect(
    pieces: Iterable[bytes], *, is_medium: bool, is_aborted: Callable[[], bool] = bool
) -> bytes | Spool:
    """Put pieces into a file if they are large. Rests after each slice of work.

    Raises Aborted, TooLarge for a medium one that is too long, and LargeResponseRefused where
    space is short.
    """
    first: list[bytes] = []
    length, paced = 0, _pace(pieces, is_aborted)
    for piece in paced:
        first.append(piece)
        length += len(piece)
        if length > MEMORY_BYTES:
            return _fill(_chain(first, paced), MEDIUM_BYTES if is_medium else None)
    return b"".join(first)


def _chain(first: list[bytes], rest: Iterable[bytes]) -> Iterator[bytes]:
    while first:
        yield first.pop(0)
    yield from rest


def _fill(pieces: Iterable[bytes], max_bytes: int | None = None) -> Spool:
    spool = Spool()
    for piece in pieces:
        spool.write(piece)
        if max_bytes is not None and len(spool) > max_bytes:
            raise TooLarge
    spool.rewind()
    return spool


def _pace(pieces: Iterable[bytes], is_aborted: Callable[[], bool]) -> Iterator[bytes]:
    started_at = slice_at = monotonic()
    for piece in pieces:
        yield piece
        now = monotonic()
        if now - started_at > _MAX_SECONDS:
            raise LargeResponseRefused(f"a response was not made in {_MAX_SECONDS:.0f} seconds")
        if now - slice_at > _SLICE_SECONDS:
            if is_aborted():
                raise Aborted
            time.sleep(_SLICE_SECONDS)
            slice_at = monotonic()


def _add_to_total(count: int) -> int:
    global _total_bytes  # noqa: PLW0603 - of the process
    with _total_lock:
        _total_bytes += count
        while not _freed.empty():
            _total_bytes -= _freed.get()
        return _total_bytes

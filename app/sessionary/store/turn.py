"""One writer at a time, in this process and among all that work on a file."""

import fcntl
import os
import threading
from pathlib import Path


class Turn:
    """One writer at a time, in the order of asking: SQLite's own busy wait starves threads.

    A lock file extends the turn to other processes. It is opened by the process that uses it:
    an inherited descriptor would share its parent's lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._file: int | None = None
        self._owner = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._opened(), fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            fcntl.flock(self._opened(), fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _opened(self) -> int:
        if self._file is None or self._owner != os.getpid():
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            self._owner = os.getpid()
        return self._file

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

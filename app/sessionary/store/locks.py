"""One writer at a time, in this process and among all that work on a file."""

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import cast


class WriteLock:
    """One writer at a time, in the order of asking: SQLite's own busy wait starves threads.

    A lock file extends the turn to other processes. It is opened by the process that uses it:
    an inherited descriptor would share its parent's lock. Where it cannot be, the engine keeps
    writers apart alone, or says what is wrong with the disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._file: int | None = None
        self._owner = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._is_opened():
                fcntl.flock(cast(int, self._file), fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _is_opened(self) -> bool:
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = None, os.getpid()
            with suppress(OSError):
                self._file = lock_file(self._path)
        return self._file is not None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def lock_file(path: Path) -> int:
    """Open a file for locks, made if it is not there; the owner of its folder may use it too."""
    opened = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(opened, folder.st_uid, folder.st_gid)
    return opened

"""Locks: one writer at a time, and a file that is in use cannot be replaced."""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from sessionary.durations import monotonic
from sessionary.store.atomic_files import create_new
from sessionary.store.errors import DatabaseUnavailable
from sessionary.store.waits import WouldWait, due_in, may_wait, poll


class WriteLock:
    """A lock for writers: threads wait in order, processes by `flock`.

    SQLite's own busy wait starves threads. Each process opens the lock file itself, since an
    inherited descriptor would share the lock of its parent. Where the file cannot be opened,
    SQLite alone keeps writers apart, or says what is wrong with the disk.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._threads = threading.Lock()
        self._file: int | None = None
        self._owner = 0

    def __enter__(self) -> float:
        """Wait for the lock; return until when SQLite's own may be waited for.

        Raises DatabaseUnavailable after the busy timeout, and WouldWait in `without_waiting`.
        """
        due = due_in(self._timeout_seconds)
        if not self._threads.acquire(timeout=max(0.0, due - monotonic())):
            raise self._taken()
        try:
            if self._open() and not poll(self._try_lock, due):
                raise self._taken()
        except BaseException:
            self._threads.release()
            raise
        return due

    def __exit__(self, *_: object) -> None:
        try:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _try_lock(self) -> bool:
        return try_lock(cast(int, self._file), fcntl.LOCK_EX)

    def _taken(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"another program holds {self._path}: end it, or try again when it has ended"
        )

    def _open(self) -> bool:
        """Open the file once per process. Returns whether it is open."""
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = None, os.getpid()
            with suppress(OSError):
                self._file = open_lock_file(self._path)
        return self._file is not None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class FileLease:
    """A shared lock on an open database file: while it is held, the file is not replaced.

    Forked processes share the lease of their parent. It ends with the last of them.
    """

    def __init__(self, file: Path, timeout_seconds: float) -> None:
        self._file = file
        self._timeout_seconds = timeout_seconds
        self._lock: int | None = None
        self._threads = threading.Lock()

    def acquire(self, *, may_create: bool = True) -> None:
        """Take the lease once; wait for a replacement of the file that is in progress.

        Raises DatabaseUnavailable if that takes longer than the busy timeout, WouldWait in
        `without_waiting`, and OSError.
        """
        if self._lock is not None:
            return
        path = lease_path(self._file)
        lock = open_lock_file(path) if may_create else open_existing_lock(path)
        due = due_in(self._timeout_seconds) if may_wait() else 0.0
        if not poll(lambda: try_lock(lock, fcntl.LOCK_SH), due):
            os.close(lock)
            if not may_wait():
                raise WouldWait
            raise DatabaseUnavailable(
                f"another program replaces {self._file}: try again when it has ended"
            )
        if not _is_at(path, lock):  # what it was made for has failed
            os.close(lock)
            self.acquire(may_create=may_create)
        elif not self._keep(lock):
            os.close(lock)

    def acquire_alone(self, is_needed: Callable[[], bool]) -> bool:
        """Take the lease alone, until `share`, unless that is no longer needed.

        Returns False if another process keeps its own for longer than the busy timeout.
        """
        lock = open_lock_file(lease_path(self._file))

        def take() -> bool:
            return try_lock(lock, fcntl.LOCK_EX) and self._keep(lock)

        is_settled = poll(lambda: take() or not is_needed(), monotonic() + self._timeout_seconds)
        if self._lock != lock:
            os.close(lock)
        return is_settled

    def share(self) -> None:
        """Let other processes take theirs."""
        if self._lock is not None:
            try_lock(self._lock, fcntl.LOCK_SH)

    def _keep(self, lock: int) -> bool:
        """Keep it, unless another thread was faster."""
        with self._threads:
            is_first = self._lock is None
            self._lock = lock if is_first else self._lock
            return is_first

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _is_at(path: Path, opened: int) -> bool:
    """Return whether an open file is still the one at the path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(opened), path.stat())
    return False


def lease_path(file: Path) -> Path:
    """Return the lock file of a database's leases."""
    return file.with_name(f"{file.name}.hold")


def open_lock_file(path: Path) -> int:
    """Open a lock file, created if missing; a link is not followed. Raises OSError."""
    try:
        return create_new(path, path.parent)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def open_existing_lock(path: Path) -> int:
    """Open a lock file, also where it cannot be written. Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def try_lock(lock: int, how: int) -> bool:
    """Return whether an open lock file could be locked without waiting."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

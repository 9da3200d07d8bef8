"""SQLite errors: which make the database unavailable, advice for them, and the log of outages."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee as pw

_QUIET_SECONDS = 10.0  # without a refused request, after which an outage is over
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_ACCESS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ADVICE = {  # for each code that makes the database unavailable
    **dict.fromkeys(_BUSY, "find the program that has it open"),
    **dict.fromkeys(_DISK, "check the disk and its free space"),
    **dict.fromkeys(_ACCESS, "check that it is a file, and the permissions of it and its folder"),
    sqlite3.SQLITE_CORRUPT: "run `sessionary check`, then `sessionary restore` a backup",
    sqlite3.SQLITE_NOTADB: "name another file, or `sessionary restore` a backup to it",
}
_log = logging.getLogger("sessionary")


class TooLarge(BaseException):
    """A response that is too large for the thread that makes it: another one must make it."""


class ContentsReplaced(BaseException):
    """The namespace of a call has other contents by now: the call is cut, not answered."""


class DatabaseUnusable(Exception):
    """A database that this program cannot work with; the message says why and what to do."""


class DatabaseUnavailable(Exception):
    """The database cannot be used at the moment; the message names the file and the cause."""


@contextmanager
def with_file_name(file: Path | str) -> Iterator[None]:
    """Raise DatabaseUnusable, with the file's name and advice, for SQLite errors in the block."""
    try:
        yield
    except (sqlite3.Error, pw.DatabaseError) as error:
        advice = _ADVICE.get(_primary_code(error) or 0)
        if Path(file).suffix == ".toml":
            advice = "a seed file is given with --seed, or to `sessionary seed`"
        raise DatabaseUnusable(f"{file}: {error}{f': {advice}' if advice else ''}") from error


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error, of SQLite or peewee, makes the database unavailable."""
    return isinstance(error, DatabaseUnavailable) or _primary_code(error) in _ADVICE


def is_over_limit(error: BaseException) -> bool:
    """Return whether the error is a value that limited reads refuse."""
    return _primary_code(error) == sqlite3.SQLITE_TOOBIG


def is_busy(error: BaseException) -> bool:
    """Return whether another writer was in the way."""
    return _primary_code(error) in _BUSY


def is_corruption(error: BaseException) -> bool:
    """Return whether the error comes from the contents of the file."""
    return _primary_code(error) in _CORRUPT


def requires_reconnect(error: BaseException) -> bool:
    """Return whether a connection that has met this error may report it for good."""
    return _primary_code(error) in _ACCESS | _CORRUPT


def _primary_code(error: BaseException) -> int | None:
    """Return SQLite's primary result code, or None for another kind of error."""
    while (inner := getattr(error, "orig", None)) is not None:  # peewee wraps twice on connect
        error = inner
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class OutageLog:
    """Logs each cause of an outage once, and its end with the count of refused requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._causes: set[str] = set()
        self._refused_count = 0
        self._last_seconds = 0.0

    def report(self, error: BaseException) -> None:
        """Count a request that was refused because of this error."""
        cause = str(error)
        with self._lock:
            self._refused_count += 1
            self._last_seconds = time.monotonic()
            is_new = cause not in self._causes
            self._causes.add(cause)
        if is_new:
            _log.error("database unavailable: %s; every request retries", cause)

    def report_success(self) -> None:
        """End the outage after a successful write, unless a request was refused recently."""
        if not self._causes:
            return
        with self._lock:
            if not self._causes or time.monotonic() - self._last_seconds < _QUIET_SECONDS:
                return
            self._causes.clear()
            count, self._refused_count = self._refused_count, 0
        _log.warning("database available again; %d requests were refused", count)

"""What may happen to a database while it is served, and how it is told."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee as pw

_QUIET_SECONDS = 10.0  # without a refusal, after which a mishap is over
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# What a connection has seen once, it may see for ever.
_LASTING = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, *_DAMAGED}
_WRITERS = "see that it is a file, and who may write it and its folder"
_HOLDERS = "see which program has it open"
_DAMAGE = "see `sessionary check`, then `sessionary restore` a backup"
_SPACE = "see that its disk is well and has space"
_ADVICE = {
    sqlite3.SQLITE_BUSY: _HOLDERS,
    sqlite3.SQLITE_LOCKED: _HOLDERS,
    sqlite3.SQLITE_FULL: _SPACE,
    sqlite3.SQLITE_IOERR: _SPACE,
    sqlite3.SQLITE_READONLY: _WRITERS,
    sqlite3.SQLITE_CANTOPEN: _WRITERS,
    sqlite3.SQLITE_CORRUPT: _DAMAGE,
    sqlite3.SQLITE_NOTADB: _DAMAGE,
}
_log = logging.getLogger("sessionary")


class DatabaseUnusable(Exception):
    """A database that this program cannot work with; the message says why and what to do."""


class DatabaseUnavailable(Exception):
    """The files of a namespace cannot be used just now; the message says which and why."""


@contextmanager
def with_file_name(file: Path | str) -> Iterator[None]:
    """What the engine says of a file meanwhile is told with its name. Raises DatabaseUnusable."""
    try:
        yield
    except (sqlite3.Error, pw.DatabaseError) as error:
        advice = _ADVICE.get(_code(error) or 0)
        raise DatabaseUnusable(f"{file}: {error}{f': {advice}' if advice else ''}") from error


def is_unavailable(error: BaseException) -> bool:
    """Whether the engine cannot do its work just now: busy, full, its file corrupt or unreachable.

    Statements raise the engine's own errors, peewee wraps them.
    """
    return isinstance(error, DatabaseUnavailable) or _code(error) in _PASSING | _LASTING


def is_damage(error: BaseException) -> bool:
    """Whether it lies in what the file holds, however often it is read."""
    return _code(error) in _DAMAGED


def requires_reconnect(error: BaseException) -> bool:
    """Whether a connection that has met this error must be opened anew."""
    return _code(error) in _LASTING


def _code(error: BaseException) -> int | None:
    while (inner := getattr(error, "orig", None)) is not None:  # wrapped twice where it connects
        error = inner
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class OutageLog:
    """Tells in the log what puts a namespace out of order: once, however many requests it costs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._refused_count = 0
        self._last_seconds = 0.0

    def report(self, error: BaseException) -> None:
        """A request was refused because of it."""
        text = str(error)
        with self._lock:
            self._refused_count += 1
            self._last_seconds = time.monotonic()
            is_new = text not in self._told
            self._told.add(text)
        if is_new:
            _log.error("the database is out of order: %s; it is tried again at each request", text)

    def report_success(self) -> None:
        """A write has succeeded: what there was is over, unless it comes and goes."""
        if not self._told:
            return
        with self._lock:
            is_over = self._told and time.monotonic() - self._last_seconds >= _QUIET_SECONDS
            count = self._refused_count
            if is_over:
                self._told.clear()
                self._refused_count = 0
        if is_over:
            _log.warning("the database works again; %d requests were refused", count)

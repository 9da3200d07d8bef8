"""SQLite connections: one per thread of a file, one that all threads share in memory."""

import mmap
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple, TypeVar, cast

import peewee as pw

from sessionary.durations import monotonic
from sessionary.store.files import DatabaseFile
from sessionary.store.waits import WouldWait, due_in, may_wait

Kept = TypeVar("Kept")
_MAX_KEPT = 256
_RETRY_SECONDS = 0.005
MAX_LIMITED_ROWS = 300
_MAX_LIMITED_BYTES = 16_384  # of a value
_MAX_BYTES = 1_000_000_000  # SQLite's own limit


class Position(NamedTuple):
    """A position of the undo log: after the write `no` of an instant."""

    newest_at: int  # no row that existed has a later `created_at`: see `statements.existed`
    at: int
    no: int


class Connection(sqlite3.Connection):
    """A connection that can be weakly referenced and knows whether it may stay open."""

    stays_open = True
    has_limited_reads = False
    waits = True  # for a lock of another program, up to the busy timeout
    may_keep = False  # what it read; a double's memory changes with each call, by the journal
    position: Position | None = None  # that statements read from; None: as it is now
    undone_count = 0  # of the rows in `total_changes`, those of dry runs
    first_number: int | None = None  # see change_numbers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetching: list[sqlite3.Cursor] = []
        self._kept: dict[Hashable, Any] = {}
        self._kept_at = (0, 0)

    def keep(self, key: Hashable, read: Callable[[], Kept]) -> Kept:
        """Return what `read` returned, until anything in the database changes."""
        if not self.may_keep or self.in_transaction or self.position is not None:
            return read()
        others = self.execute("PRAGMA data_version").fetchone()[0]  # a third of a key lookup
        if self._kept_at != (others, self.total_changes) or len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
            self._kept_at = others, self.total_changes
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = read()
        return cast(Kept, found)

    def close_cursors(self) -> None:
        """Close cursors with rows left: while one is open, later reads see the same old state."""
        while self.fetching:
            self.fetching.pop().close()

    def stop_waiting(self) -> None:
        """Wait for no lock from now on; SQLITE_BUSY is raised instead."""
        if self.waits:
            self.execute("PRAGMA busy_timeout = 0")
            self.waits = False

    def limit_reads(self, is_limited: bool) -> None:
        """Begin, or end, to refuse long values; `Statement.rows` then refuses many rows."""
        self.has_limited_reads = is_limited
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_LIMITED_BYTES if is_limited else _MAX_BYTES)

    def __del__(self) -> None:
        """Close; a dropped WSGI application has no other end."""
        with suppress(sqlite3.ProgrammingError):  # opening it failed
            self.close()


class _ThreadEnd:
    """Close a connection when the thread that holds this in its local data ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __del__(self) -> None:
        self._connection.close()


class Database(pw.SqliteDatabase):
    """A database that remembers its connections, so that all of them can be closed."""

    def __init__(self, *args: Any, file: DatabaseFile | None = None, **kwargs: Any) -> None:
        self.file = file
        self.opened: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.contents: bytes | mmap.mmap | None = (
            None  # that the next connection starts with, in memory
        )
        self._thread = threading.local()
        super().__init__(*args, factory=self._create_connection, **kwargs)
        # In place of peewee's lock, in which one thread would wait for the file at a time. Each
        # thread has its own connection; the one in memory is locked by its namespace.
        self._lock = nullcontext()

    def _create_connection(self, *args: Any, **kwargs: Any) -> Connection:
        """Create a connection, with its contents: one that ran a statement may crash if filled."""
        if self.file is not None and self.file.is_known:
            args, kwargs = (self.file.uri, *args[1:]), {**kwargs, "uri": True}
        if self.file is not None:
            kwargs["timeout"] = max(0.0, self._due() - monotonic())
        connection = Connection(*args, **kwargs)
        if self.contents is not None:
            connection.deserialize(self.contents)
            self.contents = None
        return connection

    def run(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute SQL text."""
        return cast(sqlite3.Cursor, self.execute_sql(text, values))  # type: ignore[no-untyped-call]

    def end_reads(self) -> None:
        """Close this thread's cursors, and its connection if that may not stay open."""
        if self.is_closed():
            return
        connection = self._open_connection()
        connection.close_cursors()
        if not connection.stays_open:
            self.close()

    def _open_connection(self) -> Connection:
        return cast(Connection, self.connection())  # type: ignore[no-untyped-call]

    def stop_waiting(self) -> None:
        """Have this thread's connection, if it has one, wait for no lock from now on."""
        if not self.is_closed():
            self._open_connection().stop_waiting()

    def _connect(self) -> Connection:
        """Connect. Raises WouldWait in `without_waiting` where a lock must be waited for."""
        stays_open = self.file is None or self.file.acquire_lease()
        connection = self._connect_with_retry()
        connection.stays_open = stays_open
        if self.file is not None:
            connection.may_keep = True
            connection.execute(f"PRAGMA busy_timeout = {int(1000 * self.timeout)}")
        if not may_wait():
            connection.stop_waiting()
        self.opened.add(connection)
        if self.thread_safe:  # else the threads share it
            self._thread.end = _ThreadEnd(connection)
        return connection

    def _due(self) -> float:
        """Return until when connecting may wait for a lock."""
        return due_in(float(self.timeout)) if may_wait() else 0.0

    def _connect_with_retry(self) -> Connection:
        """Connect. SQLite does not wait for another process that turns the same file to WAL."""
        due = self._due()
        while True:
            try:
                return cast(Connection, super()._connect())  # type: ignore[misc]
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                if is_busy and not may_wait():
                    raise WouldWait from None
                if not is_busy or monotonic() > due:
                    raise
                time.sleep(_RETRY_SECONDS)

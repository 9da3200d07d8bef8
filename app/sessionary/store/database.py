"""Namespaces: databases, the connections to them, and the transactions in them."""

import sqlite3
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import peewee as pw

from sessionary.store.errors import OutageLog, requires_reconnect
from sessionary.store.files import DatabaseFile, resolved

DURABILITY = {"full": "FULL", "normal": "NORMAL", "off": "OFF"}
DEFAULT = "default"  # the name of the namespace that is always there
_PAUSE_SECONDS = 0.005
_SMALL_PAGE = (
    512  # bytes: there may be thousands of memory namespaces, each with mostly empty tables
)

_namespace: ContextVar["Namespace"] = ContextVar("sessionary_namespace")


def current_namespace() -> "Namespace":
    """The namespace that the running code has entered."""
    return _namespace.get()


class _CurrentDatabase(pw.DatabaseProxy):
    """Stands for the database of the namespace that the running code has entered."""

    __slots__ = ("_Model", "_callbacks")

    def __init__(self) -> None:
        self._callbacks: list[Any] = []

    @property
    def obj(self) -> Any:
        namespace = _namespace.get(None)
        return None if namespace is None else namespace.database


class Model(pw.Model):
    """The parent of every table: it lives in whichever namespace has been entered."""

    class Meta:
        database = _CurrentDatabase()
        legacy_table_names = False


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, and knows whether its file could be written."""

    may_write = True

    def __del__(self) -> None:
        """Close, since a WSGI application that is dropped has no other end."""
        with suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


class _ThreadEnd:
    """Close a connection when the thread that holds this in its local data ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __del__(self) -> None:
        self._connection.close()


class Database(pw.SqliteDatabase):
    """A database that remembers its connections, so that all of them can be closed.

    In memory, its next connection begins with `contents`, if there are any.
    """

    def __init__(self, *args: Any, file: DatabaseFile | None = None, **kwargs: Any) -> None:
        self.file = file
        self.opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self.contents: bytes | None = None
        self._thread = threading.local()
        super().__init__(*args, factory=self._made, **kwargs)

    def _made(self, *args: Any, **kwargs: Any) -> _Connection:
        """Before its first statement: a connection that has run one can crash when it is filled."""
        if self.file is not None and self.file.is_known:
            args, kwargs = (self.file.uri, *args[1:]), {**kwargs, "uri": True}
        connection = _Connection(*args, **kwargs)
        if self.contents is not None:
            connection.deserialize(self.contents)
            self.contents = None
        return connection

    def run(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute a statement as it is written."""
        return cast(sqlite3.Cursor, self.execute_sql(text, values))  # type: ignore[no-untyped-call]

    def _connect(self) -> _Connection:
        may_write = self.file is None or self.file.may_be_opened()
        connection = self._connected(time.monotonic() + float(self.timeout))
        connection.may_write = may_write
        self.opened.add(connection)
        if self.thread_safe:  # else the threads share it
            self._thread.end = _ThreadEnd(connection)
        return connection

    def _connected(self, until_seconds: float) -> _Connection:
        """To turn a new file to WAL, SQLite waits for nobody else who has just opened it."""
        while True:
            try:
                return cast(_Connection, super()._connect())  # type: ignore[misc]
            except sqlite3.OperationalError as error:
                if (
                    error.sqlite_errorcode != sqlite3.SQLITE_BUSY
                    or time.monotonic() > until_seconds
                ):
                    raise
                time.sleep(_PAUSE_SECONDS)


class NamespaceClosed(Exception):
    """The namespace was closed while somebody waited for it."""


class Namespace:
    """A database, open for work."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outages = OutageLog()
        self.name = DEFAULT
        self.has_undo_log = False
        self._file = file = database.file
        self.write_lock: AbstractContextManager[None] = file.write_lock if file else nullcontext()
        # A memory namespace is one connection that its threads share, one request at a time.
        self._lock = None if file else threading.RLock()
        self._alone: AbstractContextManager[Any] = self._lock or nullcontext()
        self._is_gone = False

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Make this the namespace of the running code; results are fetched before it is left.

        Raises NamespaceClosed if it was closed before this code's turn came.
        """
        with self._alone:
            if self._is_gone:
                raise NamespaceClosed
            token = _namespace.set(self)
            try:
                yield
            finally:
                _namespace.reset(token)

    def contents(self) -> bytes:
        """All that it holds, as a database file would."""
        with self.activate():
            if self._file is None:
                return self.connection().serialize()
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder, "copy.sqlite3")
                self.database.run("VACUUM INTO ?", (str(copy),))
                return copy.read_bytes()

    def hibernate(self) -> None:
        """Let go of what is more than its contents until it is entered again, unless it is busy."""
        if self._lock is not None and self._lock.acquire(blocking=False):
            try:
                if not (self.database.is_closed() or self.connection().in_transaction):
                    self.database.contents = self.connection().serialize()
                    self.database.close()
            finally:
                self._lock.release()

    def restore(self, contents: bytes) -> None:
        """Hold these contents and nothing else, from the next request on."""
        with self.activate():
            if self._file is not None:
                self._overwrite(contents)
                return
            self.database.close()
            self.database.contents = contents

    def _overwrite(self, contents: bytes) -> None:
        """A file in WAL mode keeps the size of its pages: what is copied into it has to fit."""
        (size,) = self.database.run("PRAGMA page_size").fetchone()
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "copy.sqlite3")
            copy.write_bytes(contents)
            with self.write_lock, closing(sqlite3.connect(copy)) as source:
                source.execute(f"PRAGMA page_size = {size}")
                source.execute("VACUUM")
                source.backup(self.connection())

    def connection(self) -> sqlite3.Connection:
        """The running thread's connection, opened at its first use."""
        connection: sqlite3.Connection = self.database.connection()  # type: ignore[no-untyped-call]
        return connection

    def writable(self) -> sqlite3.Connection:
        """The same, opened anew if it comes from when its file could only be read."""
        if not cast(_Connection, self.connection()).may_write:
            self.database.close()
        return self.connection()

    def check_file_unchanged(self) -> None:
        """That its file is where it was. Raises DatabaseUnavailable."""
        if self._file is not None:
            self._file.check_file_unchanged()

    def report_outage(self, error: BaseException) -> None:
        """Tell of what put the namespace out of order; it will work again when that is gone."""
        self.outages.report(error)
        if self._file is not None and requires_reconnect(error):
            self.database.close()

    def disconnect(self) -> None:
        """Close every connection, as must be before a fork; they open again."""
        for connection in list(self.database.opened):
            connection.close()
        self.database.dispose()
        if self._file:
            self._file.write_lock.close()

    def close(self) -> None:
        """Close every connection, and let the file be replaced; it can be opened again."""
        with self._alone:
            self._is_gone = self._file is None
        self.disconnect()
        if self._file:
            self._file.lease.release()


def memory_namespace(contents: bytes | None = None) -> Namespace:
    """A namespace that is kept nowhere else, empty or with these contents."""
    pragmas = {"page_size": _SMALL_PAGE, "foreign_keys": 1}
    database = Database(
        ":memory:",
        pragmas,
        thread_safe=False,
        check_same_thread=False,
        returning_clause=True,
        lock_type="IMMEDIATE",
    )
    database.contents = contents
    return Namespace(database)


def open_namespace(path: str, *, durability: str, busy_timeout_seconds: float = 5.0) -> Namespace:
    """The namespace in the file at `path`, or in memory for `:memory:`. Makes missing folders."""
    if path == ":memory:":
        return memory_namespace()
    pragmas: dict[str, Any] = {"foreign_keys": 1, "synchronous": DURABILITY[durability]}
    options: dict[str, Any] = {"lock_type": "IMMEDIATE", "timeout": busy_timeout_seconds}
    file = resolved(Path(path)).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    pragmas = {"journal_mode": "WAL", **pragmas}
    return Namespace(
        Database(
            str(file),
            pragmas,
            check_same_thread=False,
            returning_clause=True,
            file=DatabaseFile(file),
            **options,
        )
    )


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing, one writer at a time; what it reads cannot change before it writes.

    A transaction within a transaction is a part of it.
    """
    namespace = _namespace.get()
    if namespace.connection().in_transaction:
        yield
        return
    with namespace.write_lock:
        connection = namespace.writable()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    namespace.outages.report_success()


def check_file_unchanged() -> None:
    """Raise DatabaseUnavailable if the file of the active namespace is gone or replaced."""
    namespace = _namespace.get(None)
    if namespace is not None:
        namespace.check_file_unchanged()


def report_outage(error: BaseException) -> None:
    """A request was refused because the active namespace is out of order: told in the log,
    once."""
    namespace = _namespace.get(None)
    if namespace is not None:
        namespace.report_outage(error)


def has_undo_log() -> bool:
    """Whether the active namespace can be read as it was."""
    return current_namespace().has_undo_log


@contextmanager
def read_transaction() -> Iterator[None]:
    """Several reads of one moment; takes no lock that a writer would wait for."""
    connection = _namespace.get().connection()
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.rollback()

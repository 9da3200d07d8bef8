"""Namespaces: a namespace is one SQLite database, in a file or in memory."""

import mmap
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

import peewee as pw

from sessionary.durations import monotonic
from sessionary.store.connections import Connection, Database, Kept
from sessionary.store.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    OutageLog,
    requires_reconnect,
)
from sessionary.store.files import (
    DatabaseFile,
    ReadOnlyFile,
    create_folder,
    in_use_message,
    resolve_path,
)
from sessionary.store.later import Later

DURABILITY = {"full": "FULL", "normal": "NORMAL", "off": "OFF"}
DEFAULT = "default"  # the namespace that always exists
# Bytes. A double may hold thousands of memory namespaces with mostly empty tables.
_SMALL_PAGE = 512
_RETRY_SECONDS = 0.01

_namespace: ContextVar["Namespace"] = ContextVar("sessionary_namespace")
_generation: ContextVar[int] = ContextVar("sessionary_generation")  # of the active file


def current_namespace() -> "Namespace":
    """Return the active namespace. Raises LookupError where none is active."""
    return _namespace.get()


class _CurrentDatabase(pw.DatabaseProxy):
    """A proxy for the database of the active namespace."""

    __slots__ = ("_Model", "_callbacks")

    def __init__(self) -> None:
        self._callbacks: list[Any] = []

    @property
    def obj(self) -> Any:
        namespace = _namespace.get(None)
        return None if namespace is None else namespace.database


class Model(pw.Model):
    """The base class of every table. Its rows are those of the active namespace."""

    class Meta:
        database = _CurrentDatabase()
        legacy_table_names = False


class NamespaceClosed(Exception):
    """The namespace was closed, or got other contents, while the caller waited for it."""


class Namespace:
    """An open database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outages = OutageLog()
        self.name = DEFAULT
        self.parent: str | None = None  # the name of the one that it is a copy of
        self.has_undo_log = False
        self.schema_version = 0  # of the program, once `schema.migrate` has run
        self.generation = 0  # counts the times that its contents were replaced
        self.recording: Any = None  # of its run, see control.recording
        self.seeded_ids = -1, False  # at a generation: whether its ids have a seed, see `ids`
        self._delays: WeakSet[Any] = WeakSet()
        self._delays_lock = threading.Lock()
        self._file = file = database.file
        self.is_in_memory = file is None
        self.busy_timeout_seconds = float(database.timeout)
        # It gives until when SQLite's own lock may be waited for, None for memory.
        self.write_lock: AbstractContextManager[float | None] = (
            file.write_lock if file else nullcontext()
        )
        # The threads share the connection of a memory namespace, one request at a time.
        self._lock = None if file else threading.RLock()
        self._exclusive: AbstractContextManager[Any] = self._lock or nullcontext()
        self._is_closed = False

    @contextmanager
    def activate(self, generation: int | None = None) -> Iterator[None]:
        """Activate it in the block, where results must be fetched.

        Raises NamespaceClosed for a closed one, or one that is no longer of this generation.
        """
        with self._exclusive:
            if self._is_closed or generation not in (None, self.generation):
                raise self._closed()
            token = _namespace.set(self)
            is_outer = token.old_value is not self
            begun = None if self._file is None or not is_outer else _generation.set(self.generation)
            try:
                yield
            finally:
                _namespace.reset(token)
                if begun is not None:
                    _generation.reset(begun)
                if is_outer:
                    self.database.end_reads()

    def ensure_same_contents(self) -> None:
        """Raise NamespaceClosed if it got other contents since its activation.

        Called in its write lock: activation keeps no other thread from replacing a file.
        """
        if self._file is not None and _generation.get() != self.generation:
            raise self._closed()

    def _closed(self) -> NamespaceClosed:
        return NamespaceClosed(f"namespace {self.name!r} was dropped, reset or restored meanwhile")

    @contextmanager
    def lock_if_free(self) -> Iterator[bool]:
        """Reserve a memory namespace for this thread; yield False if another thread has it."""
        is_free = self._lock is None or self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free and self._lock is not None:
                self._lock.release()

    def contents(self) -> bytes:
        """Return all of it as the bytes of a database file."""
        with self.activate():
            if self._file is None:
                return self.connection().serialize()
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder, "copy.sqlite3")
                self.copy_to(copy)
                return copy.read_bytes()

    def copy(self) -> "Namespace":
        """Return a copy in memory of one in memory; the caller closes it."""
        with self.activate():
            contents = self.connection().serialize()
        made = memory_namespace(contents)
        made.name, made.has_undo_log = self.name, self.has_undo_log
        made.schema_version = self.schema_version
        return made

    def copy_to(self, path: Path) -> None:
        """Copy all of it into a new database file."""
        with self.activate():
            if self._file is not None:
                self.database.run("VACUUM INTO ?", (str(path),))
                return
            with closing(sqlite3.connect(path)) as copy:
                self.connection().backup(copy)

    def add_delay(self, delay: Any) -> None:
        """Have its `end` called by `end_delays`."""
        with self._delays_lock:
            self._delays.add(delay)

    def end_delays(self) -> None:
        """End the delays of held calls, which then look again at what they wait for."""
        with self._delays_lock:
            delays = list(self._delays)
        for delay in delays:
            delay.end()

    @cached_property
    def later(self) -> Later:
        """What no response waits for."""
        return Later(self)

    @contextmanager
    def activate_briefly(self) -> Iterator[None]:
        """Activate it in the block; if it hibernates, it does so again afterwards."""
        hibernates = self.is_in_memory and self.database.is_closed()
        with self.activate():
            yield
        if hibernates:
            self.hibernate()

    def hibernate(self) -> None:
        """Keep only the contents in memory until the next activation, unless in use."""
        if self._lock is not None and self._lock.acquire(blocking=False):
            try:
                if not (self.database.is_closed() or self.connection().in_transaction):
                    self.database.contents = self.connection().serialize()
                    self.database.close()
            finally:
                self._lock.release()

    def restore(self, contents: bytes) -> None:
        """Replace all of it with the bytes of a database file, from the next request on."""
        with self.activate():
            if self._file is not None:
                self._overwrite(contents)
            else:
                self.database.close()
                self.database.contents = contents
                self.generation += 1
        self.end_delays()

    def take_contents(self, made: "Namespace") -> None:
        """Replace all of it with what is in a namespace in memory, which must then be closed."""
        if self._file is not None:
            self.restore(made.contents())
            return
        with self.activate():
            self.database, made.database = made.database, self.database
            self.generation += 1
        self.end_delays()

    def _overwrite(self, contents: bytes) -> None:
        """Copy into the file. A file in WAL mode keeps its page size, so the copy must match."""
        (size,) = self.database.run("PRAGMA page_size").fetchone()
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "copy.sqlite3")
            copy.write_bytes(contents)
            with closing(sqlite3.connect(copy)) as source:
                source.execute(f"PRAGMA page_size = {size}")
                source.execute("VACUUM")
                with self.write_lock as due:
                    check = partial(self._check_waiting, due)
                    source.backup(self.connection(), progress=check, sleep=_RETRY_SECONDS)
                    self.generation += 1

    def _check_waiting(self, due: float | None, status: int, *_: int) -> None:
        """Raise DatabaseUnavailable once it is due: by itself, a copy waits without limit."""
        if status == sqlite3.SQLITE_BUSY and due is not None and monotonic() >= due:
            raise DatabaseUnavailable(
                f"another program writes to {label(self)}: end it, or try again when it has ended"
            )

    def connection(self) -> Connection:
        """Return the connection of the running thread, opened at its first use."""
        connection: Connection = self.database.connection()  # type: ignore[no-untyped-call]
        return connection

    def ensure_alone(self, is_needed: Callable[[], bool]) -> None:
        """Keep the file to this process until it is migrated, if that is needed by then.

        Raises DatabaseUnusable if another one has it open for longer than the busy timeout.
        """
        if self._file is not None and not self._file.lease.acquire_alone(is_needed):
            raise DatabaseUnusable(in_use_message(self._file.path))

    def check_file_unchanged(self) -> None:
        """Raise DatabaseUnavailable if the file is gone or was replaced."""
        if self._file is not None:
            self._file.check_unchanged()

    def report_outage(self, error: BaseException) -> None:
        """Log an error that makes the database unavailable; drop a connection that it broke."""
        self.outages.report(error)
        if self._file is not None and requires_reconnect(error):
            self.database.close()

    def disconnect(self) -> None:
        """Close every connection, as a fork requires. They reopen on demand."""
        if "later" in vars(self):
            self.later.finish()
        for connection in list(self.database.opened):
            connection.close()
        self.database.dispose()
        if self._file:
            self._file.write_lock.close()

    def close(self) -> None:
        """Close every connection and release the file. A file can be activated again."""
        with self._exclusive:
            self._is_closed = self._file is None
        self.end_delays()
        self.disconnect()
        if self.recording is not None:
            self.recording.close()
        if self._file:
            self._file.lease.release()


def memory_namespace(contents: bytes | mmap.mmap | None = None) -> Namespace:
    """Create a namespace in memory, empty or from the bytes of a database file."""
    database = Database(
        ":memory:",
        {"page_size": _SMALL_PAGE, "foreign_keys": 1},
        thread_safe=False,
        check_same_thread=False,
        returning_clause=True,
        lock_type="IMMEDIATE",
    )
    database.contents = contents
    return Namespace(database)


def open_namespace(path: str, *, durability: str, busy_timeout_seconds: float = 5.0) -> Namespace:
    """Open the file at `path`, or memory for `:memory:`.

    The file and its folder are created if missing, but not the folder that holds that one. Raises
    CannotWrite.
    """
    if path == ":memory:":
        return memory_namespace()
    file = resolve_path(Path(path)).absolute()
    create_folder(file.parent)
    pragmas = {"journal_mode": "WAL", "foreign_keys": 1, "synchronous": DURABILITY[durability]}
    return _file_namespace(DatabaseFile(file, busy_timeout_seconds), pragmas)


def open_read_only_namespace(path: str, busy_timeout_seconds: float) -> Namespace:
    """Open an existing file, also one that others write or that cannot be written."""
    file = resolve_path(Path(path)).absolute()
    return _file_namespace(ReadOnlyFile(file, busy_timeout_seconds), {"temp_store": "MEMORY"})


def _file_namespace(file: DatabaseFile, pragmas: dict[str, Any]) -> Namespace:
    return Namespace(
        Database(
            str(file.path),
            {"trusted_schema": 0, **pragmas},
            check_same_thread=False,
            returning_clause=True,
            file=file,
            lock_type="IMMEDIATE",
            timeout=file.busy_timeout_seconds,
        )
    )


def label(namespace: Namespace) -> str:
    """Return the name of its file for messages; contents in memory come from a file, too."""
    return "the file" if namespace.database.file is None else str(namespace.database.database)


def size_bytes(namespace: Namespace) -> int:
    """Return the size of the active namespace: its pages in memory, or its file and WAL."""
    if namespace.database.file is None:
        (size,) = namespace.database.run(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        return int(size)
    file = Path(str(namespace.database.database))
    wal = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (wal.stat().st_size if wal.exists() else 0)


def keep(key: Hashable, read: Callable[[], Kept]) -> Kept:
    """Return what `read` returned for this key, until anything in the database changes."""
    return current_namespace().connection().keep(key, read)


def limit_reads(is_limited: bool) -> None:
    """Begin, or end, to refuse large reads of this thread in the active namespace, if any."""
    namespace = _namespace.get(None)
    if namespace is not None and (is_limited or not namespace.database.is_closed()):
        namespace.connection().limit_reads(is_limited)


def check_file_unchanged() -> None:
    """Raise DatabaseUnavailable if the file of the active namespace is gone or was replaced."""
    namespace = _namespace.get(None)
    if namespace is not None:
        namespace.check_file_unchanged()


def report_outage(error: BaseException) -> None:
    """Log an error that makes the active namespace unavailable, once per outage."""
    namespace = _namespace.get(None)
    if namespace is not None:
        namespace.report_outage(error)


def has_undo_log() -> bool:
    """Return whether the active namespace can be read as of a past instant."""
    return current_namespace().has_undo_log

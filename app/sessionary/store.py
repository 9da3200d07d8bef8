"""The only room that knows the engine: worlds, connections, transactions and statements.

A world is one SQLite database. Code that runs between `world.entered()` and its end works on
that world; the models are declared once and never bound to a database.
"""

import fcntl
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import peewee as pw

SCHEMA_VERSION = 1
DURABILITY = {"full": "FULL", "normal": "NORMAL", "off": "OFF"}
_OUT_OF_ORDER = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}

Row = TypeVar("Row")

_world: ContextVar["World"] = ContextVar("sessionary_world")


class Unusable(Exception):
    """A database that this program cannot work with; the message says why and what to do."""


class _CurrentDatabase(pw.DatabaseProxy):
    """Stands for the database of the world that the running code has entered."""

    __slots__ = ("_Model", "_callbacks")

    def __init__(self) -> None:
        self._callbacks: list[Any] = []

    @property
    def obj(self) -> Any:
        world = _world.get(None)
        return None if world is None else world.database


class Model(pw.Model):
    """The parent of every table: it lives in whichever world has been entered."""

    class Meta:
        database = _CurrentDatabase()
        legacy_table_names = False


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly."""


class _Database(pw.SqliteDatabase):
    """A database that remembers its connections, so that all of them can be closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        super().__init__(*args, factory=_Connection, **kwargs)

    def run(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute a statement as it is written."""
        return cast(sqlite3.Cursor, self.execute_sql(text, values))  # type: ignore[no-untyped-call]

    def _connect(self) -> _Connection:
        connection = cast(_Connection, super()._connect())  # type: ignore[misc]
        self.opened.add(connection)
        return connection


class _Turn:
    """One writer at a time, in the order of asking: SQLite's own busy wait starves threads.

    A lock file extends the turn to other processes. It is opened by the process that uses it:
    an inherited descriptor would share its parent's lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._file: int | None = None
        self._owner = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        self._depth += 1
        if self._depth == 1:
            fcntl.flock(self._opened(), fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            fcntl.flock(self._opened(), fcntl.LOCK_UN)
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


class World:
    """A database, open for work."""

    def __init__(self, database: _Database, turn: _Turn | None) -> None:
        self.database = database
        self.turn: AbstractContextManager[None] = turn or nullcontext()
        self._file_turn = turn
        # A memory world is one connection that its threads share, one request at a time.
        self._alone = nullcontext() if turn else threading.RLock()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make this the world of the running code; results are fetched before it is left."""
        with self._alone:
            token = _world.set(self)
            try:
                yield
            finally:
                _world.reset(token)

    def connection(self) -> sqlite3.Connection:
        """The running thread's connection, opened at its first use."""
        connection: sqlite3.Connection = self.database.connection()  # type: ignore[no-untyped-call]
        return connection

    def close(self) -> None:
        """Close every connection: at the end, and before the process forks (they reopen)."""
        for connection in list(self.database.opened):
            connection.close()
        self.database.dispose()
        if self._file_turn:
            self._file_turn.close()


def open_world(path: str, *, durability: str, busy_timeout_seconds: float = 5.0) -> World:
    """The world in the file at `path`, or in memory for `:memory:`. Makes missing folders."""
    pragmas: dict[str, Any] = {"foreign_keys": 1, "synchronous": DURABILITY[durability]}
    options: dict[str, Any] = {"lock_type": "IMMEDIATE", "timeout": busy_timeout_seconds}
    if path == ":memory:":
        database = _Database(
            path,
            pragmas,
            thread_safe=False,
            check_same_thread=False,
            returning_clause=True,
            **options,
        )
        return World(database, None)
    file = Path(path).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    pragmas = {"journal_mode": "WAL", **pragmas}
    database = _Database(
        str(file), pragmas, check_same_thread=False, returning_clause=True, **options
    )
    return World(database, _Turn(file.with_name(f"{file.name}.lock")))


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing, one writer at a time; what it reads cannot change before it writes.

    A transaction within a transaction is a part of it.
    """
    world = _world.get()
    connection = world.connection()
    if connection.in_transaction:
        yield
        return
    with world.turn:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


@contextmanager
def snapshot() -> Iterator[None]:
    """Several reads of one moment; takes no lock that a writer would wait for."""
    connection = _world.get().connection()
    connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.rollback()


def create(tables: Sequence[type[Model]], first_rows: Callable[[], None]) -> None:
    """Bring the entered world to this program's schema; safe when several processes start.

    Raises Unusable for a database of a newer program.
    """
    database = _world.get().database
    if _version(database) == SCHEMA_VERSION:
        return
    with transaction():
        found = _version(database)
        if found > SCHEMA_VERSION:
            raise Unusable(
                f"{database.database} has schema version {found}, this program knows up to "
                f"{SCHEMA_VERSION}: start the newer program, or restore an older copy."
            )
        if found == 0:
            database.create_tables(tables, safe=False)
            first_rows()
            database.run(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(database: _Database) -> int:
    return int(database.run("PRAGMA user_version").fetchone()[0])


def is_out_of_order(error: BaseException) -> bool:
    """Whether the engine could not do its work just now: busy, full, or its file unreachable.

    Statements raise the engine's own errors, peewee wraps them.
    """
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _OUT_OF_ORDER


class _Name(str):
    """Marks the place of a value that each call brings."""


class _Given(pw.ColumnBase):
    def __init__(self, name: str) -> None:
        self._name = _Name(name)

    def __sql__(self, ctx: pw.Context) -> pw.Context:
        return cast(pw.Context, ctx.value(self._name, converter=False))


def given(name: str) -> Any:
    """Stands in a query for the value that each call brings under this name."""
    return _Given(name)


def given_list(name: str) -> Any:
    """Stands after `.in_` for a list that travels as one JSON parameter."""
    return pw.Select((pw.fn.json_each(given(name)),), (pw.SQL("value"),))


class Statement(Generic[Row]):
    """A query written with the models, whose text is rendered once, at its first use.

    `row` makes a row of the selected columns, in their order; each call brings the values for
    the query's `given` places. A missing value is a KeyError.
    """

    def __init__(self, row: Callable[[tuple[Any, ...]], Row], query: Callable[[], Any]) -> None:
        self.query = query
        self._row = row
        self._rendered: tuple[str, tuple[Any, ...]] | None = None

    def all(self, **values: Any) -> list[Row]:
        """Every row, fetched."""
        return [self._row(found) for found in self._execute(values).fetchall()]

    def one(self, **values: Any) -> Row | None:
        """The first row, or None."""
        found = self._execute(values).fetchone()
        return None if found is None else self._row(found)

    def run(self, **values: Any) -> int:
        """Change rows; how many there were says who won."""
        return int(self._execute(values).rowcount)

    def _execute(self, values: dict[str, Any]) -> sqlite3.Cursor:
        text, places = self._rendered or self._render()
        parameters = [values[place] if type(place) is _Name else place for place in places]
        return _world.get().connection().execute(text, parameters)

    def _render(self) -> tuple[str, tuple[Any, ...]]:
        text, places = self.query().sql()
        self._rendered = (text, tuple(places))
        return self._rendered


def insertion(model: type[Model], *, without: Iterable[str] = ()) -> Statement[Any]:
    """A statement that adds a row, given a value for each column but those left out."""
    names = [name for name in model._meta.sorted_field_names if name not in without]
    return Statement(tuple, lambda: model.insert({name: given(name) for name in names}))


def put(model: type[Model], *keys: str, **values: Any) -> None:
    """Add a row, or bring the one with the same `keys` up to these values."""
    same = [getattr(model, key) == values[key] for key in keys]
    changes = {name: value for name, value in values.items() if name not in keys}
    if model.select(pw.SQL("1")).where(*same).exists():
        if changes:
            model.update(**changes).where(*same).execute()
    else:
        model.create(**values)

"""The undo log: the previous values of each changed row, written by triggers.

It is how a namespace is read as of a past instant: by an index, the first entry of a row after that
instant has its values then. A double keeps one, a server does not. Every connection keeps the
triggers parsed, so they are as short as possible.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import peewee as pw

from sessionary.store.connections import Position
from sessionary.store.database import Model, current_namespace
from sessionary.store.statements import Statement, param
from sessionary.store.transactions import transaction
from sessionary.store.undo_triggers import SessionColumns, logged_tables, triggers

MAX_ENTRIES = 400_000  # changed rows, of some 0.5 KB each; the oldest writes are dropped first
_BEGINNING = -(2**62)  # before all instants
# How far a `created_at` may be ahead of the clock: some surfaces give each of an instant another.
_AHEAD = 1_000_000
_LAST_WRITE = 2**62  # follows every write of an instant
_call: ContextVar[str | None] = ContextVar("sessionary_call", default=None)


class CurrentWrite(Model):
    """One row: the write that is under way, or else the last one."""

    no = pw.IntegerField()
    at = pw.BigIntegerField()
    shown_at = pw.BigIntegerField()
    call = pw.TextField(null=True)
    newest_at = pw.BigIntegerField()  # the last instant that a row can have been created at

    class Meta:
        table_name = "history_now"
        primary_key = False


class UndoEntry(Model):
    """A changed row: its write, and its values before.

    `at` is the instant that shows the change: of the write, which `shown_at` keeps, or an earlier
    one that the clock was moved back to since. It rises with `no`, the number of the write; that
    of a seed is 0. An entry without a table is of no row, but a moment of the clock; the first one
    is where the log begins.
    """

    seq = pw.AutoField()
    no = pw.IntegerField()
    at = pw.BigIntegerField()
    shown_at = pw.BigIntegerField()
    call = pw.TextField(null=True)
    newest_at = pw.BigIntegerField()  # see CurrentWrite
    table_name = pw.TextField()
    row_id = pw.IntegerField()
    session = pw.TextField(null=True)
    old_values = pw.TextField(null=True)  # a JSON array; null: there was no row
    due_at = pw.BigIntegerField(null=True)  # the last deadline of the old values that had passed
    first_due_at = pw.BigIntegerField(null=True)

    class Meta:
        table_name = "history_entries"
        indexes = ((("row_id", "table_name", "at", "no"), False), (("at", "no"), False))


_in_order = (UndoEntry.table_name, UndoEntry.at, UndoEntry.no)
for _name, _columns, _condition in (
    ("due", (UndoEntry.due_at, UndoEntry.first_due_at), "due_at IS NOT NULL"),
    ("births", _in_order, "old_values IS NULL"),
    ("changes", (*_in_order, UndoEntry.row_id), "old_values IS NOT NULL"),
    ("seeded", (UndoEntry.table_name, UndoEntry.row_id), "old_values IS NULL AND no = 0"),
):
    _index = UndoEntry.index(*_columns, name=f"history_entries_{_name}")
    UndoEntry.add_index(_index.where(pw.SQL(_condition)))


class SessionWrite(NamedTuple):
    """A write that changed a row of a session. `no`, then `seq`, order those of one instant."""

    seq: int
    no: int
    at: int
    shown_at: int
    call: str | None
    table_name: str
    session: str


TABLES = (CurrentWrite, UndoEntry)
_begin = Statement(
    lambda row: int(row[0]),
    lambda: CurrentWrite.update(
        no=CurrentWrite.no + 1,
        at=pw.fn.MAX(CurrentWrite.at, param("at")),
        shown_at=param("at"),
        call=param("call"),
        newest_at=pw.fn.MAX(CurrentWrite.newest_at, param("at")),
    ).returning(CurrentWrite.no),
)
_newest_at = Statement(
    lambda row: int(row[0]),
    lambda: (
        UndoEntry.select(UndoEntry.newest_at)
        .where(UndoEntry.at <= param("at"))
        .order_by(UndoEntry.at.desc(), UndoEntry.seq.desc())
        .limit(1)
    ),
)
_first_at = Statement(lambda row: int(row[0]), lambda: UndoEntry.select(pw.fn.MIN(UndoEntry.at)))
# Changes of sessions after one instant and up to another.
_is_between = (UndoEntry.at > param("after")) & (UndoEntry.at <= param("until"))
_writes = Statement(
    SessionWrite._make,
    lambda: (
        UndoEntry.select(*(getattr(UndoEntry, name) for name in SessionWrite._fields))
        .where(_is_between, UndoEntry.session.is_null(False))
        .order_by(UndoEntry.at, UndoEntry.no, UndoEntry.seq)
        .limit(param("limit"))
    ),
)
_due = Statement(
    lambda row: (int(row[0]), str(row[1]), str(row[2])),
    lambda: (
        UndoEntry.select(UndoEntry.first_due_at, UndoEntry.table_name, UndoEntry.session)
        .where(
            # A deadline at `after` counts: a state may begin one microsecond after it.
            UndoEntry.due_at >= param("after"),
            UndoEntry.first_due_at <= param("until"),
            UndoEntry.session.is_null(False),
        )
        .order_by(UndoEntry.first_due_at, UndoEntry.seq)
    ),
)
_MOVE_BACK = (
    # Of a row without a session the first entry is enough, and those of seeds are not in order.
    "DELETE FROM history_entries AS entry WHERE at > :at AND session IS NULL AND table_name <> '' "
    "AND EXISTS (SELECT 1 FROM history_entries AS earlier WHERE earlier.row_id = entry.row_id "
    "AND earlier.table_name = entry.table_name AND earlier.at >= :at "
    "AND (earlier.at, earlier.no, earlier.seq) < (entry.at, entry.no, entry.seq))",
    "UPDATE history_entries SET at = :at WHERE at > :at",
    "UPDATE history_now SET no = no + 1, at = :at, shown_at = :at, call = :call",
    # An entry of no row, so that the last one up to an instant knows how far the clock had been.
    "INSERT INTO history_entries (no, at, shown_at, call, newest_at, table_name, row_id) "
    "SELECT no, at, shown_at, call, newest_at, '', 0 FROM history_now",
)
# The last entry, at or before one, that is of another write than the next.
_LAST_TO_DROP = """SELECT MAX(seq) FROM history_entries WHERE seq <= ?1 AND no <>
(SELECT no FROM history_entries WHERE seq > ?1 ORDER BY seq LIMIT 1)"""
_DROP = (
    "UPDATE history_entries SET table_name = '', row_id = 0, session = NULL, old_values = NULL, "
    "due_at = NULL, first_due_at = NULL, "
    "at = (SELECT MAX(at) FROM history_entries WHERE seq <= ?1) WHERE seq = ?1",
    "DELETE FROM history_entries WHERE seq < ?1",
)


def enable(columns: SessionColumns) -> None:
    """Start the undo log of the active namespace, if it is not running."""
    namespace = current_namespace()
    # The triggers call json_array, which some versions of SQLite do not count as harmless.
    namespace.database.pragma("trusted_schema", 1, permanent=True)
    namespace.has_undo_log = True
    tables = [each for tables in columns.values() for each in tables.items()]
    logged_tables.update({table._meta.table_name: table for table, _ in tables})
    with transaction():
        if not CurrentWrite.table_exists():  # type: ignore[no-untyped-call]
            namespace.database.create_tables(TABLES)
            now = {"no": 0, "at": _BEGINNING, "shown_at": _BEGINNING}
            now["newest_at"] = max((_newest_of(table) for table, _ in tables), default=0)
            CurrentWrite.insert(now).execute()
            UndoEntry.insert(**now, table_name="", row_id=0).execute()
        for table, column in tables:
            for trigger in triggers(table, column):
                _create(trigger.name, trigger.sql)


def _create(name: str, sql: str) -> None:
    run = current_namespace().database.run
    if not run("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
        run(sql)


def _newest_of(table: type[Model]) -> int:
    column = table._meta.columns.get("created_at")
    return 0 if column is None else int(table.select(pw.fn.MAX(column)).scalar() or 0)


def disable(tables: Iterable[type[Model]]) -> None:
    """Remove the undo log of the active namespace, which a double may have left in the file."""
    database = current_namespace().database
    if CurrentWrite.table_exists():  # type: ignore[no-untyped-call]
        with transaction():
            for table in tables:
                for trigger in triggers(table, None):
                    database.run(f'DROP TRIGGER IF EXISTS "{trigger.name}"')
            database.drop_tables(TABLES)


def begin_entry(at: int) -> None:
    """Log the changes of the running transaction under this instant, and trim the log."""
    if current_namespace().has_undo_log:
        (number,) = _begin.all(at=at, call=_call.get())
        if number % max(1, MAX_ENTRIES // 20) == 0:
            _trim()


def move_back(at: int, shown_at: int) -> None:
    """Note that the clock goes back to `at`: the instants after it mean what is shown from now on.

    Must run inside a transaction.
    """
    if current_namespace().has_undo_log:
        for sql in _MOVE_BACK:
            values = {"at": at, "shown_at": shown_at, "call": _call.get()}
            current_namespace().connection().execute(sql, values)


@contextmanager
def attributed_to(call: str) -> Iterator[None]:
    """Log this call's id with the changes made in the block."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


def earliest_at() -> int | None:
    """Return the earliest instant that can be read; None if the log is off or complete."""
    first_at = _first_at.one() if current_namespace().has_undo_log else None
    return None if first_at == _BEGINNING else first_at


def position_at(at: int) -> Position:
    """Return the position of an instant: after its last write.

    If the clock was moved back, an instant means the last time that it was shown.
    """
    return Position(max(at, _newest_at.one(at=at) or 0) + _AHEAD, at, _LAST_WRITE)


def after_write(at: int, no: int) -> Position:
    """Return the position after a write, where only sessions are found by their ids."""
    return Position(_LAST_WRITE, at, no)


def read_from(position: Position) -> None:
    """Read the active namespace as of this position from now on, within a `reading` block."""
    current_namespace().connection().position = position


@contextmanager
def reading(position: Position | None) -> Iterator[None]:
    """Read the active namespace as of this position, or now, in the block.

    Rows that the block fetches later are read so, too, if their statement ran inside.
    """
    connection = current_namespace().connection()
    before, connection.position = connection.position, position
    try:
        yield
    finally:
        connection.position = before


def session_writes(after: int, until: int, limit: int) -> list[SessionWrite]:
    """List the first changed rows of sessions, after one instant and up to another, in order."""
    return _writes.all(after=after, until=until, limit=limit)


def due_sessions(after: int, until: int) -> list[tuple[int, str, str]]:
    """List sessions that were changed after a deadline between two instants had passed.

    Each with the deadline and the table of the changed row, in order.
    """
    return _due.all(after=after, until=until)


def _trim() -> None:
    run = current_namespace().database.run
    (last,) = run("SELECT MAX(seq) FROM history_entries").fetchone()
    if last is not None and last > MAX_ENTRIES:
        (dropped,) = run(_LAST_TO_DROP, (last - MAX_ENTRIES,)).fetchone()
        if dropped is not None:
            for sql in _DROP:
                run(sql, (dropped,))

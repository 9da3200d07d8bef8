"""The undo log: the previous values of each changed row, written by triggers.

It is how a namespace is read as of a past instant. A double keeps one, a server does not. Every
connection keeps the triggers parsed, so they are as short as possible.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import peewee as pw

from sessionary.store.database import Model, current_namespace
from sessionary.store.statements import Statement, param
from sessionary.store.transactions import transaction
from sessionary.store.undo_triggers import SessionColumns, table_columns, undo_sql

MAX_ENTRIES = 100_000  # changed rows; the oldest transactions are dropped first
_call: ContextVar[str | None] = ContextVar("sessionary_call", default=None)


class UndoStatement(Model):
    """The statement that undoes one event on one table."""

    id = pw.IntegerField(primary_key=True)
    surface = pw.TextField()
    statement = pw.TextField()

    class Meta:
        table_name = "history_ways"


class WriteTransaction(Model):
    """A transaction: its instant in the namespace, its call, the last entry before it."""

    id = pw.AutoField()
    at = pw.BigIntegerField(index=True)
    call = pw.TextField(null=True)
    after = pw.IntegerField(index=True)

    class Meta:
        table_name = "history_writes"


class UndoEntry(Model):
    """A changed row: how to undo the change, with which values, and the session it belongs to."""

    seq = pw.AutoField()
    statement = pw.IntegerField(column_name="way")
    session = pw.TextField(null=True)
    values = pw.TextField(column_name="row")  # a JSON array

    class Meta:
        table_name = "history_changes"


class Change(NamedTuple):
    """A changed row as the diff lists it. `write` is the transaction's id."""

    seq: int
    at: int
    call: str | None
    write: int
    surface: str
    session: str | None


TABLES = (UndoStatement, WriteTransaction, UndoEntry)
_entry = UndoEntry.alias()
_other = WriteTransaction.alias()
_LAST_SEQ = pw.fn.COALESCE(pw.fn.MAX(_entry.seq), 0)
_LAST = _entry.select(_LAST_SEQ)
# The end of the newest transaction that has no entry among the last `max_entries`.
_CUTOFF = _other.select(pw.fn.MAX(_other.after)).where(
    _other.after <= _entry.select(_LAST_SEQ - param("max_entries"))
)
_last_seq = Statement(lambda row: int(row[0]), lambda: _LAST)
_delete_empty = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after == _LAST)
)
_begin = Statement(
    tuple, lambda: WriteTransaction.insert(at=param("at"), call=param("call"), after=_LAST)
)
_trim_entries = Statement(tuple, lambda: UndoEntry.delete().where(UndoEntry.seq <= _CUTOFF))
_trim_transactions = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after < _CUTOFF)
)
_delete_entries = Statement(tuple, lambda: UndoEntry.delete().where(UndoEntry.seq > param("seq")))
_delete_transactions = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after >= param("seq"))
)
_seq_at = Statement(
    lambda row: None if row[0] is None else int(row[0]),
    lambda: WriteTransaction.select(pw.fn.MIN(WriteTransaction.after)).where(
        WriteTransaction.id
        > pw.fn.COALESCE(_other.select(pw.fn.MAX(_other.id)).where(_other.at <= param("at")), 0)
    ),
)
_entries_after = Statement(
    tuple,
    lambda: (
        UndoEntry.select(UndoStatement.statement, UndoEntry.values)
        .join(UndoStatement, on=(UndoStatement.id == UndoEntry.statement))
        .where(UndoEntry.seq > param("seq"))
        .order_by(UndoEntry.seq.desc())
    ),
)
_changes = Statement(
    Change._make,
    lambda: (
        UndoEntry.select(
            UndoEntry.seq,
            WriteTransaction.at,
            WriteTransaction.call,
            WriteTransaction.id,
            UndoStatement.surface,
            UndoEntry.session,
        )
        .join(UndoStatement, on=(UndoStatement.id == UndoEntry.statement))
        .join(
            WriteTransaction,
            on=(
                WriteTransaction.id
                == _other.select(pw.fn.MAX(_other.id)).where(_other.after < UndoEntry.seq)
            ),
        )
        .where(UndoEntry.seq > param("after"), UndoEntry.seq <= param("until"))
        .order_by(UndoEntry.seq)
    ),
)
_oldest = Statement(
    tuple,
    lambda: (
        WriteTransaction.select(WriteTransaction.id, WriteTransaction.at)
        .order_by(WriteTransaction.id)
        .limit(1)
    ),
)


def enable(columns: SessionColumns) -> None:
    """Start the undo log of the active namespace, if it is not running."""
    namespace = current_namespace()
    # The triggers call json_array, which some versions of SQLite do not count as harmless.
    namespace.database.pragma("trusted_schema", 1, permanent=True)
    with transaction():
        if not UndoStatement.table_exists():  # type: ignore[no-untyped-call]
            namespace.database.create_tables(TABLES)
        for surface, tables in columns.items():
            for table, column in tables.items():
                _create_triggers(surface, table, column)
    namespace.has_undo_log = True


def disable(tables: Iterable[type[Model]]) -> None:
    """Remove the undo log of the active namespace, which a double may have left in the file."""
    namespace = current_namespace()
    if UndoStatement.table_exists():  # type: ignore[no-untyped-call]
        with transaction():
            for table in tables:
                for undo in undo_sql(table_columns(table)):
                    namespace.database.run(f'DROP TRIGGER IF EXISTS "{undo.trigger}"')
            namespace.database.drop_tables(TABLES)


def begin_entry(at: int) -> None:
    """Log the changes of the running transaction under this instant, and trim the log."""
    if current_namespace().has_undo_log:
        _delete_empty.run()
        _begin.run(at=at, call=_call.get())
        _trim_entries.run(max_entries=MAX_ENTRIES)
        _trim_transactions.run(max_entries=MAX_ENTRIES)


@contextmanager
def attributed_to(call: str) -> Iterator[None]:
    """Log this call's id with the changes made in the block."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Leave changes made in this block out of the undo log. Must run inside a transaction."""
    if not current_namespace().has_undo_log:
        yield
        return
    last = _last_seq.one()
    yield
    _delete_entries.run(seq=last)


def earliest_at() -> int | None:
    """Return the earliest instant that can be read; None if the log is off or complete."""
    oldest = _oldest.one() if current_namespace().has_undo_log else None
    return oldest[1] if oldest is not None and oldest[0] > 1 else None


def changes(after: int, until: int) -> list[Change]:
    """List the changes after one instant and up to another, in order.

    If the clock was moved back, an instant means the last time that it was shown.
    """
    return list(_changes.rows(after=_find_seq_at(after), until=_find_seq_at(until)))


def rewind(seq: int) -> None:
    """Undo every change after this one, in a transaction that the caller must roll back."""
    connection = current_namespace().connection()
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA defer_foreign_keys = 1")
    for statement, values in _entries_after.rows(seq=seq):
        connection.execute(statement, json.loads(values))
    _delete_entries.run(seq=seq)
    _delete_transactions.run(seq=seq)


def rewind_to(at: int) -> None:
    """Undo every change made after the clock last showed this instant. See `rewind`."""
    rewind(_find_seq_at(at))


@contextmanager
def rewind_scope() -> Iterator[None]:
    """Roll back at the end of the block, however the namespace was rewound in it."""
    try:
        yield
    finally:
        current_namespace().connection().rollback()


def _create_triggers(surface: str, table: type[Model], column: str | None) -> None:
    run = current_namespace().database.run
    for undo in undo_sql(table_columns(table)):
        if not run("SELECT 1 FROM sqlite_master WHERE name = ?", (undo.trigger,)).fetchone():
            id = UndoStatement.insert(surface=surface, statement=undo.statement).execute()
            run(undo.create_sql(id, column))


def _find_seq_at(at: int) -> int:
    """Return the last change that had been made when the clock last showed this instant."""
    found = _seq_at.one(at=at)
    return (_last_seq.one() or 0) if found is None else found

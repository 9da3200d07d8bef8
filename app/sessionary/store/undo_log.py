"""What undoes each write, so that a namespace can be read as it was. A double keeps it, a server
not.

Triggers write it down: for each changed row, what was there before. Every connection keeps its
triggers parsed, so they are as small as can be.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import peewee as pw

from sessionary.store.database import Model, current_namespace, transaction
from sessionary.store.statements import Statement, param
from sessionary.store.undoing import undoing

KEPT = 100_000  # changed rows; the oldest writes go first
_call: ContextVar[str | None] = ContextVar("sessionary_call", default=None)


class UndoStatement(Model):
    """How one kind of change is taken back, and on whose table."""

    id = pw.IntegerField(primary_key=True)
    surface = pw.TextField()
    statement = pw.TextField()

    class Meta:
        table_name = "history_ways"


class WriteTransaction(Model):
    """A transaction: the namespace's instant, the call, and the last change before it."""

    id = pw.AutoField()
    at = pw.BigIntegerField(index=True)
    call = pw.TextField(null=True)
    after = pw.IntegerField(index=True)

    class Meta:
        table_name = "history_writes"


class UndoEntry(Model):
    """A change of one row: whose session it concerned, and the values that take it back."""

    seq = pw.AutoField()
    way = pw.IntegerField()
    session = pw.TextField(null=True)
    row = pw.TextField()  # a JSON array

    class Meta:
        table_name = "history_changes"


class Change(NamedTuple):
    """A change of one row: at which instant, by which call and write, and of whose session."""

    seq: int
    at: int
    call: str | None
    write: int
    surface: str
    session: str | None


_TABLES = (UndoStatement, WriteTransaction, UndoEntry)
_newest = UndoEntry.alias()
_later = WriteTransaction.alias()
_SEQ = pw.fn.COALESCE(pw.fn.MAX(_newest.seq), 0)
_NEWEST = _newest.select(_SEQ)
# The last write but one that is wholly older than the changes that are kept.
_BORDER = _later.select(pw.fn.MAX(_later.after)).where(
    _later.after <= _newest.select(_SEQ - param("kept"))
)
_last = Statement(lambda found: int(found[0]), lambda: _NEWEST)
_empty = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after == _NEWEST)
)
_mark = Statement(
    tuple, lambda: WriteTransaction.insert(at=param("at"), call=param("call"), after=_NEWEST)
)
_trim_changes = Statement(tuple, lambda: UndoEntry.delete().where(UndoEntry.seq <= _BORDER))
_trim_writes = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after < _BORDER)
)
_cut = Statement(tuple, lambda: UndoEntry.delete().where(UndoEntry.seq > param("seq")))
_cut_writes = Statement(
    tuple, lambda: WriteTransaction.delete().where(WriteTransaction.after >= param("seq"))
)
# What is behind the last write at or before an instant.
_behind = Statement(
    lambda found: None if found[0] is None else int(found[0]),
    lambda: WriteTransaction.select(pw.fn.MIN(WriteTransaction.after)).where(
        WriteTransaction.id
        > pw.fn.COALESCE(_later.select(pw.fn.MAX(_later.id)).where(_later.at <= param("at")), 0)
    ),
)
_undoing = Statement(
    tuple,
    lambda: (
        UndoEntry.select(UndoStatement.statement, UndoEntry.row)
        .join(UndoStatement, on=(UndoStatement.id == UndoEntry.way))
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
        .join(UndoStatement, on=(UndoStatement.id == UndoEntry.way))
        .join(
            WriteTransaction,
            on=(
                WriteTransaction.id
                == _later.select(pw.fn.MAX(_later.id)).where(_later.after < UndoEntry.seq)
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


def enable(columns: Mapping[str, Mapping[type[Model], str | None]]) -> None:
    """From here on the active namespace keeps its history.

    `columns` says by surface which tables have one, and which column names a row's session.
    """
    namespace = current_namespace()
    with transaction():
        if not UndoStatement.table_exists():  # type: ignore[no-untyped-call]
            namespace.database.create_tables(_TABLES)
        for surface, tables in columns.items():
            for table, column in tables.items():
                _watch(surface, table, column)
    namespace.has_undo_log = True


def disable(tables: Iterable[type[Model]]) -> None:
    """Keep no history in the active namespace, which a double may have left."""
    namespace = current_namespace()
    if UndoStatement.table_exists():  # type: ignore[no-untyped-call]
        with transaction():
            for table in tables:
                for each in undoing(table):
                    namespace.database.run(f'DROP TRIGGER IF EXISTS "{_name(table, each.event)}"')
            namespace.database.drop_tables(_TABLES)


def begin_entry(at: int) -> None:
    """Write down under this instant what the active namespace's transaction goes on to change."""
    if current_namespace().has_undo_log:
        _empty.run()
        _mark.run(at=at, call=_call.get())
        _trim_changes.run(kept=KEPT)
        _trim_writes.run(kept=KEPT)


@contextmanager
def attributed_to(call: str) -> Iterator[None]:
    """Write down this call with what is changed meanwhile."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """What is changed meanwhile has always been so; it is part of a transaction."""
    if not current_namespace().has_undo_log:
        yield
        return
    last = _last.one()
    yield
    _cut.run(seq=last)


def earliest_at() -> int | None:
    """The earliest instant that can be read; None where nothing is kept or nothing was lost."""
    found = _oldest.one() if current_namespace().has_undo_log else None
    return found[1] if found is not None and found[0] > 1 else None


def changes(after: int, until: int) -> list[Change]:
    """What was changed behind one instant and not behind another, in order.

    Where the clock was moved back, an instant is the last time that it was shown.
    """
    return _changes.all(after=_last_at(after), until=_last_at(until))


def rewind(seq: int) -> None:
    """Begin a transaction in which all is as it was after this change. It must be rolled back."""
    connection = current_namespace().connection()
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA defer_foreign_keys = 1")
    for statement, row in _undoing.all(seq=seq):
        connection.execute(statement, json.loads(row))
    _cut.run(seq=seq)
    _cut_writes.run(seq=seq)


def rewind_to(at: int) -> None:
    """`rewind` to what the namespace was when its clock last showed this instant."""
    rewind(_last_at(at))


@contextmanager
def rewind_scope() -> Iterator[None]:
    """However the namespace is rewound meanwhile, it is as before at the end."""
    try:
        yield
    finally:
        current_namespace().connection().rollback()


def _last_at(at: int) -> int:
    """The last change that had been made when the clock last showed this instant."""
    behind = _behind.one(at=at)
    return (_last.one() or 0) if behind is None else behind


def _watch(surface: str, table: type[Model], column: str | None) -> None:
    run = current_namespace().database.run
    for each in undoing(table):
        name = _name(table, each.event)
        if run("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
            continue
        way = UndoStatement.insert(surface=surface, statement=each.statement).execute()
        session = "NULL" if column is None else f'{each.row}."{column}"'
        run(
            f'CREATE TRIGGER "{name}" AFTER {each.event} ON "{table._meta.table_name}" BEGIN '  # noqa: S608
            f'INSERT INTO "{UndoEntry._meta.table_name}" '
            f"VALUES (NULL, {way}, {session}, {each.values}); END"
        )


def _name(table: type[Model], event: str) -> str:
    return f"history_{table._meta.table_name}_{event.lower()}"

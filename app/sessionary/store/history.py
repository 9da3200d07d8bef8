"""What undoes each write, so that a world can be read as it was. A double keeps it, a server not.

Triggers write it down: for each changed row a statement that brings back what was there before.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import peewee as pw

from sessionary.store.statements import Statement, given
from sessionary.store.undoing import undoing
from sessionary.store.worlds import Model, current, transaction

KEPT = 100_000  # entries; the oldest go first
_call: ContextVar[str | None] = ContextVar("sessionary_call", default=None)


class Moment(Model):
    """One row: the world's instant and the call of the write that is going on, and its number."""

    id = pw.IntegerField(primary_key=True)
    at = pw.BigIntegerField()
    call = pw.TextField(null=True)  # by which call
    write = pw.IntegerField()
    is_kept = pw.IntegerField()

    class Meta:
        table_name = "history_moment"


class Undo(Model):
    """How a change of one row is taken back, and whose session it concerned."""

    seq = pw.AutoField()
    at = pw.BigIntegerField(index=True)
    call = pw.TextField(null=True)
    write = pw.IntegerField()
    surface = pw.TextField()
    session = pw.TextField(null=True)
    statement = pw.TextField()

    class Meta:
        table_name = "history_undo"


class Change(NamedTuple):
    """A change of one row: at which instant, by which call and write, and of whose session."""

    seq: int
    at: int
    call: str | None
    write: int
    surface: str
    session: str | None


_TABLES = (Moment, Undo)
_mark = Statement(
    tuple, lambda: Moment.update(at=given("at"), call=given("call"), write=Moment.write + 1)
)
_keep = Statement(tuple, lambda: Moment.update(is_kept=given("is_kept")))
_newest = Undo.alias()
_trim = Statement(
    tuple,
    lambda: Undo.delete().where(Undo.seq <= _newest.select(pw.fn.MAX(_newest.seq) - given("kept"))),
)
_last_before = Statement(
    lambda found: int(found[0] or 0),
    lambda: Undo.select(pw.fn.MAX(Undo.seq)).where(Undo.at <= given("at")),
)
_undoing = Statement(
    lambda found: str(found[0]),
    lambda: Undo.select(Undo.statement).where(Undo.seq > given("seq")).order_by(Undo.seq.desc()),
)
_changes = Statement(
    Change._make,
    lambda: (
        Undo.select(*(getattr(Undo, name) for name in Change._fields))
        .where(Undo.seq > given("seq"))
        .order_by(Undo.seq)
    ),
)
_oldest = Statement(tuple, lambda: Undo.select(Undo.seq, Undo.at).order_by(Undo.seq).limit(1))


def keep(columns: Mapping[str, Mapping[type[Model], str | None]]) -> None:
    """From here on the entered world keeps its history.

    `columns` says by surface which tables have one, and which column names a row's session.
    """
    world = current()
    with transaction():
        if not Moment.table_exists():  # type: ignore[no-untyped-call]
            world.database.create_tables(_TABLES)
            Moment.create(id=1, at=0, call=None, write=0, is_kept=1)
        for surface, tables in columns.items():
            for table, column in tables.items():
                for event, does in undoing(table).items():
                    world.database.run(_trigger(surface, table, column, event, does))
    world.keeps_history = True


def forget(tables: Iterable[type[Model]]) -> None:
    """Keep no history in the entered world, which a double may have left."""
    world = current()
    if Moment.table_exists():  # type: ignore[no-untyped-call]
        with transaction():
            for table in tables:
                for event in undoing(table):
                    world.database.run(f'DROP TRIGGER IF EXISTS "{_name(table, event)}"')
            world.database.drop_tables(_TABLES)


def mark(at: int) -> None:
    """Write down under this instant what the entered world's transaction goes on to change."""
    if current().keeps_history:
        _mark.run(at=at, call=_call.get())
        _trim.run(kept=KEPT)


@contextmanager
def caused_by(call: str) -> Iterator[None]:
    """Write down this call with what is changed meanwhile."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """What is changed meanwhile has always been so; it is part of a transaction."""
    if not current().keeps_history:
        yield
        return
    _keep.run(is_kept=0)
    yield
    _keep.run(is_kept=1)


def reaches_back_to() -> int | None:
    """The earliest instant that can be read; None where nothing is kept or nothing was lost."""
    found = _oldest.one() if current().keeps_history else None
    return found[1] if found is not None and found[0] > 1 else None


def changes(after: int, until: int) -> list[Change]:
    """What was changed behind one instant and not behind another, in order.

    Where the clock was moved back, an instant is the last time that it was shown.
    """
    behind = _last_before.one(at=until) or 0
    return [each for each in _changes.all(seq=_last_before.one(at=after)) if each.seq <= behind]


def rewind(seq: int) -> None:
    """Begin a transaction in which all is as it was after this entry. It must be rolled back."""
    connection = current().connection()
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA defer_foreign_keys = 1")
        _keep.run(is_kept=0)
    for statement in _undoing.all(seq=seq):
        connection.execute(statement)
    Undo.delete().where(Undo.seq > seq).execute()


def rewind_to(at: int) -> None:
    """`rewind` to what the world was when its clock last showed this instant."""
    rewind(_last_before.one(at=at) or 0)


@contextmanager
def rewound() -> Iterator[None]:
    """However the world is rewound meanwhile, it is as before at the end."""
    try:
        yield
    finally:
        current().connection().rollback()


def _trigger(surface: str, table: type[Model], column: str | None, event: str, undoing: str) -> str:
    session = "NULL" if column is None else f'{"old" if event == "DELETE" else "new"}."{column}"'
    return (
        f'CREATE TRIGGER IF NOT EXISTS "{_name(table, event)}" AFTER {event} '  # noqa: S608 - names
        f'ON "{table._meta.table_name}" BEGIN '
        f'INSERT INTO "{Undo._meta.table_name}" (at, call, write, surface, session, statement) '
        f"SELECT at, call, write, '{surface}', {session}, {undoing} "
        f'FROM "{Moment._meta.table_name}" WHERE is_kept; END'
    )


def _name(table: type[Model], event: str) -> str:
    return f"history_{table._meta.table_name}_{event.lower()}"

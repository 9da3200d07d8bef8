"""The SQL of the undo log's triggers."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from sessionary.store.database import Model

# The tables of each surface, and the column of the session id in each.
SessionColumns = Mapping[str, Mapping[type[Model], str | None]]


class TableColumns(NamedTuple):
    """A table's name, its columns in order, and those of its key."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]


class UndoSql(NamedTuple):
    """How to undo one event: a statement, and SQL for the JSON array of its values."""

    trigger: str
    table: str
    event: str
    row: str  # that has the values in the trigger: `new` or `old`
    statement: str
    values: str

    def create_sql(self, statement_id: int, column: str | None) -> str:
        """Return the SQL of the trigger; `column` has the id of the row's session."""
        session = "NULL" if column is None else f'{self.row}."{column}"'
        values = f"(NULL, {statement_id}, {session}, {self.values})"
        insert = f'INSERT INTO "history_changes" VALUES {values}'
        event = f'AFTER {self.event} ON "{self.table}"'
        return f'CREATE TRIGGER "{self.trigger}" {event} BEGIN {insert}; END'


def table_columns(table: type[Model]) -> TableColumns:
    """Return the columns of a model."""
    meta = table._meta
    keys = meta.get_primary_keys()  # type: ignore[no-untyped-call]
    names = (tuple(each.column_name for each in fields) for fields in (meta.sorted_fields, keys))
    return TableColumns(meta.table_name, *names)


def read_columns(execute: Callable[[str], sqlite3.Cursor], table: str) -> TableColumns:
    """Return the columns of a stored table."""
    rows = execute(f'PRAGMA table_info("{table}")').fetchall()
    keys = sorted((row[5], row[1]) for row in rows if row[5])
    return TableColumns(table, tuple(row[1] for row in rows), tuple(name for _, name in keys))


def delete_sql(table: TableColumns) -> str:
    """Return the statement that undoes an INSERT."""
    return f'DELETE FROM "{table.name}" WHERE ' + " AND ".join(f'"{k}" IS ?' for k in table.keys)


def replace_sql(table: TableColumns) -> str:
    """Return the statement that undoes an UPDATE or a DELETE."""
    names, places = (", ".join(each) for each in (_quoted(table.columns), "?" * len(table.columns)))
    return f'REPLACE INTO "{table.name}" ({names}) VALUES ({places})'


@cache
def undo_sql(table: TableColumns) -> list[UndoSql]:
    """Return how to undo each event on a table. No column may be a float: JSON would round it."""
    found = []
    for event, row, statement, names in (
        ("INSERT", "new", delete_sql(table), table.keys),
        ("UPDATE", "old", replace_sql(table), table.columns),
        ("DELETE", "old", replace_sql(table), table.columns),
    ):
        trigger = f"history_{table.name}_{event.lower()}"
        values = f"json_array({', '.join(f'{row}.{name}' for name in _quoted(names))})"
        found.append(UndoSql(trigger, table.name, event, row, statement, values))
    return found


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]

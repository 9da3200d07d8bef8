"""The SQL of the undo log's triggers."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

from collections.abc import Iterator
from typing import NamedTuple

from sessionary.store.database import Model


class UndoSql(NamedTuple):
    """How to undo one event: a statement, and an SQL expression for the JSON array of its values.

    `row` is the row that has them in the trigger, `new` or `old`.
    """

    event: str
    row: str
    statement: str
    values: str


def undo_sql(table: type[Model]) -> Iterator[UndoSql]:
    """Yield how to undo each event on a table. No column may be a float: JSON would round it."""
    meta = table._meta
    name = f'"{meta.table_name}"'
    columns = [f'"{each.column_name}"' for each in meta.sorted_fields]
    keys = [f'"{each.column_name}"' for each in meta.get_primary_keys()]  # type: ignore[no-untyped-call]
    delete = f"DELETE FROM {name} WHERE {' AND '.join(f'{key} IS ?' for key in keys)}"
    places = ", ".join("?" for _ in columns)
    replace = f"REPLACE INTO {name} ({', '.join(columns)}) VALUES ({places})"
    yield UndoSql("INSERT", "new", delete, _json_array("new", keys))
    yield UndoSql("UPDATE", "old", replace, _json_array("old", columns))
    yield UndoSql("DELETE", "old", replace, _json_array("old", columns))


def _json_array(row: str, columns: list[str]) -> str:
    return f"json_array({', '.join(f'{row}.{column}' for column in columns)})"


def create_trigger_sql(table: type[Model], event: str, log: type[Model], values: str) -> str:
    """Return the SQL of a trigger that inserts these values into the log."""
    return (
        f'CREATE TRIGGER "{trigger_name(table, event)}" AFTER {event} '
        f'ON "{table._meta.table_name}" BEGIN '
        f'INSERT INTO "{log._meta.table_name}" VALUES ({values}); END'
    )


def trigger_name(table: type[Model], event: str) -> str:
    """Return the name of the trigger for an event on a table."""
    return f"history_{table._meta.table_name}_{event.lower()}"

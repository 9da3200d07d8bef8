"""The SQL of the undo log's triggers."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from sessionary.store.database import Model

# The tables of each surface, and the column of the session id in each.
SessionColumns = Mapping[str, Mapping[type[Model], str | None]]


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


@cache
def undo_sql(table: type[Model]) -> list[UndoSql]:
    """Return how to undo each event on a table. No column may be a float: JSON would round it."""
    found = []
    meta = table._meta
    name_sql = f'"{meta.table_name}"'
    columns = [f'"{each.column_name}"' for each in meta.sorted_fields]
    keys = [f'"{each.column_name}"' for each in meta.get_primary_keys()]  # type: ignore[no-untyped-call]
    delete = f"DELETE FROM {name_sql} WHERE {' AND '.join(f'{key} IS ?' for key in keys)}"
    places = ", ".join("?" for _ in columns)
    replace = f"REPLACE INTO {name_sql} ({', '.join(columns)}) VALUES ({places})"
    for event, row, statement, names in (
        ("INSERT", "new", delete, keys),
        ("UPDATE", "old", replace, columns),
        ("DELETE", "old", replace, columns),
    ):
        trigger = f"history_{meta.table_name}_{event.lower()}"
        values = f"json_array({', '.join(f'{row}.{name}' for name in names)})"
        found.append(UndoSql(trigger, meta.table_name, event, row, statement, values))
    return found

"""What takes the change of a row back: a statement, and the values that it needs."""

# ruff: noqa: S608 - the names are those of our own tables

from collections.abc import Iterator
from typing import NamedTuple

from sessionary.store.database import Model


class Undoing(NamedTuple):
    """For one event on a table: a statement, and an expression for the JSON array of its values."""

    event: str
    row: str  # which of `new` and `old` there is
    statement: str
    values: str


def undoing(table: type[Model]) -> Iterator[Undoing]:
    """What takes back each event on a table. No column may be a float, which JSON would round."""
    meta = table._meta
    name = f'"{meta.table_name}"'
    columns = [f'"{each.column_name}"' for each in meta.sorted_fields]
    keys = [f'"{each.column_name}"' for each in meta.get_primary_keys()]  # type: ignore[no-untyped-call]
    delete = f"DELETE FROM {name} WHERE {' AND '.join(f'{key} IS ?' for key in keys)}"
    places = ", ".join("?" for _ in columns)
    put = f"REPLACE INTO {name} ({', '.join(columns)}) VALUES ({places})"
    yield Undoing("INSERT", "new", delete, _array("new", keys))
    yield Undoing("UPDATE", "old", put, _array("old", columns))
    yield Undoing("DELETE", "old", put, _array("old", columns))


def _array(row: str, columns: list[str]) -> str:
    return f"json_array({', '.join(f'{row}.{column}' for column in columns)})"

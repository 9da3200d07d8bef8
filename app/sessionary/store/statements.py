"""Prepared statements: written with the models, rendered to SQL once."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

import peewee as pw

from sessionary.store.connections import MAX_LIMITED_ROWS, Connection
from sessionary.store.database import Model, current_namespace
from sessionary.store.errors import TooLarge

Row = TypeVar("Row")


class _Name(str):
    """A parameter's name, as opposed to a literal text."""


class _Param(pw.ColumnBase):
    def __init__(self, name: str) -> None:
        self._name = _Name(name)

    def __sql__(self, ctx: pw.Context) -> pw.Context:
        return cast(pw.Context, ctx.value(self._name, converter=False))


def param(name: str) -> Any:
    """Return a named parameter of a query; each call of its statement passes the value."""
    return _Param(name)


def param_list(name: str) -> Any:
    """Return a parameter for `.in_`; its value is the JSON text of a list."""
    return pw.Select((pw.fn.json_each(param(name)),), (pw.SQL("value"),))


def param_rows(name: str, width: int) -> Any:
    """Return a query of a parameter's rows; its value is the JSON text of a list of lists."""
    columns = [pw.fn.json_extract(pw.SQL("value"), f"$[{place}]") for place in range(width)]
    # SQLite takes an ON CONFLICT after a query without WHERE for the ON of a join.
    return pw.Select((pw.fn.json_each(param(name)),), columns).where(pw.SQL("1"))


def rowid(model: type[Model]) -> Any:
    """Return SQLite's rowid, the order of insertion of a table without a column for it."""
    return pw.Column(model._meta.table, "rowid")


class Statement(Generic[Row]):
    """A query written with the models. Its text is rendered once, at the first use.

    `row` converts a tuple of the selected columns. Each call passes a value for every `param` of
    the query; a missing one is a KeyError.
    """

    def __init__(self, row: Callable[[tuple[Any, ...]], Row], query: Callable[[], Any]) -> None:
        self.query = query
        self._row = row
        self._rendered: tuple[str, tuple[Any, ...]] | None = None

    def all(self, **values: Any) -> list[Row]:
        """Fetch every row."""
        return [self._row(found) for found in self._execute(values).fetchall()]

    def rows(self, **values: Any) -> Iterator[Row]:
        """Fetch the rows of a list, each when it is used.

        Raises TooLarge for many rows, if reads are limited.
        """
        cursor = self._execute(values)
        connection = cast(Connection, cursor.connection)
        connection.fetching.append(cursor)
        if not connection.has_limited_reads:
            return map(self._row, cursor)
        found = cursor.fetchmany(MAX_LIMITED_ROWS + 1)
        if len(found) > MAX_LIMITED_ROWS:
            raise TooLarge
        return map(self._row, found)

    def one(self, **values: Any) -> Row | None:
        """Fetch the first row, or None."""
        found = self._execute(values).fetchone()
        return None if found is None else self._row(found)

    def run(self, **values: Any) -> int:
        """Execute; return the number of changed rows."""
        return int(self._execute(values).rowcount)

    def _execute(self, values: dict[str, Any]) -> sqlite3.Cursor:
        text, places = self._rendered or self._render()
        parameters = [values[place] if type(place) is _Name else place for place in places]
        return current_namespace().connection().execute(text, parameters)

    def _render(self) -> tuple[str, tuple[Any, ...]]:
        text, places = self.query().sql()
        self._rendered = (text, tuple(places))
        return self._rendered


def count_if(condition: Any) -> Any:
    """Return an expression that counts the rows that meet a condition."""
    return pw.fn.COUNT(pw.Case(None, [(condition, 1)]))


def count_statement(names: Iterable[str], query: Callable[[], Any]) -> Statement[dict[str, int]]:
    """Create a statement of one row of counts, returned as a dict with these names."""
    return Statement(lambda row: dict(zip(names, row, strict=True)), query)


def insert_statement(model: type[Model], *, without: Iterable[str] = ()) -> Statement[Any]:
    """Create an INSERT with a parameter for each field except those in `without`."""
    names = [name for name in model._meta.sorted_field_names if name not in without]
    return Statement(tuple, lambda: model.insert({name: param(name) for name in names}))


def upsert(model: type[Model], *keys: str, **values: Any) -> None:
    """Insert a row, or update the one with the same values of `keys`."""
    same = [getattr(model, key) == values[key] for key in keys]
    changes = {name: value for name, value in values.items() if name not in keys}
    if model.select(pw.SQL("1")).where(*same).exists():
        if changes:
            model.update(**changes).where(*same).execute()
    else:
        model.create(**values)

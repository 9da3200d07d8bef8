"""Queries that are written with the models and rendered once."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

import peewee as pw

from sessionary.store.database import Model, current_namespace

Row = TypeVar("Row")


class _Name(str):
    """Marks the place of a value that each call brings."""


class _Given(pw.ColumnBase):
    def __init__(self, name: str) -> None:
        self._name = _Name(name)

    def __sql__(self, ctx: pw.Context) -> pw.Context:
        return cast(pw.Context, ctx.value(self._name, converter=False))


def param(name: str) -> Any:
    """Stands in a query for the value that each call brings under this name."""
    return _Given(name)


def param_list(name: str) -> Any:
    """Stands after `.in_` for a list that travels as one JSON parameter."""
    return pw.Select((pw.fn.json_each(param(name)),), (pw.SQL("value"),))


def rowid(model: type[Model]) -> Any:
    """Stands for a row's place in the order of insertion, in a table that keeps none itself."""
    return pw.Column(model._meta.table, "rowid")


class Statement(Generic[Row]):
    """A query written with the models, whose text is rendered once, at its first use.

    `row` makes a row of the selected columns, in their order; each call brings the values for
    the query's `param` places. A missing value is a KeyError.
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
        return current_namespace().connection().execute(text, parameters)

    def _render(self) -> tuple[str, tuple[Any, ...]]:
        text, places = self.query().sql()
        self._rendered = (text, tuple(places))
        return self._rendered


def count_if(condition: Any) -> Any:
    """Stands in a query for the number of its rows that meet a condition."""
    return pw.fn.COUNT(pw.Case(None, [(condition, 1)]))


def count_statement(names: Iterable[str], query: Callable[[], Any]) -> Statement[dict[str, int]]:
    """A statement of one row, of numbers that go by these names."""
    return Statement(lambda row: dict(zip(names, row, strict=True)), query)


def insert_statement(model: type[Model], *, without: Iterable[str] = ()) -> Statement[Any]:
    """A statement that adds a row, given a value for each column but those left out."""
    names = [name for name in model._meta.sorted_field_names if name not in without]
    return Statement(tuple, lambda: model.insert({name: param(name) for name in names}))


def upsert(model: type[Model], *keys: str, **values: Any) -> None:
    """Add a row, or bring the one with the same `keys` up to these values."""
    same = [getattr(model, key) == values[key] for key in keys]
    changes = {name: value for name, value in values.items() if name not in keys}
    if model.select(pw.SQL("1")).where(*same).exists():
        if changes:
            model.update(**changes).where(*same).execute()
    else:
        model.create(**values)

"""Prepared statements: written with the models, rendered to SQL once.

And once more for reads of the past, with each table as it was at a position of the undo log.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import count
from typing import Any, Generic, TypeVar, cast

import peewee as pw

from sessionary.store.connections import MAX_LIMITED_ROWS, Connection, Position
from sessionary.store.database import Model, current_namespace
from sessionary.store.errors import TooLarge
from sessionary.store.undo_triggers import CHANGED_COUNT, LAST_KEY, logged_tables, past_sql

Row = TypeVar("Row")
Rendered = tuple[str, tuple[Any, ...]]
_TABLE = r'(?<!\.)"(\w+)" AS "'
_EXISTED = r'1 /\*existed ("\w+"\.")(\w+")\*/'
_NARROWED = r"/\*first\*/(.*?)/\*of\*/"
_is_past: ContextVar[bool] = ContextVar("sessionary_is_past", default=False)  # while rendering


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


class _Existed(pw.ColumnBase):
    def __init__(self, created_at: Any) -> None:
        self._created_at = created_at

    def __sql__(self, ctx: pw.Context) -> pw.Context:
        ctx.literal("1 /*existed ").sql(self._created_at).literal("*/")  # type: ignore[no-untyped-call]
        return ctx


def existed(created_at: Any) -> Any:
    """Return a condition that holds for all rows now, and for those that existed in the past.

    So a read of the past begins with them, by an index on `created_at`.
    """
    return _Existed(created_at)


class _Narrowed(pw.Node):
    """A table, of which a read of the past needs the rows that `keys` finds now."""

    def __init__(self, table: Any, keys: Any) -> None:
        self._table = table
        self._keys = keys

    def __sql__(self, ctx: pw.Context) -> pw.Context:
        if _is_past.get():
            token = _is_past.set(False)  # within it, all tables are as they are now
            with ctx.scope_normal():
                ctx.literal("/*first*/").sql(self._keys)  # type: ignore[no-untyped-call]
                ctx.literal("/*of*/")
            _is_past.reset(token)
        return cast(pw.Context, ctx.sql(self._table))  # type: ignore[no-untyped-call]


def narrowed(query: Any) -> Any:
    """Return a query of one table that looks at few rows in the past, too.

    It looks at the first that meet its conditions now, which indexes find in its order, and at all
    that have changed since. The table's key is its rowid.
    """
    key = getattr(query.model, query.model._meta.primary_key.name)
    keys = query.where(pw.SQL(f"{key.column_name} <= {LAST_KEY}"))
    keys._returning = [key]
    if query._limit is not None:
        keys._limit = query._limit + (query._offset or 0) + pw.SQL(CHANGED_COUNT)
        keys._offset = None
    narrow = query.clone()
    narrow._from_list = [_Narrowed(query.model, keys)]
    if query._limit is None or not _is_past.get():
        return narrow
    # The order needs few columns: those of the page are made after it is cut.
    narrow._returning = [key]
    page = narrow.alias("page")
    joined = query.model.select(*query._returning).from_(pw.Join(page, query.model, pw.JOIN.CROSS))
    key_of_page = getattr(page.c, key.column_name)
    return joined.where(key == key_of_page).order_by(*query._order_by or ())


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
        self._rendered: Rendered | None = None
        self._past: tuple[bool, Rendered] | None = None

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
        check_row_count(len(found))
        return map(self._row, found)

    def one(self, **values: Any) -> Row | None:
        """Fetch the first row, or None."""
        found = self._execute(values).fetchone()
        return None if found is None else self._row(found)

    def run(self, **values: Any) -> int:
        """Execute; return the number of changed rows."""
        return int(self._execute(values).rowcount)

    def _execute(self, values: dict[str, Any]) -> sqlite3.Cursor:
        connection = current_namespace().connection()
        if connection.position is not None:
            return self._execute_past(connection, connection.position, values)
        text, places = self._rendered or self._render()
        parameters = [values[place] if type(place) is _Name else place for place in places]
        return connection.execute(text, parameters)

    def _render(self) -> Rendered:
        text, places = self.query().sql()
        self._rendered = (text, tuple(places))
        return self._rendered

    def _execute_past(
        self, connection: sqlite3.Connection, position: Position, values: dict[str, Any]
    ) -> sqlite3.Cursor:
        has_past, (text, places) = self._past or self._render_past()
        parameters = [values[place] if type(place) is _Name else place for place in places]
        return connection.execute(text, [*position, *parameters] if has_past else parameters)

    def _render_past(self) -> tuple[bool, Rendered]:
        """Render it with each table of the undo log as it was; all parameters have numbers then."""
        token = _is_past.set(True)
        text, places = self.query().sql()
        _is_past.reset(token)
        numbers = count(1 + len(Position._fields))
        text = re.sub(r"\?", lambda _: f"?{next(numbers)}", text)
        text = re.sub(_EXISTED, r"(\1\2 <= ?1)", text)
        plain, text = text, re.sub(f"(?:{_NARROWED})?{_TABLE}", _past_table, text, flags=re.DOTALL)
        has_past = text != plain
        self._past = (has_past, (text, tuple(places)) if has_past else self._render())
        return self._past


def check_row_count(count: int) -> None:
    """Raise TooLarge for so many rows, if reads are limited."""
    if count > MAX_LIMITED_ROWS and current_namespace().connection().has_limited_reads:
        raise TooLarge


def _past_table(found: re.Match[str]) -> str:
    keys, name = found.groups()
    model = logged_tables.get(name)
    return f'{past_sql(model, keys)} AS "' if model else f'"{name}" AS "'


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

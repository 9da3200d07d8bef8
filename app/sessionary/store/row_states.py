"""Rows of a table, and their earlier states in the undo log: two statements for all of them."""

from collections.abc import Callable, Collection
from typing import Any, Generic, NamedTuple, TypeVar

import peewee as pw

from sessionary.store.database import Model
from sessionary.store.statements import Statement, param, rowid
from sessionary.store.undo_log import UndoEntry

Row = TypeVar("Row", bound=NamedTuple)
Value = TypeVar("Value")


class RowStates(NamedTuple, Generic[Value]):
    """Two statements: of the rows after a `place`, and of their earlier states.

    `now` has the parameter `limit` and gives places, titles and rows, in order. `earlier` gives, in
    order of place and time, each state that ended after `after`: the place, the instant of its end,
    its title, and the row; None if there was no row.
    """

    now: Statement[tuple[int, str | None, Value]]
    earlier: Statement[tuple[int, int, str | None, Value | None]]


def row_states(
    model: type[Model],
    row: type[Row],
    *,
    title: pw.Field | Callable[[], Any] | None = None,
    without: Collection[str] = (),
    make: Callable[[Any], Any] = lambda row: row,
) -> RowStates[Any]:
    """Create the statements for a table; `make` turns a row into what they give.

    Columns in `without` are read as empty text. A title that is a query has no earlier states.
    """
    key, columns = rowid(model), model._meta.sorted_field_names
    names = [None if name in without else name for name in row._fields]

    def query() -> Any:
        shown = title() if callable(title) else title or pw.SQL("NULL")
        found = (pw.SQL("''") if name is None else getattr(model, name) for name in names)
        after = model.select(key, shown, *found).where(key > param("place"))
        return after.order_by(key).limit(param("limit"))

    def earlier() -> Any:
        def value(name: str | None) -> Any:
            if name is None:
                return pw.SQL("''")
            return pw.fn.json_extract(UndoEntry.old_values, f"$[{columns.index(name)}]")

        shown = value(title.name) if isinstance(title, pw.Field) else pw.SQL("NULL")
        return (
            UndoEntry.select(
                UndoEntry.row_id, UndoEntry.at, UndoEntry.old_values.is_null(), shown,
                *map(value, names),
            )
            .where(
                UndoEntry.row_id > param("place"),
                UndoEntry.table_name == model._meta.table_name,
                UndoEntry.at > param("after"),
            )
            .order_by(UndoEntry.row_id, UndoEntry.at, UndoEntry.no, UndoEntry.seq)
        )  # fmt: skip

    def to_state(found: tuple[Any, ...]) -> tuple[int, int, str | None, Any]:
        place, at, is_missing, shown, *values = found
        return place, at, shown, None if is_missing else make(row._make(values))

    now = Statement(lambda found: (found[0], found[1], make(row._make(found[2:]))), query)
    return RowStates(now, Statement(to_state, earlier))

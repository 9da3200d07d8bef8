"""The statements that every surface has over its table of sessions: by id, in order, pruning.

The table's key is its rowid, in the order of creation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from sessionary.store import Model, Statement, narrowed, param, param_list, rowid
from sessionary.web import json_codec
from sessionary.web.surface import Retention

Row = TypeVar("Row", bound=NamedTuple)


def find_by_id(model: type[Model], row: type[Row]) -> Statement[Row]:
    """The session with this `id`, of any organization; the oldest, should there be several."""
    return Statement(
        row._make,
        lambda: (
            model.select(*_columns(model, row))
            .where(model._meta.fields["id"] == param("id"))
            .order_by(rowid(model))
        ),
    )


def creation_page(model: type[Model], row: type[Row]) -> Statement[tuple[int, Row]]:
    """At most `limit` sessions after the key `place`, each with its key, in order of creation."""
    return with_places(
        row,
        lambda: (
            model.select(rowid(model), *_columns(model, row))
            .where(rowid(model) > param("place"))
            .order_by(rowid(model))
            .limit(param("limit"))
        ),
    )


def changing(
    model: type[Model], row: type[Row], at: Any, *conditions: Any
) -> Statement[tuple[int, Row]]:
    """At most `limit` sessions that meet these, each with its key, in order of `at`.

    An index on `at` must serve the conditions, and the parameters `after` and `until` limit it.
    """
    return with_places(
        row,
        lambda: narrowed(
            model.select(rowid(model), *_columns(model, row))
            .where(*conditions)
            .order_by(at, rowid(model))
            .limit(param("limit"))
        ),
    )


def with_places(row: type[Row], query: Callable[[], Any]) -> Statement[tuple[int, Row]]:
    """A statement of sessions that selects the key of each before its columns."""
    return Statement(lambda found: (int(found[0]), row._make(found[1:])), query)


def is_prunable(model: type[Model], has_ended: Any) -> Any:
    """SQL: the key is one of `keys`, a JSON list, and the session has still ended."""
    return rowid(model).in_(param_list("keys")) & has_ended


def retention(
    model: type[Model], has_ended: Any, prepare: Callable[[dict[str, Any]], object] | None = None
) -> Retention:
    """How the ended sessions of a table are found and removed.

    `has_ended` is the vendor's condition in SQL, with the parameter `before_at`. `prepare` runs in
    the same transaction before the rows go, with the parameters of `is_prunable`: it removes or
    counts what belongs to them.
    """
    key = rowid(model)
    ended = Statement(
        lambda row: int(row[0]),
        lambda: (
            model.select(key)
            .where(key > param("after"), key <= param("until"), has_ended)
            .order_by(key)
            .limit(param("limit"))
        ),
    )
    last = Statement(
        lambda row: int(row[0]), lambda: model.select(key).order_by(key.desc()).limit(1)
    )
    delete = Statement(tuple, lambda: model.delete().where(is_prunable(model, has_ended)))

    def remove(keys: list[int], before_at: int) -> int:
        values = {"keys": json_codec.encode(keys), "before_at": before_at}
        if prepare is not None:
            prepare(values)
        return delete.run(**values)

    return Retention(ended, last, remove)


def _columns(model: type[Model], row: type[Row]) -> list[Any]:
    return [getattr(model, name) for name in row._fields]

"""The journal: the calls of the vendors' APIs, found and counted. The oldest go first."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param

KEPT = 10_000  # calls, and up to _AT_ONCE more
_AT_ONCE = 100  # calls that are let go together


class Call(store.Model):
    """A call. `sequence` counts from when the journal was last emptied, `id` is never used
    again."""

    id = pw.AutoField(constraints=[pw.SQL("AUTOINCREMENT")])
    sequence = pw.IntegerField(column_name="nth")
    at = pw.BigIntegerField()
    wall_at = pw.BigIntegerField()
    surface = pw.TextField(null=True)
    method = pw.TextField()
    path = pw.TextField()
    route = pw.TextField(null=True)
    query = pw.TextField()
    headers = pw.TextField()  # as JSON
    body = pw.TextField(null=True)
    body_bytes = pw.IntegerField()
    body_truncated = pw.IntegerField(column_name="body_is_cut")
    status = pw.IntegerField(null=True)  # null where the connection was dropped
    response = pw.TextField(null=True, column_name="answer")
    response_bytes = pw.IntegerField(column_name="answer_bytes")
    response_truncated = pw.IntegerField(column_name="answer_is_cut")
    user = pw.TextField(null=True)
    organization = pw.TextField(null=True)
    session = pw.TextField(null=True)
    fault = pw.IntegerField(null=True)
    fault_kind = pw.TextField(null=True)

    class Meta:
        table_name = "control_call"


class CallRow(NamedTuple):
    """A call's row."""

    id: int
    sequence: int
    at: int
    wall_at: int
    surface: str | None
    method: str
    path: str
    route: str | None
    query: str
    headers: str
    body: str | None
    body_bytes: int
    body_truncated: int
    status: int | None
    response: str | None
    response_bytes: int
    response_truncated: int
    user: str | None
    organization: str | None
    session: str | None
    fault: int | None
    fault_kind: str | None


_columns = [getattr(Call, name) for name in CallRow._fields]
_last = Call.alias()
_insert = Statement(
    lambda found: int(found[0]),
    lambda: Call.insert(
        {name: param(name) for name in CallRow._fields[2:]}
        | {
            "sequence": pw.fn.COALESCE(
                _last.select(_last.sequence).order_by(_last.id.desc()).limit(1), pw.Value(0)
            )
            + 1
        }
    ),
)
_trim = Statement(tuple, lambda: Call.delete().where(Call.id <= param("last")))
_clear = Statement(tuple, Call.delete)
_oldest = Statement(
    lambda found: int(found[0]), lambda: Call.select(Call.sequence).order_by(Call.id).limit(1)
)
_by_id = Statement(
    CallRow._make,
    lambda: Call.select(*_columns).where(Call.id == param("id")),
)
_FILTERS: dict[str, Callable[[], Any]] = {
    "method": lambda: Call.method == param("method"),
    "path": lambda: (Call.path == param("path")) | (Call.route == param("path")),
    "surface": lambda: Call.surface == param("surface"),
    "session": lambda: pw.fn.LOWER(Call.session) == pw.fn.LOWER(param("session")),
    "lowest": lambda: Call.status >= param("lowest"),
    "highest": lambda: Call.status <= param("highest"),
}


def keep(**row: Any) -> int:
    """Write a call of the active namespace's down; gives its id."""
    with store.transaction():
        found = _insert.one(**row)
        assert found is not None  # noqa: S101 - it returns the new row's id
        if found % _AT_ONCE == 0:
            _trim.run(last=found - KEPT)
    return found


def find(filters: dict[str, Any], *, after: int, limit: int) -> list[CallRow]:
    """The calls that pass these filters, behind one, in order."""
    return _page(frozenset(filters)).all(**filters, after=after, limit=limit)


def count(filters: dict[str, Any]) -> int:
    """How many calls pass these filters."""
    return _counted(frozenset(filters)).one(**filters) or 0


def get(id: int) -> CallRow | None:
    """The call of this id, unless it was let go."""
    return _by_id.one(id=id)


def dropped() -> int:
    """How many calls were let go since the journal was emptied, for there are more than KEPT."""
    return (_oldest.one() or 1) - 1


def clear() -> None:
    """Empty the active namespace's journal."""
    with store.transaction():
        _clear.run()


@cache
def _page(names: frozenset[str]) -> Statement[CallRow]:
    return Statement(
        CallRow._make,
        lambda: (
            Call.select(*_columns)
            .where(Call.id > param("after"), *(_FILTERS[name]() for name in sorted(names)))
            .order_by(Call.id)
            .limit(param("limit"))
        ),
    )


@cache
def _counted(names: frozenset[str]) -> Statement[int]:
    conditions = [_FILTERS[name]() for name in sorted(names)] or [pw.SQL("1")]
    return Statement(
        lambda found: int(found[0]),
        lambda: Call.select(pw.fn.COUNT(Call.id)).where(*conditions),
    )

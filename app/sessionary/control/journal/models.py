"""The journal table: recorded vendor calls. The oldest are removed."""

from collections.abc import Callable, Iterator
from functools import cache, reduce
from operator import or_
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param, param_list
from sessionary.web import json_codec

MAX_CALLS = 10_000  # the journal keeps up to _TRIM_EVERY more
_TRIM_EVERY = 100


class Call(store.Model):
    """A recorded call. `sequence` restarts when the journal is emptied; an `id` never returns."""

    id = pw.AutoField(constraints=[pw.SQL("AUTOINCREMENT")])
    sequence = pw.IntegerField(column_name="nth")
    at = pw.BigIntegerField()
    wall_at = pw.BigIntegerField()
    surface = pw.TextField(null=True)
    method = pw.TextField()
    path = pw.TextField()
    route = pw.TextField(null=True)
    query = pw.TextField()
    headers = pw.TextField()  # JSON
    body = pw.TextField(null=True)
    body_bytes = pw.IntegerField()
    body_truncated = pw.IntegerField(column_name="body_is_cut")
    status = pw.IntegerField(null=True)  # null if the connection was dropped
    response = pw.TextField(null=True, column_name="answer")
    response_bytes = pw.IntegerField(column_name="answer_bytes")
    response_truncated = pw.IntegerField(column_name="answer_is_cut")
    user = pw.TextField(null=True)
    organization = pw.TextField(null=True)
    session = pw.TextField(null=True)
    fault = pw.IntegerField(null=True)
    fault_kind = pw.TextField(null=True)
    fault_phase = pw.TextField(null=True)

    class Meta:
        table_name = "control_call"


class CallRow(NamedTuple):
    """A row of the journal."""

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
    fault_phase: str | None


_columns = [getattr(Call, name) for name in CallRow._fields]
_last = Call.alias()


class OpeningCallRow(NamedTuple):
    """The call that opened a session."""

    number: int
    method: str
    path: str
    at: int


def _names_session() -> Any:
    """Whether the request names the session, which it did not open then."""
    request = Call.path.concat(pw.fn.COALESCE(Call.body, ""))
    return pw.fn.INSTR(request, Call.session) > 0


_opening = Statement(
    lambda found: (str(found[0]), OpeningCallRow(*found[1:])),
    lambda: (
        Call.select(Call.session, pw.fn.MIN(Call.id), Call.method, Call.path, Call.at)
        .where(
            Call.session.in_(param_list("sessions")),
            Call.status.between(200, 299),
            ~_names_session(),
        )
        .group_by(Call.session)
    ),
)
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
_newest = Statement(
    lambda found: int(found[0]),
    lambda: Call.select(Call.sequence).order_by(Call.id.desc()).limit(1),
)
last_call_at = Statement(
    lambda found: int(found[0]), lambda: Call.select(Call.at).order_by(Call.id.desc()).limit(1)
)
_ids = Statement(tuple, lambda: Call.select(pw.fn.MIN(Call.id), pw.fn.MAX(Call.id)))
by_id = Statement(CallRow._make, lambda: Call.select(*_columns).where(Call.id == param("id")))
_SEARCHED: list[Any] = [Call.method, Call.path, Call.query, Call.session, Call.body, Call.response]
_FILTERS: dict[str, Callable[[], Any]] = {
    "method": lambda: Call.method == param("method"),
    "path": lambda: (Call.path == param("path")) | (Call.route == param("path")),
    "surface": lambda: Call.surface == param("surface"),
    "session": lambda: pw.fn.LOWER(Call.session) == pw.fn.LOWER(param("session")),
    "lowest": lambda: Call.status >= param("lowest"),
    "highest": lambda: Call.status <= param("highest"),
    "until": lambda: Call.at <= param("until"),
    "q": lambda: reduce(or_, map(_contains, _SEARCHED)),
}
_BEYOND = 1 << 62  # no id is as great


def _contains(column: Any) -> Any:
    return pw.fn.INSTR(pw.fn.LOWER(column), pw.fn.LOWER(param("q"))) > 0


_VERSION_2 = (
    'CREATE TABLE "control_call" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, '
    '"nth" INTEGER NOT NULL, "at" INTEGER NOT NULL, "wall_at" INTEGER NOT NULL, "surface" TEXT, '
    '"method" TEXT NOT NULL, "path" TEXT NOT NULL, "route" TEXT, "query" TEXT NOT NULL, '
    '"headers" TEXT NOT NULL, "body" TEXT, "body_bytes" INTEGER NOT NULL, '
    '"body_is_cut" INTEGER NOT NULL, "status" INTEGER, "answer" TEXT, '
    '"answer_bytes" INTEGER NOT NULL, "answer_is_cut" INTEGER NOT NULL, "user" TEXT, '
    '"organization" TEXT, "session" TEXT, "fault" INTEGER, "fault_kind" TEXT)'
)
EARLIER_SQL = {3: {"control_call": _VERSION_2}}


def add_fault_phase(database: store.Database) -> None:
    """To version 3."""
    database.run('ALTER TABLE "control_call" ADD COLUMN "fault_phase" TEXT')
    phase = "CASE fault_kind WHEN 'truncated' THEN 'after' ELSE 'before' END"
    database.run(f"UPDATE control_call SET fault_phase = {phase} WHERE fault IS NOT NULL")  # noqa: S608


def insert(**row: Any) -> int:
    """Add a call to the active namespace's journal; return its id."""
    with store.transaction():
        id = _insert.one(**row)
        assert id is not None  # noqa: S101 - the statement returns the new row's id
        if id % _TRIM_EVERY == 0:
            _trim.run(last=id - MAX_CALLS)
    return id


def find(
    filters: dict[str, Any], *, after: int, limit: int, newest: bool = False
) -> Iterator[CallRow]:
    """Find matching calls with a greater id than `after`, in order.

    With `newest` the order is reversed: those with a smaller id, or all after 0.
    """
    after = after or _BEYOND if newest else after
    return _page(frozenset(filters), newest).rows(**filters, after=after, limit=limit)


def count(filters: dict[str, Any]) -> int:
    """Count matching calls."""
    return _count(frozenset(filters)).one(**filters) or 0


def opening_calls(sessions: list[str]) -> dict[str, OpeningCallRow]:
    """Return the call that opened each of these sessions, if the journal has it."""
    return dict(_opening.all(sessions=json_codec.encode(sessions)))


def ids() -> tuple[int | None, int | None]:
    """Return the ids of the oldest and the newest call; None if there is none."""
    return _ids.one() or (None, None)


def kept_count() -> int:
    """Count the calls in the journal, without reading them."""
    return (_newest.one() or 0) - dropped_count()


def dropped_count() -> int:
    """Count the calls that were removed since the journal was emptied."""
    return (_oldest.one() or 1) - 1


def clear() -> None:
    """Empty the active namespace's journal."""
    with store.transaction():
        _clear.run()


@cache
def _page(names: frozenset[str], newest: bool) -> Statement[CallRow]:
    further = Call.id < param("after") if newest else Call.id > param("after")
    return Statement(
        CallRow._make,
        lambda: (
            Call.select(*_columns)
            .where(further, *(_FILTERS[name]() for name in sorted(names)))
            .order_by(Call.id.desc() if newest else Call.id)
            .limit(param("limit"))
        ),
    )


@cache
def _count(names: frozenset[str]) -> Statement[int]:
    conditions = [_FILTERS[name]() for name in sorted(names)] or [pw.SQL("1")]
    return Statement(
        lambda found: int(found[0]),
        lambda: Call.select(pw.fn.COUNT(Call.id)).where(*conditions),
    )

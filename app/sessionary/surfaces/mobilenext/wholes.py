"""Sessions with their allocations, whichever organization they belong to."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee as pw

from sessionary import ids, store
from sessionary.store import Statement, count_if, count_statement, param, rowid
from sessionary.surfaces.mobilenext import queries, rules
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Session, SessionRow
from sessionary.web import json_codec

_COLUMNS = [getattr(Session, name) for name in SessionRow._fields]


class Whole(NamedTuple):
    """A session with its allocations, in the order in which it got them."""

    row: SessionRow
    allocations: list[AllocationRow]


def find(id: str) -> Whole | None:
    """The session with this id."""
    with store.read_transaction():
        row = _by_id.one(id=ids.canonical(id))
        return None if row is None else _with_allocations([row])[0]


def page(place: int, limit: int) -> list[tuple[int, Whole]]:
    """Sessions behind a place in the order in which they were opened, each with its own place."""
    with store.read_transaction():
        found = _page.all(place=place, limit=limit)
        wholes = _with_allocations([row for _, row in found])
        return [(each, whole) for (each, _), whole in zip(found, wholes, strict=True)]


def changing(after: int, until: int, limit: int) -> list[Whole]:
    """Those with a transition behind `after` and not behind `until`, the first to change first."""
    with store.read_transaction():
        return _with_allocations(_changing.all(after=after, until=until, limit=limit))


def _with_allocations(rows: Sequence[SessionRow]) -> list[Whole]:
    parts: dict[str, list[AllocationRow]] = {row.id: [] for row in rows}
    for each in queries.allocations.all(sessions=json_codec.encode(list(parts))):
        parts[each.session].append(each)
    return [Whole(row, parts[row.id]) for row in rows]


_is_listed = Session.created_at.is_null(False)
_is_over = Session.released_at.is_null(False) | pw.fn.COALESCE(
    Session.expires_at <= param("now"), 0
)
counts = count_statement(
    (rules.EMPTY, rules.VOID, rules.HELD, rules.RELEASED),
    lambda: Session.select(
        count_if(~_is_listed & (Session.void_at > param("now"))),
        count_if(~_is_listed & (Session.void_at <= param("now"))),
        count_if(_is_listed & ~_is_over),
        count_if(_is_listed & _is_over),
    ),
)
_by_id = Statement(
    SessionRow._make, lambda: Session.select(*_COLUMNS).where(Session.id == param("id"))
)
_page = Statement(
    lambda found: (int(found[0]), SessionRow._make(found[1:])),
    lambda: (
        Session.select(rowid(Session), *_COLUMNS)
        .where(rowid(Session) > param("place"))
        .order_by(rowid(Session))
        .limit(param("limit"))
    ),
)


def _query_changing() -> Any:
    transitions = _transitions().alias("transitions")
    return (
        Session.select(*_COLUMNS)
        .join(transitions, on=transitions.c.session == Session.id)
        .group_by(Session.id)
        .order_by(pw.fn.MIN(transitions.c.at), rowid(Session))
        .limit(param("limit"))
    )


def _transitions() -> Any:
    """rules.transitions, as SQL says it: the session and the instant of each.

    A lease ends in one instant a session and all that it holds.
    """
    void = Session.select(Session.id.alias("session"), Session.void_at.alias("at")).where(
        Session.created_at.is_null(), _lies_within(Session.void_at)
    )
    lease = Session.select(Session.id, Session.expires_at).where(
        Session.created_at.is_null(False),
        Session.released_at.is_null(),
        _lies_within(Session.expires_at),
    )
    comes_first = Allocation.expires_at.is_null() | (Allocation.in_use_at < Allocation.expires_at)
    ready = Allocation.select(Allocation.session, Allocation.in_use_at).where(
        Allocation.released_at.is_null(), comes_first, _lies_within(Allocation.in_use_at)
    )
    return void.union_all(lease).union_all(ready)


def _lies_within(at: Any) -> Any:
    return (at > param("after")) & (at <= param("until"))


_changing = Statement(SessionRow._make, _query_changing)

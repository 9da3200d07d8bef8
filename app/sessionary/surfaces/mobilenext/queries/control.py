"""Statements of the control plane and of pruning: sessions of every organization."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee as pw

from sessionary import ids, store
from sessionary.store import Statement, count_if, count_statement, param, rowid
from sessionary.surfaces.mobilenext import queries, rules
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Session, SessionRow
from sessionary.surfaces.mobilenext.queries import allocations, sessions
from sessionary.web import json_codec, session_statements


class SessionWithAllocations(NamedTuple):
    """A session with its allocations, in order of creation."""

    row: SessionRow
    allocations: list[AllocationRow]


def find(id: str) -> SessionWithAllocations | None:
    """Return the session with this id."""
    with store.read_transaction():
        row = by_id.one(id=ids.canonical(id))
        return None if row is None else _add_allocations([row])[0]


def page(place: int, limit: int) -> list[tuple[int, SessionWithAllocations]]:
    """Return sessions after a place, in order of creation, each with its own place."""
    with store.read_transaction():
        found = list(_page.rows(place=place, limit=limit))
        whole = _add_allocations([row for _, row in found])
        return [(each, session) for (each, _), session in zip(found, whole, strict=True)]


def changing(after: int, until: int, limit: int) -> list[SessionWithAllocations]:
    """Return sessions with a transition after `after` and up to `until`, by their first one."""
    with store.read_transaction():
        return _add_allocations(list(_changing.rows(after=after, until=until, limit=limit)))


def _add_allocations(rows: Sequence[SessionRow]) -> list[SessionWithAllocations]:
    parts: dict[str, list[AllocationRow]] = {row.id: [] for row in rows}
    for each in allocations.of_sessions.all(sessions=json_codec.encode(list(parts))):
        parts[each.session].append(each)
    return [SessionWithAllocations(row, parts[row.id]) for row in rows]


by_id = session_statements.find_by_id(Session, SessionRow)
_page = session_statements.creation_page(Session, SessionRow)


def _query_counts() -> Any:
    is_listed, is_open = queries.is_listed(), queries.is_open(Session, param("now"))
    has_expired = queries.has_expired(param("now"))
    return Session.select(
        count_if(~is_listed & ~has_expired),
        count_if(has_expired),
        count_if(is_listed & is_open),
        count_if(is_listed & ~is_open),
    )


counts = count_statement((rules.EMPTY, rules.EXPIRED, rules.ACTIVE, rules.RELEASED), _query_counts)


def _query_changing() -> Any:
    transitions = _transitions().alias("transitions")
    return (
        Session.select(*sessions.COLUMNS)
        .join(transitions, on=transitions.c.session == Session.id)
        .group_by(Session.id)
        .order_by(pw.fn.MIN(transitions.c.at), rowid(Session))
        .limit(param("limit"))
    )


def _transitions() -> Any:
    """SQL twin of `rules.transitions`: session and instant. A lease is one for all devices."""
    expired = Session.select(
        Session.id.alias("session"), Session.empty_expires_at.alias("at")
    ).where(~queries.is_listed(), _is_within(Session.empty_expires_at))
    lease = Session.select(Session.id, Session.expires_at).where(
        queries.is_listed(), Session.released_at.is_null(), _is_within(Session.expires_at)
    )
    comes_first = Allocation.expires_at.is_null() | (Allocation.in_use_at < Allocation.expires_at)
    ready = Allocation.select(Allocation.session, Allocation.in_use_at).where(
        Allocation.released_at.is_null(), comes_first, _is_within(Allocation.in_use_at)
    )
    return expired.union_all(lease).union_all(ready)


def _is_within(at: Any) -> Any:
    return (at > param("after")) & (at <= param("until"))


_changing = Statement(SessionRow._make, _query_changing)


def _prunable_ids() -> Any:
    is_prunable = session_statements.is_prunable(Session, queries.has_ended(param("before_at")))
    return Session.select(Session.id).where(is_prunable)


_delete_allocations = Statement(
    tuple, lambda: Allocation.delete().where(Allocation.session.in_(_prunable_ids()))
)
# The marks stay: the `createdAt` of a removed session is not given again.
retention = session_statements.retention(
    Session, queries.has_ended(param("before_at")), lambda values: _delete_allocations.run(**values)
)

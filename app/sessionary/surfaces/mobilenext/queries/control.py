"""Statements of the control plane and of pruning: sessions of every organization."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import peewee as pw

from sessionary import ids, store
from sessionary.store import Statement, count_if, count_statement, narrowed, param, row_states
from sessionary.surfaces.mobilenext import queries, rules
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    AllocationRow,
    Fact,
    FactRow,
    Session,
    SessionRow,
)
from sessionary.surfaces.mobilenext.queries import allocations, facts, sessions
from sessionary.web import json_codec, session_statements


class SessionWithAllocations(NamedTuple):
    """A session with its allocations, in order of creation, and what is remembered of them."""

    row: SessionRow
    allocations: list[AllocationRow]
    facts: Sequence[FactRow] = ()


def find(id: str) -> SessionWithAllocations | None:
    """Return the session with this id."""
    with store.read_transaction():
        row = by_id.one(id=ids.canonical(id))
        if row is None:
            return None
        return _add_allocations([row])[0]


def page(place: int, limit: int) -> list[tuple[int, SessionWithAllocations]]:
    """Return sessions after a place, in order of creation, each with its own place."""
    return _find_placed(_page, place=place, limit=limit)


def changing(after: int, until: int, limit: int) -> list[tuple[int, SessionWithAllocations]]:
    """Return sessions with a transition in (after, until], by their first one, with places."""
    return _find_placed(_changing, after=after, until=until, limit=limit)


def _find_placed(
    statement: Statement[tuple[int, SessionRow]], **values: int
) -> list[tuple[int, SessionWithAllocations]]:
    with store.read_transaction():
        found = list(statement.rows(**values))
        whole = _add_allocations([row for _, row in found])
        return [(place, session) for (place, _), session in zip(found, whole, strict=True)]


def _add_allocations(rows: Sequence[SessionRow]) -> list[SessionWithAllocations]:
    parts: dict[str, list[AllocationRow]] = {row.id: [] for row in rows}
    for each in allocations.of_sessions.all(sessions=json_codec.encode(list(parts))):
        parts[each.session].append(each)
    kept: dict[str, list[FactRow]] = {row.id: [] for row in rows}
    allocated = [each.id for each in chain.from_iterable(parts.values())]
    for fact in facts.of_allocations.all(allocations=json_codec.encode(allocated)):
        kept[fact.session].append(fact)
    return [SessionWithAllocations(row, parts[row.id], kept[row.id]) for row in rows]


by_id = session_statements.find_by_id(Session, SessionRow)
_page = session_statements.creation_page(Session, SessionRow)


def _first_device() -> Any:
    """The name of the device that a session got first."""
    of_session = Allocation.session == Session.id
    return Allocation.select(Allocation.name).where(of_session).order_by(Allocation.seq).limit(1)


lanes = row_states(
    Session, SessionRow, title=_first_device, make=lambda row: SessionWithAllocations(row, [])
)


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
        Session.select(Session.seq, *sessions.COLUMNS)
        .from_(pw.Join(transitions, Session, pw.JOIN.CROSS))  # in this order of work
        .where(transitions.c.seq == Session.seq)
        .group_by(Session.seq)
        .order_by(pw.fn.MIN(transitions.c.at), Session.seq)
        .limit(param("limit"))
    )


def _transitions() -> Any:
    """SQL twin of `rules.transitions`: session and instant. A lease is one for all devices.

    Only the first sessions by each of their two instants, which indexes find, can be the first by
    both. No more allocations can become ready than there are devices.
    """
    expired = _first(Session.empty_expires_at, Session.created_at.is_null())
    lease = _first(Session.expires_at, queries.is_listed(), Session.released_at.is_null())
    comes_first = Allocation.expires_at.is_null() | (Allocation.in_use_at < Allocation.expires_at)
    coming = Allocation.select(Allocation.session, Allocation.in_use_at.alias("at")).where(
        Allocation.released_at.is_null(), comes_first, _is_within(Allocation.in_use_at)
    )
    first = narrowed(coming).alias("ready")
    each = pw.Join(first, Session, pw.JOIN.CROSS)
    ready = Session.select(Session.seq, first.c.at).from_(each)
    ready = ready.where(first.c.session == Session.id)
    return expired.union_all(lease).union_all(ready)


def _first(at: Any, *conditions: Any) -> Any:
    """The first `limit` sessions by an instant: key and instant."""
    found = Session.select(Session.seq, at.alias("at")).where(*conditions, _is_within(at))
    first = narrowed(found.order_by(at, Session.seq).limit(param("limit"))).alias("first")
    return pw.Select((first,), (first.c.seq, first.c.at))


def _is_within(at: Any) -> Any:
    return (at > param("after")) & (at <= param("until"))


_changing = session_statements.with_places(SessionRow, _query_changing)


def _prunable_ids() -> Any:
    is_prunable = session_statements.is_prunable(Session, queries.has_ended(param("before_at")))
    return Session.select(Session.id).where(is_prunable)


def _prunable_allocation_ids() -> Any:
    return Allocation.select(Allocation.id).where(Allocation.session.in_(_prunable_ids()))


_delete_allocations = Statement(
    tuple, lambda: Allocation.delete().where(Allocation.session.in_(_prunable_ids()))
)
_delete_facts = Statement(
    tuple, lambda: Fact.delete().where(Fact.allocation.in_(_prunable_allocation_ids()))
)


def _delete_parts(**values: Any) -> None:
    _delete_facts.run(**values)
    _delete_allocations.run(**values)


# The marks stay: the `createdAt` of a removed session is not given again.
retention = session_statements.retention(
    Session, queries.has_ended(param("before_at")), lambda values: _delete_parts(**values)
)

"""Statements on sessions, and the SQL twins of the rules."""

from collections.abc import Set
from typing import Any

import peewee as pw

from sessionary import store
from sessionary.store import Statement, insert_statement, param, param_list, row_states
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session, SessionRow
from sessionary.web import session_statements

_SET_BY_CALLER = ("custom_id", "context", "metadata", "status", "stopping_reason", "error")
_DERIVED = ("written_at", "status_since_at", "auto_close_minutes", "expires_at")
CHANGEABLE = (*_SET_BY_CALLER, *_DERIVED)
COLUMNS = [getattr(Session, name) for name in SessionRow._fields]

# SQL twin of rules.is_kept.
is_kept = Session.deleted_at.is_null()
is_own = (Session.organization == param("organization")) & is_kept


def has_closed(at: Any) -> Any:
    """SQL twin of rules.has_closed, among kept sessions; NULL without a deadline."""
    return Session.expires_at <= at


def has_not_closed(at: Any) -> Any:
    """SQL twin of `not rules.has_closed`, among kept sessions."""
    return Session.expires_at.is_null() | (Session.expires_at > at)


def has_status(statuses: Set[str], at: Any) -> Any:
    """SQL twin of `rules.status(row, at) in statuses`, among kept sessions.

    PENDING or FAILED alone is an equality, which an index serves; most sessions are COMPLETED.
    """
    if statuses == {rules.FAILED}:
        return Session.status == rules.FAILED
    if statuses == {rules.PENDING}:
        return (Session.status == rules.PENDING) & has_not_closed(at)
    shown = pw.Case(None, [(has_closed(at), rules.COMPLETED)], Session.status)
    return shown.in_(sorted(statuses))


def has_ended_before(at: Any) -> Any:
    """SQL twin of rules.has_ended_before."""
    was_finished = (Session.status != rules.PENDING) & (Session.written_at < at)
    return (Session.deleted_at < at) | (Session.expires_at < at) | was_finished


insert = insert_statement(Session, without=("seq",))
_is_named = Session.id == param("id")
by_id = Statement(SessionRow._make, lambda: Session.select(*COLUMNS).where(is_own, _is_named))
update = Statement(
    tuple,
    lambda: Session.update({name: param(name) for name in CHANGEABLE}).where(is_own, _is_named),
)
existing_ids = Statement(
    lambda row: str(row[0]),
    lambda: Session.select(Session.id).where(is_own, Session.id.in_(param_list("ids"))),
)
delete = Statement(
    tuple,
    lambda: Session.update(deleted_at=param("at")).where(is_own, Session.id.in_(param_list("ids"))),
)
_custom_id_holder = Statement(
    lambda row: str(row[0]),
    lambda: Session.select(Session.id).where(
        is_own, Session.version == param("version"), Session.custom_id == param("custom_id")
    ),
)


def custom_id_holder(row: SessionRow) -> str | None:
    """The id of the kept session that has this row's customId in its version, or None.

    For rules.ensure_custom_id_free: call it inside the transaction that writes the row.
    """
    return None if row.custom_id is None else _custom_id_holder.one(**row._asdict())


# Each customId of these that a kept session has, and the session's id.
custom_id_holders = Statement(
    lambda row: (row[:3], str(row[3])),
    lambda: Session.select(
        Session.organization, Session.version, Session.custom_id, Session.id
    ).where(
        Session.organization.in_(param_list("organizations")),
        Session.custom_id.in_(param_list("custom_ids")),
        is_kept,
    ),
)

# For the control plane: sessions of any organization. A seed may give an id to two of them.
by_id_anywhere = session_statements.find_by_id(Session, SessionRow)
creation_page = session_statements.creation_page(Session, SessionRow)
lanes = row_states(Session, SessionRow, title=Session.custom_id, without=("context", "metadata"))
retention = session_statements.retention(Session, has_ended_before(param("before_at")))
changing = session_statements.changing(
    Session,
    SessionRow,
    Session.expires_at,
    is_kept,
    Session.expires_at > param("after"),
    has_closed(param("until")),
)
counts = store.count_statement(
    (*rules.STATUSES, rules.DELETED),
    lambda: Session.select(
        *(store.count_if(is_kept & has_status({each}, param("now"))) for each in rules.STATUSES),
        store.count_if(Session.deleted_at.is_null(False)),
    ),
)

"""Every statement on Notte's sessions, and SQL twins of the rules: test_queries compares both."""

from functools import cache
from typing import Any

import peewee as pw

from sessionary.store import (
    Statement,
    count_if,
    count_statement,
    existed,
    insert_statement,
    narrowed,
    param,
    row_states,
)
from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.models import Session, SessionRow
from sessionary.web import session_statements

_FEW = 300
_BEFORE_ALL = -(2**63)
_ENDS = ("ended_at", "ended_as", "close_reason", "error", "status_since_at")
COLUMNS = [getattr(Session, name) for name in SessionRow._fields]


def is_active(at: Any) -> Any:
    """SQL twin of rules.is_active."""
    return Session.ended_at.is_null() & (Session.expires_at >= at)


def has_timed_out(at: Any) -> Any:
    """SQL twin of rules.has_timed_out."""
    return Session.ended_at.is_null() & (Session.expires_at < at)


def has_ended_before(at: Any) -> Any:
    """SQL twin of rules.has_ended_before."""
    return (Session.ended_at < at) | has_timed_out(at)


by_id = Statement(
    SessionRow._make,
    lambda: Session.select(*COLUMNS).where(
        Session.id == param("id"), Session.organization == param("organization")
    ),
)
insert = insert_statement(Session, without=("seq",))
touch = Statement(
    tuple,
    lambda: Session.update(
        last_accessed_at=param("last_accessed_at"), expires_at=param("expires_at"), url=param("url")
    ).where(Session.id == param("id")),
)
end = Statement(
    tuple,
    lambda: Session.update({name: param(name) for name in _ENDS}).where(
        Session.id == param("id"), Session.ended_at.is_null()
    ),
)
active_count = Statement(
    lambda row: int(row[0]),
    lambda: Session.select(pw.fn.COUNT(Session.seq)).where(is_active(param("now"))),
)


@cache
def page(*, only_active: bool, only_key: bool) -> Statement[SessionRow]:
    """Sessions of an organization, newest first; with filters, those active now or of one key."""

    def query() -> Any:
        found = Session.select(*COLUMNS).where(
            Session.organization == param("organization"), existed(Session.created_at)
        )
        if only_active:
            found = found.where(is_active(param("now")), Session.created_at >= _oldest_active())
        if only_key:
            found = found.where(Session.key_hash == param("key_hash"))
        newest = (Session.created_at.desc(), Session.seq.desc())
        return narrowed(found.order_by(*newest).limit(param("limit")).offset(param("offset")))

    return Statement(SessionRow._make, query)


def _oldest_active() -> Any:
    """When the organization's oldest active session began, if few are active.

    It keeps a list of the active ones from reading all that timed out. Where many are active, a
    page is soon full without it.
    """
    active = Session.select(Session.created_at).where(
        Session.organization == param("organization"), is_active(param("now"))
    )
    few = narrowed(active.limit(_FEW)).alias("few")
    is_few = pw.fn.COUNT(few.c.created_at) < _FEW
    began_at = pw.Case(None, [(is_few, pw.fn.MIN(few.c.created_at))], _BEFORE_ALL)
    return pw.Select((few,), (began_at,))


# For the control plane: sessions of any organization.
by_id_anywhere = session_statements.find_by_id(Session, SessionRow)
creation_page = session_statements.creation_page(Session, SessionRow)
lanes = row_states(Session, SessionRow, without=("url", "options"))
retention = session_statements.retention(Session, has_ended_before(param("before_at")))
changing = session_statements.changing(
    Session,
    SessionRow,
    Session.expires_at,
    is_active(param("after")),
    has_timed_out(param("until")),
)
counts = count_statement(
    (rules.ACTIVE, rules.TIMED_OUT, rules.ERROR, rules.CLOSED),
    lambda: Session.select(
        count_if(is_active(param("now"))),
        count_if(has_timed_out(param("now"))),
        count_if(Session.ended_as == rules.ERROR),
        count_if(Session.ended_at.is_null(False) & (Session.ended_as != rules.ERROR)),
    ),
)

"""Scale's statements, and the SQL twins of its rules."""

from collections.abc import Collection
from functools import cache
from typing import Any

import peewee as pw

from sessionary.identity import Organization
from sessionary.store import (
    Statement,
    count_if,
    count_statement,
    existed,
    insert_statement,
    narrowed,
    param,
    param_list,
    row_states,
)
from sessionary.surfaces.scale import rules
from sessionary.surfaces.scale.models import Session, SessionCount, SessionRow
from sessionary.web import session_statements

_COLUMNS = [getattr(Session, name) for name in SessionRow._fields]
_TOTALS = SessionCount.live, SessionCount.archived
ONE, SEVERAL, ANYWHERE = "one", "several", "anywhere"


def is_live(session: Any = Session) -> Any:
    """SQL twin of `rules.is_live`."""
    return session.archived_at.is_null()


def has_ended() -> Any:
    """SQL twin of `rules.has_ended`."""
    before_at = param("before_at")
    return (Session.archived_at < before_at) & (Session.updated_at < before_at)


_is_named = Session.id == param("id")
by_id = Statement(SessionRow._make, lambda: Session.select(*_COLUMNS).where(_is_named))
insert = insert_statement(Session, without=("seq",))


@cache
def update(columns: frozenset[str]) -> Statement[Any]:
    """Set these columns of a session and leave the others alone."""
    return Statement(
        tuple,
        lambda: Session.update({name: param(name) for name in sorted(columns)}).where(_is_named),
    )


_add_to_count = Statement(
    tuple,
    lambda: SessionCount.insert(
        {name: param(name) for name in ("account_id", "live", "archived")}
    ).on_conflict(
        conflict_target=[SessionCount.account_id],
        update={total: total + getattr(pw.EXCLUDED, total.name) for total in _TOTALS},
    ),
)


def update_counts(before: SessionRow | None, after: SessionRow) -> None:
    """Update the counts for a session that is new (`before` is None) or has changed."""
    for row, by in ((before, -1), (after, 1)):
        if row is not None:
            live = rules.is_live(row)
            _add_to_count.run(account_id=row.account_id, live=by * live, archived=by * (not live))


by_ids = Statement(
    SessionRow._make, lambda: Session.select(*_COLUMNS).where(Session.id.in_(param_list("ids")))
)
_counted = Statement(
    lambda row: (str(row[0]), int(row[1]), int(row[2])),
    lambda: (
        Session.select(Session.account_id, count_if(is_live()), count_if(~is_live()))
        .where(Session.id.in_(param_list("ids")))
        .group_by(Session.account_id)
    ),
)


def add_to_counts(ids: str, times: int) -> None:
    """Add these sessions, a JSON list of ids, to the counts, or with -1 take them out."""
    for account_id, live, archived in _counted.all(ids=ids):
        _add_to_count.run(account_id=account_id, live=times * live, archived=times * archived)


def scope(accounts: Collection[str], *, anywhere: bool) -> str:
    """Return which variant of `page` and `total` covers these accounts."""
    if anywhere:
        return ANYWHERE
    return ONE if len(accounts) == 1 else SEVERAL


def is_covered(scope: str, account: Any) -> Any:
    """SQL twin of `rules.listed_accounts`: the account is among those that a list covers."""
    if scope == ONE:
        return account == param("account")
    is_named = account.in_(param_list("accounts"))
    if scope == SEVERAL:
        return is_named
    return is_named | account.not_in(Organization.select(Organization.id))


@cache
def page(scope: str, *, include_archived: bool) -> Statement[SessionRow]:
    """Sessions of the covered accounts, in order of creation."""

    def query() -> Any:
        if scope == SEVERAL:
            return in_order(_merged_accounts(include_archived))
        is_listed = is_covered(scope, Session.account_id), *_listed(Session, include_archived)
        return narrowed(in_order(Session.select(*_COLUMNS).where(*is_listed)))

    def in_order(found: Any) -> Any:
        oldest_first = (Session.created_at, Session.seq)
        return found.order_by(*oldest_first).limit(param("limit")).offset(param("offset"))

    return Statement(SessionRow._make, query)


def _merged_accounts(include_archived: bool) -> Any:
    """The first `reach` sessions of each account by its index: sorting all would not scale."""
    each = Session.alias()
    first = (
        each.select(each.seq)
        .where(each.account_id == SessionCount.account_id, *_listed(each, include_archived))
        .order_by(each.created_at, each.seq)
        .limit(param("reach"))
    )
    return (
        SessionCount.select(*_COLUMNS)
        .join(Session, on=Session.seq.in_(first))
        .where(is_covered(SEVERAL, SessionCount.account_id))
    )


def _listed(session: Any, include_archived: bool) -> tuple[Any, ...]:
    listed = existed(session.created_at)
    return (listed,) if include_archived else (listed, is_live(session))


@cache
def total(scope: str, *, include_archived: bool) -> Statement[int]:
    """The number of sessions of the covered accounts."""
    counted = SessionCount.live + SessionCount.archived if include_archived else SessionCount.live
    return Statement(
        lambda row: int(row[0]),
        lambda: SessionCount.select(pw.fn.COALESCE(pw.fn.SUM(counted), 0)).where(
            is_covered(scope, SessionCount.account_id)
        ),
    )


account_names = Statement(
    lambda row: (str(row[0]), str(row[1])),
    lambda: (
        Organization.select(Organization.id, Organization.name)
        .where(Organization.id.in_(param_list("accounts")))
        .order_by(Organization.seq)
    ),
)

control_page = session_statements.creation_page(Session, SessionRow)
lanes = row_states(Session, SessionRow, title=Session.title, without=("state",))
status_counts = count_statement(
    (rules.LIVE, rules.ARCHIVED),
    lambda: SessionCount.select(*(pw.fn.COALESCE(pw.fn.SUM(total), 0) for total in _TOTALS)),
)
_prunable_counts = Statement(
    lambda row: (str(row[0]), int(row[1])),
    lambda: (
        Session.select(Session.account_id, pw.fn.COUNT(Session.seq))
        .where(session_statements.is_prunable(Session, has_ended()))
        .group_by(Session.account_id)
    ),
)


def _uncount_pruned(values: dict[str, Any]) -> None:
    for account_id, archived_count in _prunable_counts.all(**values):
        _add_to_count.run(account_id=account_id, live=0, archived=-archived_count)


retention = session_statements.retention(Session, has_ended(), _uncount_pruned)

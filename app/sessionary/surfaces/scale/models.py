"""Scale's rows: sessions, and how many of them each account has."""

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.identity import Organization
from sessionary.store import Statement, given, given_list, insertion


class Session(store.Model):
    """A session. Its window and its archiving are facts that calls have set."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    account_id = pw.TextField()
    title = pw.TextField()
    state = pw.TextField()  # JSON, ASCII-escaped: comes back equal
    created_at = pw.BigIntegerField()
    updated_at = pw.BigIntegerField()
    created_by_user_id = pw.TextField()
    created_by_identity_type = pw.TextField()  # user | service_account
    start_date = pw.BigIntegerField(null=True)
    end_date = pw.BigIntegerField(null=True)
    archived_at = pw.BigIntegerField(null=True)

    class Meta:
        table_name = "scale_sessions"
        indexes = (
            (("account_id", "created_at", "seq"), False),
            # A lenient caller's list covers nearly every account.
            (("created_at", "seq", "account_id", "archived_at"), False),
        )


Session.add_index(
    Session.index(
        Session.account_id, Session.created_at, Session.seq, name="scale_sessions_live"
    ).where(Session.archived_at.is_null())
)


class Count(store.Model):
    """How many sessions an account has; changed in the same transaction as they are."""

    account_id = pw.TextField(primary_key=True)
    live = pw.IntegerField()
    archived = pw.IntegerField()

    class Meta:
        table_name = "scale_counts"


class SessionRow(NamedTuple):
    """A row of scale_sessions; instants are integer microseconds."""

    id: str
    account_id: str
    title: str
    state: str
    created_at: int
    updated_at: int
    created_by_user_id: str
    created_by_identity_type: str
    start_date: int | None
    end_date: int | None
    archived_at: int | None


COLUMNS = [getattr(Session, name) for name in SessionRow._fields]

by_id = Statement(
    SessionRow._make, lambda: Session.select(*COLUMNS).where(Session.id == given("id"))
)
insert = insertion(Session, without=("seq",))


@cache
def change(columns: frozenset[str]) -> Statement[Any]:
    """Set these columns of a session and no others."""
    return Statement(
        tuple,
        lambda: Session.update({name: given(name) for name in sorted(columns)}).where(
            Session.id == given("id")
        ),
    )


_add = Statement(
    tuple,
    lambda: Count.insert(
        {name: given(name) for name in ("account_id", "live", "archived")}
    ).on_conflict(
        conflict_target=[Count.account_id],
        update={
            Count.live: Count.live + pw.EXCLUDED.live,
            Count.archived: Count.archived + pw.EXCLUDED.archived,
        },
    ),
)


def count(before: SessionRow | None, after: SessionRow) -> None:
    """Keep the counts right when a session comes to be, or is now `after` what was `before`."""
    if before is not None:
        _count(before, -1)
    _count(after, 1)


def uncount_archived(account_id: str, count: int) -> None:
    """Keep the counts right when archived sessions of an account are removed."""
    _add.run(account_id=account_id, live=0, archived=-count)


def _count(row: SessionRow, by: int) -> None:
    is_live = row.archived_at is None
    _add.run(account_id=row.account_id, live=by * is_live, archived=by * (not is_live))


ONE, SEVERAL, ANYWHERE = "one", "several", "anywhere"


def scope(accounts: Collection[str], *, anywhere: bool) -> str:
    """Which of the statements below covers these accounts."""
    if anywhere:
        return ANYWHERE
    return ONE if len(accounts) == 1 else SEVERAL


def _covered(scope: str, account: Any) -> Any:
    """The condition that an account is among those that a list covers."""
    if scope == ONE:
        return account == given("account")
    is_named = account.in_(given_list("accounts"))
    if scope == SEVERAL:
        return is_named
    return is_named | account.not_in(Organization.select(Organization.id))


@cache
def page(scope: str, *, archived_too: bool) -> Statement[SessionRow]:
    """Sessions of the covered accounts in the order of creation. Assumed: ascending."""

    def query() -> Any:
        found = _of_each(archived_too) if scope == SEVERAL else _of(scope, archived_too)
        oldest = (Session.created_at, Session.seq)
        return found.order_by(*oldest).limit(given("limit")).offset(given("offset"))

    return Statement(SessionRow._make, query)


def _of(scope: str, archived_too: bool) -> Any:
    """Sessions that an index has in order: one account's, or nearly all."""
    return Session.select(*COLUMNS).where(
        _covered(scope, Session.account_id), *_shown(Session, archived_too)
    )


def _of_each(archived_too: bool) -> Any:
    """The first `reach` sessions of each account, to be merged.

    They come by the account's index, however many there are; to sort all of them would not.
    """
    each = Session.alias()
    first = (
        each.select(each.seq)
        .where(each.account_id == Count.account_id, *_shown(each, archived_too))
        .order_by(each.created_at, each.seq)
        .limit(given("reach"))
    )
    return (
        Count.select(*COLUMNS)
        .join(Session, on=Session.seq.in_(first))
        .where(_covered(SEVERAL, Count.account_id))
    )


def _shown(sessions: Any, archived_too: bool) -> tuple[Any, ...]:
    return () if archived_too else (sessions.archived_at.is_null(),)


@cache
def total(scope: str, *, archived_too: bool) -> Statement[int]:
    """How many sessions the covered accounts have."""
    counted = Count.live + Count.archived if archived_too else Count.live
    return Statement(
        lambda row: int(row[0]),
        lambda: Count.select(pw.fn.COALESCE(pw.fn.SUM(counted), 0)).where(
            _covered(scope, Count.account_id)
        ),
    )


account_names = Statement(
    lambda row: (str(row[0]), str(row[1])),
    lambda: (
        Organization.select(Organization.id, Organization.name)
        .where(Organization.id.in_(given_list("accounts")))
        .order_by(Organization.seq)
    ),
)

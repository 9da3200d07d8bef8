"""Notte's rows: facts, and deadlines that were decided when they were written."""

from functools import cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, insert_statement, param


class Session(store.Model):
    """A browser session. Whether it is active is not stored: see rules.status."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    organization = pw.TextField()
    key_hash = pw.TextField()  # of the key that started it
    created_at = pw.BigIntegerField()
    last_accessed_at = pw.BigIntegerField()
    timeout_minutes = pw.IntegerField()
    max_duration_minutes = pw.IntegerField(null=True)  # v1 has none
    outlives_timeout = pw.IntegerField()  # 1: no idle deadline
    expires_at = pw.BigIntegerField()  # the earlier of its deadlines, or rules.NEVER
    ended_at = pw.BigIntegerField(null=True)  # by a call
    ended_as = pw.TextField(null=True)  # closed | error
    close_reason = pw.TextField(null=True)  # manual | error | operation
    error = pw.TextField(null=True)
    url = pw.TextField(null=True)  # of the page that was last asked for
    options = pw.TextField()  # JSON: the browser that was asked for

    class Meta:
        table_name = "notte_sessions"
        indexes = (
            (("organization", "created_at", "seq"), False),
            (("organization", "key_hash", "created_at", "seq"), False),
        )


# Of what no call has ended: newest first, and by deadline.
for _indexed in (
    (Session.organization, Session.created_at, Session.seq, Session.expires_at),
    (Session.organization, Session.expires_at, Session.created_at),
    (Session.expires_at,),
):
    Session.add_index(Session.index(*_indexed).where(Session.ended_at.is_null()))


class SessionRow(NamedTuple):
    """A row of notte_sessions; instants are integer microseconds."""

    id: str
    organization: str
    created_at: int
    last_accessed_at: int
    timeout_minutes: int
    max_duration_minutes: int | None
    outlives_timeout: int
    expires_at: int
    ended_at: int | None
    ended_as: str | None
    close_reason: str | None
    error: str | None
    url: str | None
    options: str


_MANY = 300
_BEFORE_ALL = -(2**63)
COLUMNS = [getattr(Session, name) for name in SessionRow._fields]

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
    lambda: Session.update(
        ended_at=param("ended_at"),
        ended_as=param("ended_as"),
        close_reason=param("close_reason"),
        error=param("error"),
    ).where(Session.id == param("id"), Session.ended_at.is_null()),
)


def is_active() -> Any:
    """rules.status(row, now) == "active", as SQL says it."""
    return Session.ended_at.is_null() & (Session.expires_at >= param("now"))


def _oldest_active() -> Any:
    """When the oldest active session of the organization began, if there are few of them.

    It spares a list of the active ones the reading of all that were left to time out. Where there
    are many, a page of them is soon full.
    """
    few = (
        Session.select(Session.created_at)
        .where(Session.organization == param("organization"), is_active())
        .limit(_MANY)
        .alias("few")
    )
    is_few = pw.fn.COUNT(few.c.created_at) < _MANY
    began_at = pw.Case(None, [(is_few, pw.fn.MIN(few.c.created_at))], _BEFORE_ALL)
    return pw.Select((few,), (began_at,))


@cache
def page(*, only_active: bool, only_key: bool) -> Statement[SessionRow]:
    """Sessions of an organization, newest first; with filters, those active now or of one key."""

    def query() -> Any:
        found = Session.select(*COLUMNS).where(Session.organization == param("organization"))
        if only_active:
            found = found.where(is_active(), Session.created_at >= _oldest_active())
        if only_key:
            found = found.where(Session.key_hash == param("key_hash"))
        newest = (Session.created_at.desc(), Session.seq.desc())
        return found.order_by(*newest).limit(param("limit")).offset(param("offset"))

    return Statement(SessionRow._make, query)


active_count = Statement(
    lambda row: int(row[0]), lambda: Session.select(pw.fn.COUNT(Session.seq)).where(is_active())
)

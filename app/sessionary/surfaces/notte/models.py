"""Notte's rows: facts, and deadlines that were decided when they were written."""

from functools import cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, given, insertion


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
    expires_at = pw.BigIntegerField(null=True)  # the earlier of its deadlines
    ended_at = pw.BigIntegerField(null=True)  # by a call
    ended_as = pw.TextField(null=True)  # closed | error
    close_reason = pw.TextField(null=True)  # manual | error | operation
    error = pw.TextField(null=True)
    url = pw.TextField(null=True)  # of the page that was last asked for
    options = pw.TextField()  # JSON: the browser that was asked for

    class Meta:
        table_name = "notte_sessions"
        indexes = ((("organization", "created_at", "seq"), False),)


Session.add_index(
    Session.index(Session.organization, Session.created_at, Session.seq, Session.expires_at).where(
        Session.ended_at.is_null()
    )
)


class SessionRow(NamedTuple):
    """A row of notte_sessions; instants are integer microseconds."""

    id: str
    organization: str
    created_at: int
    last_accessed_at: int
    timeout_minutes: int
    max_duration_minutes: int | None
    outlives_timeout: int
    expires_at: int | None
    ended_at: int | None
    ended_as: str | None
    close_reason: str | None
    error: str | None
    url: str | None
    options: str


_COLUMNS = [getattr(Session, name) for name in SessionRow._fields]

by_id = Statement(
    SessionRow._make,
    lambda: Session.select(*_COLUMNS).where(
        Session.id == given("id"), Session.organization == given("organization")
    ),
)
insert = insertion(Session, without=("seq",))
touch = Statement(
    tuple,
    lambda: Session.update(
        last_accessed_at=given("last_accessed_at"), expires_at=given("expires_at"), url=given("url")
    ).where(Session.id == given("id")),
)
end = Statement(
    tuple,
    lambda: Session.update(
        ended_at=given("ended_at"),
        ended_as=given("ended_as"),
        close_reason=given("close_reason"),
        error=given("error"),
    ).where(Session.id == given("id"), Session.ended_at.is_null()),
)


def _is_active() -> Any:
    """rules.status(row, now) == "active", as SQL says it."""
    alive = Session.expires_at.is_null() | (Session.expires_at >= given("now"))
    return Session.ended_at.is_null() & alive


@cache
def page(*, only_active: bool, only_key: bool) -> Statement[SessionRow]:
    """Sessions of an organization, newest first; with filters, those active now or of one key."""

    def query() -> Any:
        found = Session.select(*_COLUMNS).where(Session.organization == given("organization"))
        if only_active:
            found = found.where(_is_active())
        if only_key:
            found = found.where(Session.key_hash == given("key_hash"))
        newest = (Session.created_at.desc(), Session.seq.desc())
        return found.order_by(*newest).limit(given("limit")).offset(given("offset"))

    return Statement(SessionRow._make, query)


active_count = Statement(
    lambda row: int(row[0]), lambda: Session.select(pw.fn.COUNT(Session.seq)).where(_is_active())
)

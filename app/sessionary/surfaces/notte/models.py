"""Notte's table and its row type: facts, and the deadline that was decided when it was written."""

from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.surfaces.notte import rules


class Session(store.Model):
    """A browser session. Its status is not stored: see rules.status."""

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
    url = pw.TextField(null=True)  # of the page that was opened last
    options = pw.TextField()  # JSON: the browser options of the start

    class Meta:
        table_name = "notte_sessions"
        indexes = (
            (("organization", "created_at", "seq"), False),
            (("organization", "key_hash", "created_at", "seq"), False),
        )


# Sessions that no call has ended: newest first, and by deadline.
for _indexed in (
    (Session.organization, Session.created_at, Session.seq, Session.expires_at),
    (Session.organization, Session.expires_at, Session.created_at),
    (Session.expires_at,),
):
    Session.add_index(Session.index(*_indexed).where(Session.ended_at.is_null()))


class SessionRow(NamedTuple):
    """A row of notte_sessions without its key; instants are integer microseconds."""

    id: str
    organization: str
    created_at: int
    last_accessed_at: int
    timeout_minutes: int
    max_duration_minutes: int | None = None
    outlives_timeout: int = 0
    expires_at: int = rules.NEVER
    ended_at: int | None = None
    ended_as: str | None = None
    close_reason: str | None = None
    error: str | None = None
    url: str | None = None
    options: str = "{}"

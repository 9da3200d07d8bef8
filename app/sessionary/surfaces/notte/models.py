"""Notte's table and its row type: facts, and the deadline that was decided when it was written."""

from collections.abc import Mapping
from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Database, Migration, recreate_table
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
    status_since_at = pw.BigIntegerField()  # of the call that gave it its status

    class Meta:
        table_name = "notte_sessions"
        immutable = ("id", "organization", "key_hash", "created_at")
        deadlines = ("expires_at",)
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
    status_since_at: int
    max_duration_minutes: int | None = None
    outlives_timeout: int = 0
    expires_at: int = rules.NEVER
    ended_at: int | None = None
    ended_as: str | None = None
    close_reason: str | None = None
    error: str | None = None
    url: str | None = None
    options: str = "{}"


_VERSION_2 = (
    '"seq" INTEGER NOT NULL PRIMARY KEY, "id" TEXT NOT NULL, "organization" TEXT NOT NULL, '
    '"key_hash" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "last_accessed_at" INTEGER NOT NULL, '
    '"timeout_minutes" INTEGER NOT NULL, "max_duration_minutes" INTEGER, '
    '"outlives_timeout" INTEGER NOT NULL, "expires_at" INTEGER NOT NULL, "ended_at" INTEGER, '
    '"ended_as" TEXT, "close_reason" TEXT, "error" TEXT, "url" TEXT, "options" TEXT NOT NULL'
)


def _add_status_since_at(database: Database) -> None:
    """To version 3."""
    recreate_table(
        database,
        "notte_sessions",
        f'{_VERSION_2}, "status_since_at" INTEGER NOT NULL',
        {"status_since_at": "COALESCE(ended_at, created_at)"},
    )


MIGRATIONS: Mapping[int, Migration] = {3: _add_status_since_at}
EARLIER_SQL = {3: {"notte_sessions": f'CREATE TABLE "notte_sessions" ({_VERSION_2})'}}

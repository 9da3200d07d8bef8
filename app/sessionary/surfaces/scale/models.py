"""Scale's tables: sessions, and the number of them in each account."""

from collections.abc import Mapping
from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Database, Migration, recreate_table


class Session(store.Model):
    """A session. Calls set its window and its `archived_at`; nothing else does."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    account_id = pw.TextField()
    title = pw.TextField()
    state = pw.TextField()  # JSON, ASCII-escaped
    created_at = pw.BigIntegerField()
    updated_at = pw.BigIntegerField()
    created_by_user_id = pw.TextField()
    created_by_identity_type = pw.TextField()  # user | service_account
    start_date = pw.BigIntegerField(null=True)
    end_date = pw.BigIntegerField(null=True)
    archived_at = pw.BigIntegerField(null=True)
    status_since_at = pw.BigIntegerField()  # of the call that gave it its status

    class Meta:
        table_name = "scale_sessions"
        immutable = ("id", "account_id", "created_at")
        indexes = (
            (("account_id", "created_at", "seq"), False),
            # For lists over nearly every account (a lenient caller).
            (("created_at", "seq", "account_id", "archived_at"), False),
        )


_order = (Session.account_id, Session.created_at, Session.seq)
_live = Session.index(*_order, name="scale_sessions_live").where(Session.archived_at.is_null())
Session.add_index(_live)


class SessionCount(store.Model):
    """The number of sessions of an account, changed in the transaction that changes them."""

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
    status_since_at: int


_VERSION_2 = (
    '"seq" INTEGER NOT NULL PRIMARY KEY, "id" TEXT NOT NULL, "account_id" TEXT NOT NULL, '
    '"title" TEXT NOT NULL, "state" TEXT NOT NULL, "created_at" INTEGER NOT NULL, '
    '"updated_at" INTEGER NOT NULL, "created_by_user_id" TEXT NOT NULL, '
    '"created_by_identity_type" TEXT NOT NULL, "start_date" INTEGER, "end_date" INTEGER, '
    '"archived_at" INTEGER'
)


def _add_status_since_at(database: Database) -> None:
    """To version 3: an archived session was written last when it was archived."""
    recreate_table(
        database,
        "scale_sessions",
        f'{_VERSION_2}, "status_since_at" INTEGER NOT NULL',
        {"status_since_at": "CASE WHEN archived_at IS NULL THEN created_at ELSE updated_at END"},
    )


MIGRATIONS: Mapping[int, Migration] = {3: _add_status_since_at}
EARLIER_SQL = {3: {"scale_sessions": f'CREATE TABLE "scale_sessions" ({_VERSION_2})'}}

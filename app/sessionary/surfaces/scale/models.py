"""Scale's tables: sessions, and the number of them in each account."""

from typing import NamedTuple

import peewee as pw

from sessionary import store


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

    class Meta:
        table_name = "scale_sessions"
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

"""Galtea's tables and row types: facts, and deadlines that were decided when they were written."""

from collections.abc import Mapping
from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Database, Migration, recreate_table

VERSION, PRODUCT, TEST, TEST_CASE = "version", "product", "test", "test case"
PARENTS = {VERSION: PRODUCT, TEST_CASE: TEST}  # a kind, and the kind of its parents
NONE = ""  # stands for "none" in a column that is compared


class Reference(store.Model):
    """A version, product, test or test case that was seeded or made by default."""

    seq = pw.AutoField()
    kind = pw.TextField()  # version | product | test | test case
    id = pw.TextField()
    organization = pw.TextField(null=True)  # null: every organization's
    parent = pw.TextField()  # a version's product, a test case's test, else NONE
    name = pw.TextField()
    context = pw.TextField(null=True)  # JSON, of a test case
    created_at = pw.BigIntegerField()

    class Meta:
        table_name = "galtea_parents"
        immutable = ("kind", "id", "organization", "parent")
        indexes = ((("kind", "id"), True), (("kind", "parent", "created_at", "seq"), False))


class Session(store.Model):
    """A conversation under evaluation. Its auto-close is not stored: see rules.status."""

    seq = pw.AutoField()
    id = pw.TextField()
    organization = pw.TextField()
    custom_id = pw.TextField(null=True)
    version = pw.TextField()
    product = pw.TextField()  # the version's, when it was created
    user = pw.TextField(null=True)  # null: production
    test_case = pw.TextField(null=True)
    test = pw.TextField()  # the test case's, when it was created, or NONE
    run = pw.TextField(null=True)
    is_production = pw.IntegerField()
    context = pw.TextField(null=True)  # JSON
    metadata = pw.TextField(null=True)  # JSON
    status = pw.TextField()  # as a caller set it
    stopping_reason = pw.TextField(null=True)
    error = pw.TextField(null=True)
    created_at = pw.BigIntegerField()  # cut to the millisecond
    written_at = pw.BigIntegerField()  # by the last create, PATCH or finish
    auto_close_minutes = pw.IntegerField(null=True)  # the setting when last written
    expires_at = pw.BigIntegerField(null=True)  # when it closes by itself, while PENDING
    deleted_at = pw.BigIntegerField(null=True)
    status_since_at = pw.BigIntegerField()  # of the call that gave it its status

    class Meta:
        table_name = "galtea_sessions"
        immutable = ("id", "organization", "version", "product", "created_at")
        deadlines = ("expires_at",)
        indexes = ((("id", "organization"), True),)


_is_kept = Session.deleted_at.is_null()
_order = (Session.created_at, Session.seq)
for _columns in ((), (Session.version,), (Session.product,), (Session.test,), (Session.status,)):
    Session.add_index(Session.index(Session.organization, *_columns, *_order).where(_is_kept))
for _column in (Session.custom_id, Session.test_case, Session.user, Session.run):
    _is_set = _is_kept & _column.is_null(False)
    Session.add_index(Session.index(Session.organization, _column, *_order).where(_is_set))
_closes = _is_kept & Session.expires_at.is_null(False)
Session.add_index(Session.index(Session.expires_at).where(_closes))
# A customId is unique in its version: see rules.ensure_custom_id_free.
_custom_id = Session.index(Session.organization, Session.version, Session.custom_id, unique=True)
Session.add_index(_custom_id.where(_is_kept))

TABLES = (Reference, Session)


class ReferenceRow(NamedTuple):
    """A row of galtea_parents without its key."""

    kind: str
    id: str
    organization: str | None
    parent: str
    name: str
    context: str | None
    created_at: int


class SessionRow(NamedTuple):
    """A row of galtea_sessions without its key; instants are integer microseconds."""

    id: str
    organization: str
    version: str
    product: str
    status: str
    created_at: int
    written_at: int
    status_since_at: int
    custom_id: str | None = None
    user: str | None = None
    test_case: str | None = None
    test: str = NONE
    run: str | None = None
    is_production: int = 1
    context: str | None = None
    metadata: str | None = None
    stopping_reason: str | None = None
    error: str | None = None
    auto_close_minutes: int | None = None
    expires_at: int | None = None
    deleted_at: int | None = None


_VERSION_2 = (
    '"seq" INTEGER NOT NULL PRIMARY KEY, "id" TEXT NOT NULL, "organization" TEXT NOT NULL, '
    '"custom_id" TEXT, "version" TEXT NOT NULL, "product" TEXT NOT NULL, "user" TEXT, '
    '"test_case" TEXT, "test" TEXT NOT NULL, "run" TEXT, "is_production" INTEGER NOT NULL, '
    '"context" TEXT, "metadata" TEXT, "status" TEXT NOT NULL, "stopping_reason" TEXT, '
    '"error" TEXT, "created_at" INTEGER NOT NULL, "written_at" INTEGER NOT NULL, '
    '"auto_close_minutes" INTEGER, "expires_at" INTEGER, "deleted_at" INTEGER'
)
_VERSION_3 = f'{_VERSION_2}, "status_since_at" INTEGER NOT NULL'
_VERSION_1 = _VERSION_2.replace('"written_at" INTEGER NOT NULL, ', "")


def _add_written_at(database: Database) -> None:
    """To version 2: derive the last write from the deadline, else take the deletion or creation."""
    recreate_table(
        database,
        "galtea_sessions",
        _VERSION_2,
        {
            "written_at": "COALESCE(expires_at - auto_close_minutes * 60000000, deleted_at, "
            "created_at)"
        },
    )


def _add_status_since_at(database: Database) -> None:
    """To version 3: a PENDING session has its status from its creation, others since written."""
    recreate_table(
        database,
        "galtea_sessions",
        _VERSION_3,
        {"status_since_at": "CASE status WHEN 'PENDING' THEN created_at ELSE written_at END"},
        'CREATE INDEX "galtea_sessions_expires_at" ON "galtea_sessions" ("expires_at") '
        'WHERE (("deleted_at" IS NULL) AND ("expires_at" IS NOT NULL))',
    )


MIGRATIONS: Mapping[int, Migration] = {2: _add_written_at, 3: _add_status_since_at}
EARLIER_SQL: Mapping[int, Mapping[str, str | None]] = {
    2: {"galtea_sessions": f'CREATE TABLE "galtea_sessions" ({_VERSION_1})'},
    3: {
        "galtea_sessions": f'CREATE TABLE "galtea_sessions" ({_VERSION_2})',
        "galtea_sessions_expires_at": None,
    },
}

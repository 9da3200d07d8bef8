"""Galtea's rows: facts, and deadlines that were decided when they were written."""

from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, insert_statement, param, param_list

VERSION, PRODUCT, TEST, TEST_CASE = "version", "product", "test", "test case"
NONE = ""  # stands where a text is compared, and there is nothing


class Parent(store.Model):
    """What sessions refer to, where this server knows it: seeded, or made by default."""

    seq = pw.AutoField()
    kind = pw.TextField()  # version | product | test | test case
    id = pw.TextField()
    organization = pw.TextField(null=True)  # null: everyone's
    parent = pw.TextField()  # a version's product, a test case's test, NONE of the others
    name = pw.TextField()
    context = pw.TextField(null=True)  # JSON, of a test case
    created_at = pw.BigIntegerField()

    class Meta:
        table_name = "galtea_parents"
        indexes = ((("kind", "id"), True), (("kind", "parent", "created_at", "seq"), False))


class Session(store.Model):
    """A conversation under evaluation. Whether it has closed by itself is not stored: see rules."""

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

    class Meta:
        table_name = "galtea_sessions"
        indexes = ((("id", "organization"), True),)


is_kept = Session.deleted_at.is_null()
ORDER = (Session.created_at, Session.seq)
for _columns in (
    (),
    (Session.version,),
    (Session.product,),
    (Session.test,),
    (Session.status,),
):
    Session.add_index(Session.index(Session.organization, *_columns, *ORDER).where(is_kept))
for _column in (Session.custom_id, Session.test_case, Session.user, Session.run):
    _has_one = is_kept & _column.is_null(False)
    Session.add_index(Session.index(Session.organization, _column, *ORDER).where(_has_one))
Session.add_index(
    Session.index(Session.organization, Session.version, Session.custom_id, unique=True).where(
        is_kept
    )
)

TABLES = (Parent, Session)


class ParentRow(NamedTuple):
    """A row of galtea_parents."""

    kind: str
    id: str
    organization: str | None
    parent: str
    name: str
    context: str | None
    created_at: int


class SessionRow(NamedTuple):
    """A row of galtea_sessions; instants are integer microseconds."""

    id: str
    organization: str
    custom_id: str | None
    version: str
    product: str
    user: str | None
    test_case: str | None
    test: str
    run: str | None
    is_production: int
    context: str | None
    metadata: str | None
    status: str
    stopping_reason: str | None
    error: str | None
    created_at: int
    written_at: int
    auto_close_minutes: int | None
    expires_at: int | None
    deleted_at: int | None


COLUMNS = [getattr(Session, name) for name in SessionRow._fields]
_PARENT_COLUMNS = [getattr(Parent, name) for name in ParentRow._fields]
_CHANGEABLE = (
    "custom_id",
    "context",
    "metadata",
    "status",
    "stopping_reason",
    "error",
    "written_at",
    "auto_close_minutes",
    "expires_at",
)

is_ours = (Session.organization == param("organization")) & is_kept
_is_visible = Parent.organization.is_null() | (Parent.organization == param("organization"))

insert = insert_statement(Session, without=("seq",))
insert_parent = insert_statement(Parent, without=("seq",))
by_id = Statement(
    SessionRow._make, lambda: Session.select(*COLUMNS).where(Session.id == param("id"), is_ours)
)
update = Statement(
    tuple,
    lambda: Session.update({name: param(name) for name in _CHANGEABLE}).where(
        is_ours, Session.id == param("id")
    ),
)
# The session that has this customId in this version.
holder = Statement(
    lambda row: str(row[0]),
    lambda: Session.select(Session.id).where(
        is_ours, Session.version == param("version"), Session.custom_id == param("custom_id")
    ),
)
present = Statement(
    lambda row: str(row[0]),
    lambda: Session.select(Session.id).where(is_ours, Session.id.in_(param_list("ids"))),
)
delete = Statement(
    tuple,
    lambda: Session.update(deleted_at=param("at")).where(
        is_ours, Session.id.in_(param_list("ids"))
    ),
)
parents = Statement(
    ParentRow._make,
    lambda: Parent.select(*_PARENT_COLUMNS).where(
        Parent.kind == param("kind"), Parent.id.in_(param_list("ids")), _is_visible
    ),
)
latest_version = Statement(
    ParentRow._make,
    lambda: (
        Parent.select(*_PARENT_COLUMNS)
        .where(Parent.kind == VERSION, Parent.parent == param("product"), _is_visible)
        .order_by(Parent.created_at.desc(), Parent.seq.desc())
        .limit(1)
    ),
)

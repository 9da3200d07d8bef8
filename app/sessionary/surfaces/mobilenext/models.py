"""Mobile Next's tables and row types: facts, and deadlines fixed when they are written."""

from collections.abc import Mapping
from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Database, Migration, recreate_table


class Device(store.Model):
    """A device of the catalogue. Whether it is free is derived: see rules.is_open."""

    seq = pw.AutoField()  # the catalogue's order
    serial = pw.TextField(unique=True)
    platform = pw.TextField()
    type = pw.TextField()
    name = pw.TextField()
    version = pw.TextField()
    provision_seconds = pw.IntegerField()  # 0: ready at once
    is_default = pw.IntegerField()  # 1: came with the installation
    is_retired = pw.IntegerField()

    class Meta:
        table_name = "mobilenext_devices"


class Session(store.Model):
    """A session. Until its first allocation it has no `created_at` and is not listed."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    organization = pw.TextField()
    user = pw.TextField()  # the creator
    opened_at = pw.BigIntegerField()
    empty_expires_at = pw.BigIntegerField(column_name="void_at")  # if it has no device by then
    created_at = pw.BigIntegerField(null=True)  # unique and strictly increasing
    expires_at = pw.BigIntegerField(null=True)  # the end of the lease
    released_at = pw.BigIntegerField(null=True)  # the last release by a call
    status_since_at = pw.BigIntegerField()  # of the call that gave it its status

    class Meta:
        table_name = "mobilenext_sessions"
        immutable = ("id", "organization", "user", "opened_at")
        deadlines = ("void_at", "expires_at")
        indexes = ((("organization", "created_at"), True),)


# By the instants at which a session changes by itself: see queries.control.changing.
_is_empty = Session.created_at.is_null()
_has_lease = Session.released_at.is_null() & Session.expires_at.is_null(False)
Session.add_index(Session.index(Session.empty_expires_at).where(_is_empty))
Session.add_index(Session.index(Session.expires_at).where(_has_lease))


class Allocation(store.Model):
    """A device allocated to a session, as the catalogue described it at that instant."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    session = pw.ForeignKeyField(Session, Session.id, column_name="session", index=False)
    serial = pw.ForeignKeyField(Device, Device.serial, column_name="serial")
    platform = pw.TextField()
    type = pw.TextField()
    name = pw.TextField()
    version = pw.TextField()
    created_at = pw.BigIntegerField()
    in_use_at = pw.BigIntegerField(null=True)  # until then it is provisioning
    expires_at = pw.BigIntegerField(null=True)  # the session's
    released_at = pw.BigIntegerField(null=True)  # by a call

    class Meta:
        table_name = "mobilenext_allocations"
        immutable = ("id", "session", "serial", "created_at")
        deadlines = ("in_use_at", "expires_at")
        indexes = ((("session", "seq"), False),)


_by_serial = Allocation.index(Allocation.serial, Allocation.expires_at)
Allocation.add_index(_by_serial.where(Allocation.released_at.is_null()))
_is_on_demand = Allocation.released_at.is_null() & Allocation.in_use_at.is_null(False)
Allocation.add_index(Allocation.index(Allocation.in_use_at).where(_is_on_demand))


class Fact(store.Model):
    """What a call over `/ws` left on a device: forgotten with the allocation."""

    seq = pw.AutoField()
    session = pw.TextField()  # of the allocation
    allocation = pw.ForeignKeyField(
        Allocation, Allocation.id, column_name="allocation", index=False
    )
    name = pw.TextField()
    value = pw.TextField()  # JSON
    call = pw.TextField()  # the method that set it
    set_at = pw.BigIntegerField()

    class Meta:
        table_name = "mobilenext_facts"
        immutable = ("session", "allocation", "name")
        indexes = ((("allocation", "name"), True),)


class Mark(store.Model):
    """The latest `created_at` of an organization's sessions, and the clock's `moves` by then."""

    organization = pw.TextField(primary_key=True)
    created_at = pw.BigIntegerField()
    moves = pw.IntegerField()

    class Meta:
        table_name = "mobilenext_marks"


TABLES = (Device, Session, Allocation, Mark, Fact)
# What an allocation copies of its device.
DESCRIPTION = ("serial", "platform", "type", "name", "version")


class DeviceRow(NamedTuple):
    """A row of mobilenext_devices, and whether the device is allocated now."""

    serial: str
    platform: str
    type: str
    name: str
    version: str
    provision_seconds: int
    is_default: int
    is_retired: int
    is_allocated: int


class SessionRow(NamedTuple):
    """A row of mobilenext_sessions without its key; instants are integer microseconds."""

    id: str
    organization: str
    user: str
    opened_at: int
    empty_expires_at: int
    status_since_at: int
    created_at: int | None = None
    expires_at: int | None = None
    released_at: int | None = None


class AllocationRow(NamedTuple):
    """A row of mobilenext_allocations; instants are integer microseconds."""

    id: str
    session: str
    serial: str
    platform: str
    type: str
    name: str
    version: str
    created_at: int
    in_use_at: int | None
    expires_at: int | None
    released_at: int | None = None


class JoinedRow(NamedTuple):
    """An allocation with columns of its session; flat, since a list has one for each device."""

    organization: str
    user: str
    session_released_at: int | None
    id: str
    session: str
    serial: str
    platform: str
    type: str
    name: str
    version: str
    created_at: int
    in_use_at: int | None
    expires_at: int | None
    released_at: int | None


class FactRow(NamedTuple):
    """A row of mobilenext_facts without its key."""

    session: str
    allocation: str
    name: str
    value: str
    call: str
    set_at: int


class MarkRow(NamedTuple):
    created_at: int
    moves: int


_VERSION_2 = (
    '"id" TEXT NOT NULL PRIMARY KEY, "organization" TEXT NOT NULL, "user" TEXT NOT NULL, '
    '"opened_at" INTEGER NOT NULL, "void_at" INTEGER NOT NULL, "created_at" INTEGER, '
    '"expires_at" INTEGER, "released_at" INTEGER'
)
_VERSION_3 = (
    f'"seq" INTEGER NOT NULL PRIMARY KEY, {_VERSION_2.replace(" PRIMARY KEY", "")}, '
    '"status_since_at" INTEGER NOT NULL'
)
_NEW_INDEXES = {
    "mobilenext_sessions_id": 'CREATE UNIQUE INDEX "mobilenext_sessions_id" '
    'ON "mobilenext_sessions" ("id")',
    "mobilenext_sessions_void_at": 'CREATE INDEX "mobilenext_sessions_void_at" '
    'ON "mobilenext_sessions" ("void_at") WHERE ("created_at" IS NULL)',
    "mobilenext_sessions_expires_at": 'CREATE INDEX "mobilenext_sessions_expires_at" '
    'ON "mobilenext_sessions" ("expires_at") '
    'WHERE (("released_at" IS NULL) AND ("expires_at" IS NOT NULL))',
    "mobilenext_allocations_in_use_at": 'CREATE INDEX "mobilenext_allocations_in_use_at" '
    'ON "mobilenext_allocations" ("in_use_at") '
    'WHERE (("released_at" IS NULL) AND ("in_use_at" IS NOT NULL))',
}
_OLD_INDEX = 'CREATE INDEX "mobilenext_allocations_session" ON "mobilenext_allocations" ("session")'


def _add_status_since_at(database: Database) -> None:
    """To version 3: sessions have their order of creation as a key, too."""
    recreate_table(
        database,
        "mobilenext_sessions",
        _VERSION_3,
        {
            "seq": "(SELECT each.rowid FROM mobilenext_sessions AS each WHERE each.id = old.id)",
            "status_since_at": "COALESCE(released_at, created_at, opened_at)",
        },
        *_NEW_INDEXES.values(),
    )
    database.run('DROP INDEX "mobilenext_allocations_session"')


def _add_facts(_: Database) -> None:
    """To version 4."""
    store.create_tables([Fact])


MIGRATIONS: Mapping[int, Migration] = {3: _add_status_since_at, 4: _add_facts}
EARLIER_SQL: Mapping[int, Mapping[str, str | None]] = {
    3: {
        "mobilenext_sessions": f'CREATE TABLE "mobilenext_sessions" ({_VERSION_2})',
        **dict.fromkeys(_NEW_INDEXES),
        "mobilenext_allocations_session": _OLD_INDEX,
    },
    4: {"mobilenext_facts": None, "mobilenext_facts_allocation_name": None},
}

"""Mobile Next's tables and row types: facts, and deadlines fixed when they are written."""

from typing import NamedTuple

import peewee as pw

from sessionary import store


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

    id = pw.TextField(primary_key=True)
    organization = pw.TextField()
    user = pw.TextField()  # the creator
    opened_at = pw.BigIntegerField()
    empty_expires_at = pw.BigIntegerField(column_name="void_at")  # if it has no device by then
    created_at = pw.BigIntegerField(null=True)  # unique and strictly increasing
    expires_at = pw.BigIntegerField(null=True)  # the end of the lease
    released_at = pw.BigIntegerField(null=True)  # the last release by a call

    class Meta:
        table_name = "mobilenext_sessions"
        indexes = ((("organization", "created_at"), True),)


class Allocation(store.Model):
    """A device allocated to a session, as the catalogue described it at that instant."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    session = pw.ForeignKeyField(Session, Session.id, column_name="session")
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
        indexes = ((("session", "seq"), False),)


_by_serial = Allocation.index(Allocation.serial, Allocation.expires_at)
Allocation.add_index(_by_serial.where(Allocation.released_at.is_null()))


class Mark(store.Model):
    """The latest `created_at` of an organization's sessions, and the clock's `moves` by then."""

    organization = pw.TextField(primary_key=True)
    created_at = pw.BigIntegerField()
    moves = pw.IntegerField()

    class Meta:
        table_name = "mobilenext_marks"


TABLES = (Device, Session, Allocation, Mark)
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
    """A row of mobilenext_sessions; instants are integer microseconds."""

    id: str
    organization: str
    user: str
    opened_at: int
    empty_expires_at: int
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


class MarkRow(NamedTuple):
    created_at: int
    moves: int

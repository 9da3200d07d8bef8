"""Mobile Next's rows: facts, and deadlines that were decided when they were written."""

from functools import cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import store
from sessionary.identity import Organization
from sessionary.store import Statement, given, given_list, insertion


class Device(store.Model):
    """An entry of the catalogue. Whether it is free is not stored: see rules.is_open."""

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
    void_at = pw.BigIntegerField()  # from here on it is gone if it is still empty
    created_at = pw.BigIntegerField(null=True)  # unique and strictly increasing
    expires_at = pw.BigIntegerField(null=True)  # the end of the lease
    released_at = pw.BigIntegerField(null=True)  # by the call that released the last device

    class Meta:
        table_name = "mobilenext_sessions"
        indexes = ((("organization", "created_at"), True),)


class Allocation(store.Model):
    """A device given to a session, as the catalogue described it at that moment."""

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
    expires_at = pw.BigIntegerField(null=True)  # the session's: open is one comparison of one row
    released_at = pw.BigIntegerField(null=True)  # by a call

    class Meta:
        table_name = "mobilenext_allocations"
        indexes = ((("session", "seq"), False),)


Allocation.add_index(
    Allocation.index(Allocation.serial, Allocation.expires_at).where(
        Allocation.released_at.is_null()
    )
)


class Mark(store.Model):
    """The latest `created_at` that an organization has given, and which moves of the clock it
    had seen."""

    organization = pw.TextField(primary_key=True)
    created_at = pw.BigIntegerField()
    moves = pw.IntegerField()

    class Meta:
        table_name = "mobilenext_marks"


TABLES = (Device, Session, Allocation, Mark)


class DeviceRow(NamedTuple):
    """A row of mobilenext_devices, and whether the device is held now."""

    serial: str
    platform: str
    type: str
    name: str
    version: str
    provision_seconds: int
    is_default: int
    is_retired: int
    is_held: int


class SessionRow(NamedTuple):
    """A row of mobilenext_sessions; instants are integer microseconds."""

    id: str
    organization: str
    user: str
    opened_at: int
    void_at: int
    created_at: int | None
    expires_at: int | None
    released_at: int | None


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
    released_at: int | None


class MarkRow(NamedTuple):
    """A row of mobilenext_marks."""

    created_at: int
    moves: int


class OrganizationRow(NamedTuple):
    """An organization, as far as the caller is shown it."""

    id: str
    name: str
    created_at: int


_DEVICE = [getattr(Device, name) for name in DeviceRow._fields[:-1]]
_SESSION = [getattr(Session, name) for name in SessionRow._fields]
_ALLOCATION = [getattr(Allocation, name) for name in AllocationRow._fields]


def _is_open() -> Any:
    """rules.is_open(allocation, now), as SQL says it."""
    lasts = Allocation.expires_at.is_null() | (Allocation.expires_at > given("now"))
    return Allocation.released_at.is_null() & lasts


def _is_held() -> Any:
    held = Allocation.select(pw.SQL("1")).where(Allocation.serial == Device.serial, _is_open())
    return pw.fn.EXISTS(held)


catalogue = Statement(
    DeviceRow._make, lambda: Device.select(*_DEVICE, _is_held()).order_by(Device.seq)
)
# Ready before on-demand, then the catalogue's order.
candidates = Statement(
    DeviceRow._make,
    lambda: (
        Device.select(*_DEVICE, _is_held())
        .where(Device.is_retired == 0)
        .order_by(Device.provision_seconds > 0, Device.seq)
    ),
)

by_id = Statement(
    SessionRow._make,
    lambda: Session.select(*_SESSION).where(
        Session.id == given("id"), Session.organization == given("organization")
    ),
)
insert_session = insertion(Session)
enlist = Statement(
    tuple,
    lambda: Session.update(created_at=given("created_at"), expires_at=given("expires_at")).where(
        Session.id == given("id"), Session.created_at.is_null()
    ),
)
end_session = Statement(
    tuple,
    lambda: Session.update(released_at=given("released_at")).where(
        Session.id == given("id"), Session.released_at.is_null()
    ),
)


@cache
def page(*, only_before: bool) -> Statement[SessionRow]:
    """Listed sessions of an organization, newest first; with a cursor, those created before it."""

    def query() -> Any:
        found = Session.select(*_SESSION).where(
            Session.organization == given("organization"), Session.created_at.is_null(False)
        )
        if only_before:
            found = found.where(Session.created_at < given("before"))
        return found.order_by(Session.created_at.desc()).limit(given("limit"))

    return Statement(SessionRow._make, query)


allocations = Statement(
    AllocationRow._make,
    lambda: (
        Allocation.select(*_ALLOCATION)
        .where(Allocation.session.in_(given_list("sessions")))
        .order_by(Allocation.seq)
    ),
)
# Which of these devices another session than this one holds now.
held_elsewhere = Statement(
    lambda row: str(row[0]),
    lambda: Allocation.select(Allocation.serial).where(
        Allocation.serial.in_(given_list("serials")),
        Allocation.session != given("session"),
        _is_open(),
    ),
)
insert_allocation = insertion(Allocation, without=("seq",))
end_allocation = Statement(
    tuple,
    lambda: Allocation.update(released_at=given("released_at")).where(
        Allocation.id == given("id"), Allocation.released_at.is_null()
    ),
)


def _outlived() -> Any:
    """Sessions whose lease on a device has ended, with no call that said so yet."""
    return Allocation.select(Allocation.session).where(
        Allocation.serial == given("serial"),
        Allocation.released_at.is_null(),
        Allocation.expires_at <= given("now"),
    )


settle_sessions = Statement(
    tuple,
    lambda: Session.update(released_at=Session.expires_at).where(
        Session.released_at.is_null(), Session.id.in_(_outlived())
    ),
)
settle_allocations = Statement(
    tuple,
    lambda: Allocation.update(released_at=Allocation.expires_at).where(
        Allocation.released_at.is_null(), Allocation.session.in_(_outlived())
    ),
)

mark = Statement(
    MarkRow._make,
    lambda: Mark.select(Mark.created_at, Mark.moves).where(
        Mark.organization == given("organization")
    ),
)
put_mark = Statement(
    tuple,
    lambda: Mark.insert(
        organization=given("organization"), created_at=given("created_at"), moves=given("moves")
    ).on_conflict(conflict_target=[Mark.organization], preserve=[Mark.created_at, Mark.moves]),
)


def _first(row: tuple[Any, ...]) -> int:
    return int(row[0])


def _is_others(session: Any) -> Any:
    """Listed in the organization, and not the session that a `createdAt` is looked for."""
    return (session.organization == given("organization")) & (session.id != given("session"))


is_taken = Statement(
    _first,
    lambda: Session.select(pw.SQL("1")).where(
        _is_others(Session), Session.created_at == given("created_at")
    ),
)


def _end_of_run() -> Any:
    following = Session.alias()
    is_followed = following.select(pw.SQL("1")).where(
        _is_others(following), following.created_at == Session.created_at + 1
    )
    return (
        Session.select(Session.created_at)
        .where(
            _is_others(Session),
            Session.created_at >= given("created_at"),
            ~pw.fn.EXISTS(is_followed),
        )
        .order_by(Session.created_at)
        .limit(1)
    )


# The last of the taken values that follow each other from `created_at` on.
end_of_run = Statement(_first, _end_of_run)

organizations = Statement(
    OrganizationRow._make,
    lambda: (
        Organization.select(Organization.id, Organization.name, Organization.created_at)
        .where(Organization.id.in_(given_list("ids")))
        .order_by(Organization.seq)
    ),
)

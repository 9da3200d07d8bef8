"""Every query of this surface: written with the models, rendered once."""

from functools import cache
from typing import Any

import peewee as pw

from sessionary.identity import Organization
from sessionary.store import Statement, insert_statement, param, param_list
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    AllocationRow,
    Device,
    DeviceRow,
    Mark,
    MarkRow,
    OrganizationRow,
    Session,
    SessionRow,
    ShownRow,
)

_DEVICE = [getattr(Device, name) for name in DeviceRow._fields[:-1]]
_SESSION = [getattr(Session, name) for name in SessionRow._fields]
_ALLOCATION = [getattr(Allocation, name) for name in AllocationRow._fields]
_LISTED = (Session.id, Session.organization, Session.user, Session.created_at, Session.released_at)


def _is_open() -> Any:
    """rules.is_open(allocation, now), as SQL says it."""
    lasts = Allocation.expires_at.is_null() | (Allocation.expires_at > param("now"))
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
        Session.id == param("id"), Session.organization == param("organization")
    ),
)
insert_session = insert_statement(Session)
enlist = Statement(
    tuple,
    lambda: Session.update(created_at=param("created_at"), expires_at=param("expires_at")).where(
        Session.id == param("id"), Session.created_at.is_null()
    ),
)
end_session = Statement(
    tuple,
    lambda: Session.update(released_at=param("released_at")).where(
        Session.id == param("id"), Session.released_at.is_null()
    ),
)


def _shown(session: Any) -> list[Any]:
    """The columns of ShownRow."""
    facts = [getattr(Allocation, name) for name in ShownRow._fields[3:]]
    return [session.organization, session.user, session.released_at, *facts]


shown = Statement(
    ShownRow._make,
    lambda: (
        Allocation.select(*_shown(Session))
        .join(Session)
        .where(Session.id == param("id"), Session.organization == param("organization"))
        .order_by(Allocation.seq)
    ),
)


@cache
def page(*, only_before: bool) -> Statement[ShownRow]:
    """Listed sessions of an organization, newest first; with a cursor, those created before it.

    A row for each allocation; `limit` counts sessions.
    """

    def query() -> Any:
        listed = Session.select(*_LISTED).where(
            Session.organization == param("organization"), Session.created_at.is_null(False)
        )
        if only_before:
            listed = listed.where(Session.created_at < param("before"))
        newest = listed.order_by(Session.created_at.desc()).limit(param("limit")).alias("newest")
        # Outer, for it keeps the order of work: first the page, then what its sessions hold.
        each = pw.Join(newest, Allocation, pw.JOIN.LEFT_OUTER, Allocation.session == newest.c.id)
        newest_first = (newest.c.created_at.desc(), Allocation.seq)
        return Allocation.select(*_shown(newest.c)).from_(each).order_by(*newest_first)

    return Statement(ShownRow._make, query)


allocations = Statement(
    AllocationRow._make,
    lambda: (
        Allocation.select(*_ALLOCATION)
        .where(Allocation.session.in_(param_list("sessions")))
        .order_by(Allocation.seq)
    ),
)
# Which of these devices another session than this one holds now.
held_elsewhere = Statement(
    lambda row: str(row[0]),
    lambda: Allocation.select(Allocation.serial).where(
        Allocation.serial.in_(param_list("serials")),
        Allocation.session != param("session"),
        _is_open(),
    ),
)
insert_allocation = insert_statement(Allocation, without=("seq",))
end_allocation = Statement(
    tuple,
    lambda: Allocation.update(released_at=param("released_at")).where(
        Allocation.id == param("id"), Allocation.released_at.is_null()
    ),
)


def _outlived() -> Any:
    """Sessions whose lease on a device has ended, with no call that said so yet."""
    return Allocation.select(Allocation.session).where(
        Allocation.serial == param("serial"),
        Allocation.released_at.is_null(),
        Allocation.expires_at <= param("now"),
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
        Mark.organization == param("organization")
    ),
)
put_mark = Statement(
    tuple,
    lambda: Mark.insert(
        organization=param("organization"), created_at=param("created_at"), moves=param("moves")
    ).on_conflict(conflict_target=[Mark.organization], preserve=[Mark.created_at, Mark.moves]),
)


def _first(row: tuple[Any, ...]) -> int:
    return int(row[0])


def _is_others(session: Any) -> Any:
    """Listed in the organization, and not the session that a `createdAt` is looked for."""
    return (session.organization == param("organization")) & (session.id != param("session"))


is_taken = Statement(
    _first,
    lambda: Session.select(pw.SQL("1")).where(
        _is_others(Session), Session.created_at == param("created_at")
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
            Session.created_at >= param("created_at"),
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
        .where(Organization.id.in_(param_list("ids")))
        .order_by(Organization.seq)
    ),
)

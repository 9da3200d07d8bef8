"""Statements over allocations, and the sessions whose leases end with them."""

from typing import Any

import peewee as pw

from sessionary.store import Statement, insert_statement, param, param_list
from sessionary.surfaces.mobilenext import queries
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Device, Session

COLUMNS = [getattr(Allocation, name) for name in AllocationRow._fields]

of_sessions = Statement(
    AllocationRow._make,
    lambda: (
        Allocation.select(*COLUMNS)
        .where(Allocation.session.in_(param_list("sessions")))
        .order_by(Allocation.seq)
    ),
)
# The open allocations in a caller's own sessions in an organization, oldest first.
own_open = Statement(
    AllocationRow._make,
    lambda: (
        # The cross join fixes the order of work: first the open ones, by the catalogue.
        Allocation.select(*COLUMNS)
        .from_(pw.Join(Allocation, Session, pw.JOIN.CROSS))
        .where(
            Allocation.serial.in_(Device.select(Device.serial)),
            Session.id == Allocation.session,
            Session.user == param("user"),
            Session.organization == param("organization"),
            queries.is_open(Allocation, param("now")),
        )
        .order_by(Allocation.seq)
    ),
)
# The open allocation of a device in an organization.
held = Statement(
    AllocationRow._make,
    lambda: (
        Allocation.select(*COLUMNS)
        .join(Session)
        .where(
            Allocation.serial == param("serial"),
            Session.organization == param("organization"),
            queries.is_open(Allocation, param("now")),
        )
    ),
)
insert = insert_statement(Allocation, without=("seq",))
set_released_at = Statement(
    tuple,
    lambda: Allocation.update(released_at=param("released_at")).where(
        Allocation.id == param("id"), Allocation.released_at.is_null()
    ),
)


def _is_open_on() -> Any:
    is_one = Allocation.serial.in_(param_list("serials"))
    return is_one & queries.is_open(Allocation, param("now"))


# The allocations of these devices that were open after an instant.
open_after = Statement(
    AllocationRow._make,
    lambda: Allocation.select(*COLUMNS).where(
        Allocation.serial.in_(param_list("serials")),
        Allocation.released_at.is_null() | (Allocation.released_at > param("after")),
    ),
)
# Those of these sessions that have an allocation which is not among the seeded ones.
sessions_of_others = Statement(
    lambda row: str(row[0]),
    lambda: (
        Allocation.select(Allocation.session)
        .where(
            Allocation.session.in_(param_list("ids")), Allocation.id.not_in(param_list("seeded"))
        )
        .distinct()
    ),
)
# Which of these devices are held by several sessions.
held_twice = Statement(
    tuple,
    lambda: (
        Allocation.select(Allocation.serial)
        .where(_is_open_on())
        .group_by(Allocation.serial)
        .having(pw.fn.COUNT(Allocation.session.distinct()) > 1)
    ),
)


def _sessions_with_lease_over() -> Any:
    """Sessions whose lease on a device is over, before a statement below has stored that."""
    return Allocation.select(Allocation.session).where(
        Allocation.serial == param("serial"), queries.is_lease_over(Allocation, param("now"))
    )


store_session_lease_ends = Statement(
    tuple,
    lambda: Session.update(
        released_at=Session.expires_at, status_since_at=Session.expires_at
    ).where(Session.released_at.is_null(), Session.id.in_(_sessions_with_lease_over())),
)
store_lease_ends = Statement(
    tuple,
    lambda: Allocation.update(released_at=Allocation.expires_at).where(
        Allocation.released_at.is_null(), Allocation.session.in_(_sessions_with_lease_over())
    ),
)

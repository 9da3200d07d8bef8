"""Statements over allocations, and the sessions whose leases end with them."""

from typing import Any

from sessionary import store
from sessionary.store import Statement, insert_statement, param, param_list
from sessionary.surfaces.mobilenext import queries
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Session

COLUMNS = [getattr(Allocation, name) for name in AllocationRow._fields]

of_sessions = Statement(
    AllocationRow._make,
    lambda: (
        Allocation.select(*COLUMNS)
        .where(Allocation.session.in_(param_list("sessions")))
        .order_by(Allocation.seq)
    ),
)
insert = insert_statement(Allocation, without=("seq",))
set_released_at = Statement(
    tuple,
    lambda: Allocation.update(released_at=param("released_at")).where(
        Allocation.id == param("id"), Allocation.released_at.is_null()
    ),
)
# Which of these devices are allocated now, in other sessions than this one.
allocated_elsewhere = Statement(
    lambda row: str(row[0]),
    lambda: Allocation.select(Allocation.serial).where(
        Allocation.serial.in_(param_list("serials")),
        Allocation.session != param("session"),
        queries.is_open(Allocation, param("now")),
    ),
)


def upsert(row: AllocationRow) -> None:
    """Insert a seeded allocation, or replace the one with its id."""
    store.upsert(Allocation, "id", **row._asdict())


def _sessions_with_lease_over() -> Any:
    """Sessions whose lease on a device is over, before a statement below has stored that."""
    return Allocation.select(Allocation.session).where(
        Allocation.serial == param("serial"), queries.is_lease_over(Allocation, param("now"))
    )


store_session_lease_ends = Statement(
    tuple,
    lambda: Session.update(released_at=Session.expires_at).where(
        Session.released_at.is_null(), Session.id.in_(_sessions_with_lease_over())
    ),
)
store_lease_ends = Statement(
    tuple,
    lambda: Allocation.update(released_at=Allocation.expires_at).where(
        Allocation.released_at.is_null(), Allocation.session.in_(_sessions_with_lease_over())
    ),
)

"""Why a Mobile Next session, and each of its allocations, has its status."""

from typing import Any

from sessionary.surfaces.mobilenext import allocation, rules
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Session
from sessionary.surfaces.mobilenext.queries import control
from sessionary.surfaces.mobilenext.queries.control import SessionWithAllocations
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries


def explain(session: SessionWithAllocations, now: int) -> Explanation:
    """Explain the status at an instant, and that of each allocation."""
    row = session.row
    released_at = rules.released_at(row, now)
    if not rules.is_listed(row):
        return (_expired if rules.has_expired(row, now) else _empty)(session)
    if released_at is None:
        return _active(session, now)
    return (_lease_over if released_at == row.expires_at else _released)(session, released_at, now)


def _empty(session: SessionWithAllocations) -> Explanation:
    row = session.row
    return Explanation(
        status=rules.EMPTY,
        since_at=row.opened_at,
        rule="empty_session",
        reason="it has no device yet: no list shows it, and GET by id is 404",
        inputs=_inputs(session, row.opened_at),
        unless=f"{_call_before(session)} keeps it; then it expires",
        source=rules.SOURCES["ensure_listed"],
    )


def _expired(session: SessionWithAllocations) -> Explanation:
    row, at = session.row, session.row.empty_expires_at
    return Explanation(
        status=rules.EXPIRED,
        since_at=at,
        rule="empty_session",
        reason=f"it got no device between {to_text(row.opened_at)} and {to_text(at)}: "
        "everything on it is 404",
        inputs=_inputs(session, at),
        unless=f"{_call_before(session)} would have kept it",
        source=rules.SOURCES["ensure_exists"],
    )


def _call_before(session: SessionWithAllocations) -> str:
    expires_at = to_text(session.row.empty_expires_at)
    return f"POST /api/v1/sessions/{session.row.id}/devices before {expires_at}"


def _active(session: SessionWithAllocations, now: int) -> Explanation:
    row = session.row
    serials = ", ".join(each.serial for each in session.allocations if rules.is_open(each, now))
    end = "until a call releases the last of them"
    if row.expires_at is not None:
        end += f", or its lease ends at {to_text(row.expires_at)}, which no call moves"
    return Explanation(
        status=rules.ACTIVE,
        since_at=row.created_at or row.opened_at,
        rule="no_deadline" if row.expires_at is None else "lease",
        reason=f"it holds {serials}",
        inputs=_inputs(session, now),
        unless=f"it holds them {end}",
        source=rules.SOURCES["lease_expires_at"],
    )


def _lease_over(session: SessionWithAllocations, released_at: int, now: int) -> Explanation:
    return Explanation(
        status=rules.RELEASED,
        since_at=released_at,
        rule="lease",
        reason=f"its lease ended at {to_text(released_at)}, for all its devices",
        inputs=_inputs(session, now),
        unless="no call: a lease lasts as long as mobilenext_lease_minutes said when the first "
        "device was allocated",
        source=rules.SOURCES["transitions"],
    )


def _released(session: SessionWithAllocations, released_at: int, now: int) -> Explanation:
    expires_at = session.row.expires_at
    until = "for good" if expires_at is None else f"until {to_text(expires_at)}"
    return Explanation(
        status=rules.RELEASED,
        since_at=released_at,
        rule="release",
        reason=f"the last device that it held was released at {to_text(released_at)}",
        inputs=_inputs(session, now),
        unless=f"without that release it would be active {until}; it takes no further device",
        source=rules.SOURCES["last_release_at"],
    )


def _inputs(session: SessionWithAllocations, now: int) -> dict[str, Any]:
    names = ("opened_at", "empty_expires_at", "created_at", "expires_at", "released_at")
    return {
        **{name: getattr(session.row, name) for name in names},
        "allocations": [_explain_allocation(each, now) for each in session.allocations],
    }


def _explain_allocation(row: AllocationRow, now: int) -> dict[str, Any]:
    """Return the status of an allocation, with its reason and inputs."""
    since_at, rule, reason = _allocation_reason(row, now)
    names = ("id", "serial", "created_at", "in_use_at", "expires_at", "released_at")
    return {
        **{name: getattr(row, name) for name in names},
        "status": rules.allocation_status(row, now),
        "since_at": since_at,
        "rule": rule,
        "reason": reason,
    }


def _allocation_reason(row: AllocationRow, now: int) -> tuple[int, str, str]:
    """Return the instant at which an allocation's status began, its rule and its reason."""
    released_at = rules.released_at(row, now)
    if released_at is not None and released_at == row.expires_at:
        return released_at, "lease", "its lease ended"
    if released_at is not None:
        return released_at, "release", "it was released"
    if row.in_use_at is None:
        return row.created_at, "ready", "it was ready when it was allocated"
    if now >= row.in_use_at:
        return row.in_use_at, "provisioning", "it became ready"
    return row.created_at, "provisioning", f"it is not ready before {to_text(row.in_use_at)}"


def lose_devices(session: SessionWithAllocations, at: int, _reason: str) -> None:
    """Release all devices of a session, as the vendor does when it loses them. Raises NotForced.

    Source: page (`releasedAt`). Assumed: no response gives a reason.
    """
    status = rules.session_status(session.row, at)
    if status != rules.ACTIVE:
        raise NotForced(f"Session {session.row.id} is {status}: it holds no device to lose")
    allocations = list(session.allocations)
    for index, each in enumerate(allocations):
        if rules.is_open(each, at):
            allocations[index] = allocation.release(each, allocations, at)


def _is_open(session: SessionWithAllocations, now: int) -> bool:
    return rules.session_status(session.row, now) in (rules.EMPTY, rules.ACTIVE)


sessions = SessionQueries(
    find=control.find,
    page=control.page,
    changing=control.changing,
    id=lambda session: session.row.id,
    transitions=lambda session: rules.transitions(session.row, session.allocations),
    explain=explain,
    is_open=_is_open,
    counts=lambda now: control.counts.one(now=now) or {},
    forced_states={rules.RELEASED: lose_devices},
    session_columns={Session: "id", Allocation: "session"},
)

"""Why a Mobile Next session is what it is, for whoever may ask about any session."""

from typing import Any

from sessionary.surfaces.mobilenext import allocation, rules, wholes
from sessionary.surfaces.mobilenext.models import Allocation, AllocationRow, Session, SessionRow
from sessionary.surfaces.mobilenext.wholes import Whole
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries, origin


def explain(whole: Whole, now: int) -> Explanation:
    """Its state at an instant, the rule that decided, and the same of each of its allocations."""
    row = whole.row
    status = rules.session_status(row, now)
    if row.created_at is None:
        return _void(whole) if status == rules.VOID else _empty(whole)
    released_at = rules.released_at(row, now)
    if released_at is None:
        return _held(whole, row.created_at, now)
    ended_by_lease = released_at == row.expires_at
    return (_outlived if ended_by_lease else _released)(whole, released_at, now)


def _empty(whole: Whole) -> Explanation:
    row = whole.row
    return Explanation(
        status=rules.EMPTY,
        since_at=row.opened_at,
        rule="empty_session",
        reason="it has got no device yet: no list shows it, and GET by id is 404",
        inputs=_inputs(whole, row.opened_at),
        unless=f"{_allocate(row)} before {to_text(row.void_at)} keeps it; then it is gone",
        source=origin(rules.may_be_read),
    )


def _void(whole: Whole) -> Explanation:
    row = whole.row
    return Explanation(
        status=rules.VOID,
        since_at=row.void_at,
        rule="empty_session",
        reason=f"it got no device between {to_text(row.opened_at)} and {to_text(row.void_at)}: "
        "everything on it is 404",
        inputs=_inputs(whole, row.void_at),
        unless=f"{_allocate(row)} before {to_text(row.void_at)} would have kept it",
        source=origin(rules.may_be_seen),
    )


def _held(whole: Whole, created_at: int, now: int) -> Explanation:
    row = whole.row
    serials = ", ".join(each.serial for each in whole.allocations if rules.is_open(each, now))
    ends = "until a call releases the last of them"
    if row.expires_at is not None:
        ends += f", or its lease ends at {to_text(row.expires_at)}, which no call moves"
    return Explanation(
        status=rules.HELD,
        since_at=created_at,
        rule="no_deadline" if row.expires_at is None else "lease",
        reason=f"it holds {serials}",
        inputs=_inputs(whole, now),
        unless=f"it holds them {ends}",
        source=origin(rules.lease_end),
    )


def _outlived(whole: Whole, released_at: int, now: int) -> Explanation:
    return Explanation(
        status=rules.RELEASED,
        since_at=released_at,
        rule="lease",
        reason=f"its lease ended at {to_text(released_at)}, with all that it held",
        inputs=_inputs(whole, now),
        unless="no call: a lease lasts as long as mobilenext_lease_minutes said when it got its "
        "first device",
        source=origin(rules.transitions),
    )


def _released(whole: Whole, released_at: int, now: int) -> Explanation:
    expires_at = whole.row.expires_at
    until = "for good" if expires_at is None else f"until {to_text(expires_at)}"
    return Explanation(
        status=rules.RELEASED,
        since_at=released_at,
        rule="release",
        reason=f"the last device that it held was released at {to_text(released_at)}",
        inputs=_inputs(whole, now),
        unless=f"without that release it would be held {until}; it takes no further device",
        source=origin(rules.session_released_at),
    )


def _allocate(row: SessionRow) -> str:
    return f"POST /api/v1/sessions/{row.id}/devices"


def _inputs(whole: Whole, now: int) -> dict[str, Any]:
    names = ("opened_at", "void_at", "created_at", "expires_at", "released_at")
    return {
        **{name: getattr(whole.row, name) for name in names},
        "allocations": [_part(each, now) for each in whole.allocations],
    }


def _part(row: AllocationRow, now: int) -> dict[str, Any]:
    """What an allocation is, since when and why, and the facts that decided."""
    since_at, rule, says = _why(row, now)
    names = ("id", "serial", "created_at", "in_use_at", "expires_at", "released_at")
    return {
        **{name: getattr(row, name) for name in names},
        "status": rules.status(row, now),
        "since_at": since_at,
        "rule": rule,
        "reason": says,
    }


def _why(row: AllocationRow, now: int) -> tuple[int, str, str]:
    """Since when an allocation is what it is, by which rule, and the same in words."""
    released_at = rules.released_at(row, now)
    if released_at is not None and released_at == row.expires_at:
        return released_at, "lease", "its lease ended"
    if released_at is not None:
        return released_at, "release", "it was released"
    if row.in_use_at is None:
        return row.created_at, "ready", "it was ready when it was allocated"
    if now >= row.in_use_at:
        return row.in_use_at, "provisioning", "it has been made ready"
    return row.created_at, "provisioning", f"it is not ready before {to_text(row.in_use_at)}"


def lose(whole: Whole, at: int, _reason: str) -> None:
    """Release all that a session holds, as the vendor does when devices are lost.

    Source: page (`releasedAt`, whoever released). Assumed: no answer says why.
    """
    status = rules.session_status(whole.row, at)
    if status != rules.HELD:
        raise NotForced(
            f"Session {whole.row.id} is {status}: only one that holds a device can lose it"
        )
    allocations = list(whole.allocations)
    for place, held in enumerate(allocations):
        if rules.is_open(held, at):
            allocations[place] = allocation.take_back(held, allocations, at)


sessions = SessionQueries(
    find=wholes.find,
    page=wholes.page,
    changing=wholes.changing,
    id=lambda whole: whole.row.id,
    transitions=lambda whole: rules.transitions(whole.row, whole.allocations),
    explain=explain,
    is_open=lambda whole, now: rules.session_status(whole.row, now) in (rules.EMPTY, rules.HELD),
    counts=lambda now: wholes.counts.one(now=now) or {},
    forced_states={rules.RELEASED: lose},
    session_columns={Session: "id", Allocation: "session"},
)

"""Why a Mobile Next session, and each of its allocations, has its status."""

from collections.abc import Sequence
from typing import Any

from sessionary.surfaces.mobilenext import allocation, rules
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    AllocationRow,
    Fact,
    FactRow,
    Session,
    SessionRow,
)
from sessionary.surfaces.mobilenext.queries import control
from sessionary.surfaces.mobilenext.queries.control import SessionWithAllocations
from sessionary.web import json_codec
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries

# since_at, rule, reason, unless, and the key of its source.
_Reason = tuple[int, str, str, str, str]


def explain(session: SessionWithAllocations, now: int) -> Explanation:
    """Explain the status at an instant, and that of each allocation."""
    row, released_at = session.row, rules.released_at(session.row, now)
    if not rules.is_listed(row):
        found = _empty(row, now)
    elif released_at is None:
        found = _active(session, now)
    else:
        found = _released(row, released_at, now)
    since_at, rule, reason, unless, source = found
    status, inputs = rules.session_status(row, now), _inputs(session, now)
    return Explanation(status, since_at, rule, reason, inputs, unless, rules.SOURCES[source])


def _empty(row: SessionRow, now: int) -> _Reason:
    opened_at, expires_at = to_text(row.opened_at), to_text(row.empty_expires_at)
    call = f"POST /api/v1/sessions/{row.id}/devices before {expires_at}"
    if rules.has_expired(row, now):
        reason = f"it got no device between {opened_at} and {expires_at}: everything on it is 404"
        unless = f"{call} would have kept it"
        return row.empty_expires_at, "empty_session", reason, unless, "ensure_exists"
    reason = "it has no device yet: no list shows it, and GET by id is 404"
    unless = f"{call} keeps it; then it expires"
    return row.status_since_at, "empty_session", reason, unless, "ensure_listed"


def _active(session: SessionWithAllocations, now: int) -> _Reason:
    row = session.row
    serials = ", ".join(each.serial for each in session.allocations if rules.is_open(each, now))
    rule, unless = "no_deadline", "it holds them until a call releases the last of them"
    if row.expires_at is not None:
        rule = "lease"
        unless += f", or its lease ends at {to_text(row.expires_at)}, which no call moves"
    return row.status_since_at, rule, f"it holds {serials}", unless, "lease_expires_at"


def _released(row: SessionRow, released_at: int, now: int) -> _Reason:
    end = row.expires_at
    if released_at == end:
        reason = f"its lease ended at {to_text(released_at)}, for all its devices"
        unless = (
            "no call: a lease lasts as long as mobilenext_lease_minutes said when the first "
            "device was allocated"
        )
        return released_at, "lease", reason, unless, "transitions"
    reason = f"the last device that it held was released at {to_text(released_at)}"
    call = f"POST /api/v1/sessions/{row.id}/devices"
    until = "" if end is None else f" before {to_text(end)}, the end of its lease,"
    verb = "makes" if end is None or now < end else "would have made"
    unless = f"{call}{until} {verb} it active again"
    return row.status_since_at, "release", reason, unless, "last_release_at"


def _inputs(session: SessionWithAllocations, now: int) -> dict[str, Any]:
    names = ("opened_at", "empty_expires_at", "created_at", "expires_at", "released_at")
    return {
        **{name: getattr(session.row, name) for name in names},
        "allocations": [
            _explain_allocation(each, session.facts, now) for each in session.allocations
        ],
    }


def _explain_allocation(row: AllocationRow, facts: Sequence[FactRow], now: int) -> dict[str, Any]:
    since_at, rule, reason = _allocation_reason(row, now)
    names = ("id", "serial", "created_at", "in_use_at", "expires_at", "released_at")
    remembered = [
        {
            "name": each.name,
            "value": json_codec.decode(each.value),
            "call": each.call,
            "set_at": each.set_at,
        }
        for each in facts
        if each.allocation == row.id and rules.is_open(row, now)
    ]
    return {
        **{name: getattr(row, name) for name in names},
        "status": rules.allocation_status(row, now),
        "since_at": since_at,
        "rule": rule,
        "reason": reason,
        **({"remembered": remembered} if remembered else {}),
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


sessions = SessionQueries(
    find=control.find,
    page=control.page,
    changing=control.changing,
    id=lambda session: session.row.id,
    transitions=lambda session: rules.transitions(session.row, session.allocations),
    explain=explain,
    status=lambda session, now: rules.session_status(session.row, now),
    statuses={
        rules.EMPTY: "empty",
        rules.ACTIVE: "held",
        rules.RELEASED: "closed",
        rules.EXPIRED: "timed_out",
    },
    counts=lambda now: control.counts.one(now=now) or {},
    title=lambda session: session.allocations[0].name if session.allocations else "",
    lanes=control.lanes,
    began_at=lambda session: session.row.status_since_at,
    forced_states={rules.RELEASED: lose_devices},
    session_columns={Session: "id", Allocation: "session", Fact: "session"},
)

"""Mobile Next's rules: pure functions of rows and an instant in microseconds."""

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sessionary.surfaces.mobilenext.errors import DeviceNotAllocated, MobileNextError, NotFound

if TYPE_CHECKING:
    from sessionary.surfaces.mobilenext import models
    from sessionary.surfaces.mobilenext.models import AllocationRow, SessionRow

    Leased = SessionRow | AllocationRow | models.JoinedRow

PROVISIONING = "provisioning"
IN_USE = "in_use"
RELEASED = "released"
# Statuses of sessions that only explanations show.
EMPTY = "empty"
EXPIRED = "expired"  # empty for too long
ACTIVE = "active"
DEFAULT_EMPTY_SESSION_MINUTES = 15
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 100, 500
SECOND = 1_000_000
MINUTE = 60 * SECOND

PLATFORM, VERSION = "platform", "version"
ATTRIBUTES = (PLATFORM, "type", "name", VERSION)
ORDERING = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUALS": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUALS": operator.le,
}
OPERATORS = ("EQUALS", *ORDERING, "STARTS_WITH", "CONTAINS")
_NUMBERS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*", re.ASCII)

# Where each rule comes from.
SOURCES = {
    "transitions": "Assumed: an empty session expires, and a lease ends, at the deadline itself.",
    "allocation_transitions": "Assumed: at the deadline; a lease may end before `in_use`.",
    "session_status": "Source: page (`releasedAt`). Assumed: what an empty session is.",
    "allocation_status": "Source: client.",
    "is_listed": "Assumed: a session without a device is not listed, since `device` is required.",
    "is_open": "Source: page (`releasedAt`). Assumed: a lease has ended at its deadline.",
    "is_lease_over": "Assumed: a lease has ended at its deadline.",
    "has_expired": "Assumed: an empty session expires at its deadline.",
    "has_ended": "Source: page (`releasedAt`). Assumed: an expired session ended at its deadline.",
    "released_at": "Source: page (null while open). Assumed: the end of a lease is a release.",
    "session_released_at": "Source: page (null while open).",
    "active_since_at": "Assumed: a release and an allocation at one instant leave no gap.",
    "last_release_at": "Source: page (null while a device is held), client (several devices).",
    "ensure_exists": "Source: page (404). Assumed: an expired session is 404 on every path.",
    "ensure_listed": "Assumed: GET by id is 404 without a device, since `device` is required.",
    "ensure_can_allocate": "Source: client (its pool of devices releases one that came too late, "
    "and allocates again). Assumed: 409 from the end of the lease on.",
    "ensure_can_write": "Source: docs (`admin` and `readwrite` write; `readonly` does not: 403).",
    "find_allocation": "Source: client (by serial). Assumed: by allocation id as well, in any case "
    "and state, because the serial of a provisioning device is not shown.",
    "ensure_can_release": "Assumed: releasing what a call or a lease has released is 404.",
    "empty_expires_at": "Assumed: after 15 minutes unless set.",
    "lease_expires_at": "Assumed: never unless set; from `createdAt` on, for every device.",
    "ready_at": "Source: client.",
    "not_before": "Assumed: a release is never before its `createdAt`, a further allocation never "
    "before its session's.",
    "earliest_created_at": "Source: page (a strict timestamp cursor loses ties otherwise).",
    "raised_mark": "Assumed: a seeded session counts like any other and never lowers the mark.",
    "before_cursor": "Source: page (strictly before).",
    "is_version": "Source: client (versions are ordered).",
    "is_match": "Source: client (the operators; text compares without case, versions by numeric "
    "component). Assumed: beginnings and parts of a version are text.",
}


@dataclass(frozen=True, kw_only=True)
class MobileNextSettings:
    """The settings `mobilenext_…`."""

    lease_minutes: int | None = field(
        default=None,
        metadata={"help": "maximum time that a session holds its devices", "minimum": 1},
    )
    empty_session_minutes: int = field(
        default=DEFAULT_EMPTY_SESSION_MINUTES,
        metadata={"help": "remove a session that has no device for this long", "minimum": 1},
    )


class Transition(NamedTuple):
    """See web.surface.Transition; `part` is the id of an allocation."""

    at: int
    deadline: int
    from_status: str
    to_status: str
    rule: str
    part: str | None = None


def transitions(row: "SessionRow", allocations: "Sequence[AllocationRow]" = ()) -> list[Transition]:
    """Return a session's transitions, in order. SQL twin: `queries.control._transitions`."""
    found = [transition for each in allocations for transition in allocation_transitions(each)]
    if not is_listed(row):
        at = row.empty_expires_at
        found.append(Transition(at, at, EMPTY, EXPIRED, "empty_session"))
    elif row.released_at is None and row.expires_at is not None:
        found.append(Transition(row.expires_at, row.expires_at, ACTIVE, RELEASED, "lease"))
    return sorted(found, key=lambda transition: transition.at)


def allocation_transitions(row: "AllocationRow") -> list[Transition]:
    """Return the instants at which a device is ready and at which the lease ends."""
    if row.released_at is not None:
        return []
    found, status, ready, end = [], IN_USE, row.in_use_at, row.expires_at
    if ready is not None and (end is None or ready < end):
        found.append(Transition(ready, ready, PROVISIONING, IN_USE, "provisioning", row.id))
    elif ready is not None:
        status = PROVISIONING
    if end is not None:
        found.append(Transition(end, end, status, RELEASED, "lease", row.id))
    return found


def session_status(row: "SessionRow", now: int) -> str:
    """Return `empty`, `expired`, `active` or `released`: the state after the last transition."""
    if row.released_at is not None:
        return RELEASED
    passed = [transition.to_status for transition in transitions(row) if now >= transition.at]
    return passed[-1] if passed else ACTIVE if is_listed(row) else EMPTY


def allocation_status(row: "AllocationRow | models.JoinedRow", now: int) -> str:
    """Return `provisioning`, `in_use` or `released`."""
    if not is_open(row, now):
        return RELEASED
    return IN_USE if row.in_use_at is None or now >= row.in_use_at else PROVISIONING


def is_listed(row: "SessionRow") -> bool:
    """Return whether a session has got a device. SQL twin: `queries.is_listed`."""
    return row.created_at is not None


def is_open(row: "Leased", now: int) -> bool:
    """Return whether no call has released it and its lease goes on. SQL twin: `queries.is_open`."""
    return row.released_at is None and (row.expires_at is None or row.expires_at > now)


def is_lease_over(row: "Leased", now: int) -> bool:
    """Return whether a lease ended before a call released. SQL twin: `queries.is_lease_over`."""
    return row.released_at is None and released_at(row, now) is not None


def has_expired(row: "SessionRow", now: int) -> bool:
    """Return whether a session was empty for too long. SQL twin: `queries.has_expired`."""
    return not is_listed(row) and row.empty_expires_at <= now


def has_ended(row: "SessionRow", before_at: int) -> bool:
    """Return whether a session ended before an instant. SQL twin: `queries.has_ended`."""
    ended_at = released_at(row, before_at) if is_listed(row) else row.empty_expires_at
    return ended_at is not None and ended_at < before_at


def released_at(row: "Leased", now: int) -> int | None:
    """Return the instant of the release or of the lease's end; None while it is open."""
    return _end(row.released_at, row.expires_at, now)


def session_released_at(row: "models.JoinedRow", now: int) -> int | None:
    """Return the same for the allocation's session, which has the same lease."""
    return _end(row.session_released_at, row.expires_at, now)


def _end(released_at: int | None, expires_at: int | None, now: int) -> int | None:
    if released_at is None and expires_at is not None and expires_at <= now:
        return expires_at
    return released_at


def ensure_exists(row: "SessionRow | None", now: int, session_id: str) -> "SessionRow":
    """Return the session. Raise NotFound if there is none or it has expired."""
    if row is None or has_expired(row, now):
        raise NotFound(session_id)
    return row


def ensure_listed(rows: "Sequence[models.JoinedRow]", session_id: str) -> None:
    """Raise NotFound if a session has no allocations."""
    if not rows:
        raise NotFound(session_id)


def ensure_can_allocate(row: "SessionRow", now: int) -> None:
    """Raise MobileNextError if the session's lease has ended, whatever it held by then."""
    if row.expires_at is not None and row.expires_at <= now:
        text = f"The lease of session {row.id} has ended: start another"
        raise MobileNextError(409, "session_released", text)


def ensure_can_write(role: str) -> None:
    """Raise MobileNextError for the role `readonly`."""
    if role == "readonly":
        text = "Your role in this organization does not allow this"
        raise MobileNextError(403, "forbidden", text)


def find_allocation(allocations: "Sequence[AllocationRow]", device: str) -> "AllocationRow":
    """Return the newest allocation with this serial or id. Raise DeviceNotAllocated."""
    for each in reversed(allocations):
        if each.serial == device or each.id == device.lower():
            return each
    raise DeviceNotAllocated(device)


def ensure_can_release(row: "AllocationRow", now: int, device: str) -> None:
    """Raise DeviceNotAllocated unless the allocation is open."""
    if not is_open(row, now):
        raise DeviceNotAllocated(device)


def last_release_at(allocations: "Sequence[AllocationRow]") -> int | None:
    """Return the last release by a call; None while any allocation is not released."""
    released = [each.released_at for each in allocations if each.released_at is not None]
    return max(released, default=None) if len(released) == len(allocations) else None


def active_since_at(allocations: "Sequence[AllocationRow]") -> int:
    """Return the instant from which on a session has held devices without a gap."""
    since_at, until = 0, -math.inf
    for each in sorted(allocations, key=lambda each: each.created_at):
        if each.created_at > until:
            since_at = each.created_at
        until = max(until, math.inf if each.released_at is None else each.released_at)
    return since_at


def empty_expires_at(opened_at: int, minutes: int) -> int:
    """Return the instant at which a session expires if it is still empty."""
    return opened_at + minutes * MINUTE


def lease_expires_at(created_at: int, minutes: int | None) -> int | None:
    """Return the end of a lease on all devices of a session; None without a lease."""
    return None if minutes is None else created_at + minutes * MINUTE


def ready_at(now: int, provision_seconds: int) -> int | None:
    """Return the instant at which an on-demand device can be used; None if it is ready now."""
    return now + provision_seconds * SECOND if provision_seconds else None


def not_before(created_at: int, now: int) -> int:
    """Return the instant that a call stores, also if the clock was moved back since creation."""
    return max(now, created_at)


def earliest_created_at(mark: "models.MarkRow | None", now: int, moves: int) -> int:
    """Return the earliest `createdAt` for a new session, before taken values are skipped.

    Moving the namespace's clock back (`moves`) resets the mark; a wall clock's step back does not.
    """
    return now if mark is None or mark.moves != moves else max(now, mark.created_at + 1)


def raised_mark(mark: "models.MarkRow | None", created_at: int, moves: int) -> int:
    """Return the mark of an organization after a session with this `createdAt`."""
    return max(created_at, earliest_created_at(mark, created_at, moves) - 1)


def before_cursor(before: int) -> int:
    """Return the first microsecond that is not strictly before a cursor in nanoseconds."""
    return -(-before // 1000)


def is_version(text: str) -> bool:
    """Return whether text is numbers and dots, such as `18.6.2`."""
    return _NUMBERS.fullmatch(text) is not None


def is_match(device: "models.DeviceRow", filters: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a device meets every filter."""
    return all(_meets(getattr(device, each["attribute"]), each) for each in filters)


def _meets(found: str, filter: Mapping[str, str]) -> bool:
    name, value = filter["operator"], filter["value"]
    if name == "STARTS_WITH":
        return found.casefold().startswith(value.casefold())
    if name == "CONTAINS":
        return value.casefold() in found.casefold()
    if filter["attribute"] != VERSION:
        return found.casefold() == value.casefold()
    compare = ORDERING.get(name, operator.eq)
    return is_version(value) and compare(_components(found), _components(value))


def _components(version: str) -> list[int]:
    """Return a version's numbers without zeros at the end: missing components are 0."""
    found = [int(part) for part in version.split(".")]
    while found and not found[-1]:
        found.pop()
    return found

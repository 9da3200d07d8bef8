"""Mobile Next's rules: pure functions of rows and an instant in microseconds."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sessionary.surfaces.mobilenext.errors import NotHeld, ReadOnly, SessionReleased, UnknownSession

if TYPE_CHECKING:
    from sessionary.surfaces.mobilenext.models import (
        AllocationRow,
        DeviceRow,
        MarkRow,
        SessionRow,
        ShownRow,
    )

PROVISIONING = "provisioning"
IN_USE = "in_use"
RELEASED = "released"
# A session's own states, which no answer names.
EMPTY = "empty"
VOID = "void"
HELD = "held"
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND

PLATFORM, VERSION = "platform", "version"
ATTRIBUTES = (PLATFORM, "type", "name", VERSION)
ORDERING = ("GREATER_THAN", "GREATER_THAN_OR_EQUALS", "LESS_THAN", "LESS_THAN_OR_EQUALS")
OPERATORS = ("EQUALS", *ORDERING, "STARTS_WITH", "CONTAINS")
_NUMBERS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*", re.ASCII)


class Transition(NamedTuple):
    """An instant at which something changes by itself: `at` is the first of the new state.

    `part` is the id of the allocation that changes, or None for the session itself.
    """

    at: int
    deadline: int
    from_status: str
    to_status: str
    rule: str
    part: str | None = None


def transitions(row: "SessionRow", allocations: "Sequence[AllocationRow]" = ()) -> list[Transition]:
    """Every instant at which a session or one of its allocations changes by itself, in order.

    Assumed: an empty session is gone, and a lease has ended, at the deadline itself.
    """
    found = [transition for each in allocations for transition in allocation_transitions(each)]
    if row.created_at is None:
        found.append(Transition(row.void_at, row.void_at, EMPTY, VOID, "empty_session"))
    elif row.released_at is None and row.expires_at is not None:
        found.append(Transition(row.expires_at, row.expires_at, HELD, RELEASED, "lease"))
    return sorted(found, key=lambda transition: transition.at)


def allocation_transitions(row: "AllocationRow") -> list[Transition]:
    """When an allocation is in use, and when its session's lease takes the device away.

    Assumed: both at the deadline itself. A lease may end before the device is ready.
    """
    if row.released_at is not None:
        return []
    ready, end = row.in_use_at, row.expires_at
    gets_ready = ready is not None and (end is None or ready < end)
    found = []
    if ready is not None and gets_ready:
        found.append(Transition(ready, ready, PROVISIONING, IN_USE, "provisioning", row.id))
    if end is not None:
        before = IN_USE if gets_ready or ready is None else PROVISIONING
        found.append(Transition(end, end, before, RELEASED, "lease", row.id))
    return found


def session_status(row: "SessionRow", now: int) -> str:
    """`empty`, `void`, `held` or `released`: the state after the last transition passed.

    Source: page (held or released, by `releasedAt`). Assumed: what an empty one is.
    """
    if row.released_at is not None:
        return RELEASED
    passed = [transition.to_status for transition in transitions(row) if now >= transition.at]
    return passed[-1] if passed else EMPTY if row.created_at is None else HELD


def status(row: "AllocationRow | ShownRow", now: int) -> str:
    """`provisioning`, `in_use` or `released`. Source: client."""
    if not is_open(row, now):
        return RELEASED
    return IN_USE if row.in_use_at is None or now >= row.in_use_at else PROVISIONING


def is_open(row: "SessionRow | AllocationRow | ShownRow", now: int) -> bool:
    """Whether a device is still held: no call released it and its lease has not ended.

    Assumed: the deadline itself is the first instant of the new state. `statements` says it in
    SQL.
    """
    return row.released_at is None and (row.expires_at is None or row.expires_at > now)


def released_at(row: "SessionRow | AllocationRow | ShownRow", now: int) -> int | None:
    """When it ended: the call's instant, or the lease's deadline, however late somebody looks.

    Source: page (null while held).
    """
    return _end(row.released_at, row.expires_at, now)


def ended_at(row: "ShownRow", now: int) -> int | None:
    """The same of the allocation's session, which has the same lease. Source: page."""
    return _end(row.ended_at, row.expires_at, now)


def _end(released_at: int | None, expires_at: int | None, now: int) -> int | None:
    if released_at is None and expires_at is not None and now >= expires_at:
        return expires_at
    return released_at


def may_be_seen(row: "SessionRow | None", now: int, session_id: str) -> "SessionRow":
    """The session, unless it does not exist or stayed empty for too long.

    Source: page (404). Assumed: from its deadline on, everything on an empty session is 404.
    """
    if row is None or session_status(row, now) == VOID:
        raise UnknownSession(session_id)
    return row


def may_be_read(rows: "Sequence[ShownRow]", session_id: str) -> None:
    """Assumed: GET by id is 404 until a session has a device, since `device` is required."""
    if not rows:
        raise UnknownSession(session_id)


def may_allocate(row: "SessionRow", now: int) -> None:
    """Assumed: a session that is released takes no further device."""
    if session_status(row, now) == RELEASED:
        raise SessionReleased(row.id)


def may_write(role: str) -> None:
    """Source: docs (`admin` and `readwrite` may start, allocate and release, `readonly` not)."""
    if role == "readonly":
        raise ReadOnly


def allocation_of(allocations: "Sequence[AllocationRow]", device: str) -> "AllocationRow":
    """The newest of a session's allocations with this serial or allocation id.

    Source: client (by serial). Assumed: by allocation id as well, in any case and state, because
    the serial of a provisioning device is not shown. Raises NotHeld.
    """
    id = device.lower()
    for each in reversed(allocations):
        if each.serial == device or each.id == id:
            return each
    raise NotHeld(device)


def may_release(row: "AllocationRow", now: int, device: str) -> None:
    """Assumed: releasing what is released, by a call or by its lease, is 404."""
    if not is_open(row, now):
        raise NotHeld(device)


def released_now(row: "AllocationRow", now: int) -> int:
    """The instant of a release; never before `createdAt`, also after the clock moved back.

    Source: page (`releasedAt`). Assumed: that it follows `createdAt`.
    """
    return max(now, row.created_at)


def session_released_at(allocations: "Sequence[AllocationRow]") -> int | None:
    """When the last of a session's devices was released by a call, null while any is held.

    Source: page (null while held); client (a session holds several devices).
    """
    ends = [each.released_at for each in allocations]
    released = [end for end in ends if end is not None]
    return max(released) if len(released) == len(ends) and released else None


def void_at(opened_at: int, minutes: int) -> int:
    """When a session is gone that is still empty. Assumed: after 15 minutes unless set."""
    return opened_at + minutes * _MINUTE


def lease_end(created_at: int, minutes: int | None) -> int | None:
    """When a session's devices are taken away. Assumed: never, unless a lease is set.

    It counts from the session's `createdAt` and covers every device that it gets.
    """
    return None if minutes is None else created_at + minutes * _MINUTE


def ready_at(now: int, provision_seconds: int) -> int | None:
    """When an on-demand device is in use; a ready one has no such instant. Source: client."""
    return now + provision_seconds * _SECOND if provision_seconds else None


def allocated_at(session_created_at: int, now: int) -> int:
    """The `createdAt` of a further allocation. Assumed: never before its session's."""
    return max(now, session_created_at)


def earliest_creation(mark: "MarkRow | None", now: int, moves: int) -> int:
    """The first instant that a new `createdAt` may have, unless it is taken.

    Source: page (a strict timestamp cursor loses ties otherwise). The wall's clock stepping back
    does not lower it; the namespace's clock moved back on purpose (`moves`) does.
    """
    return now if mark is None or mark.moves != moves else max(now, mark.created_at + 1)


def latest_creation(mark: "MarkRow | None", created_at: int, moves: int) -> int:
    """The mark of an organization that has come to hold a session of this `createdAt`.

    Assumed: a seeded session counts like any other, and never lowers the mark.
    """
    return max(created_at, earliest_creation(mark, created_at, moves) - 1)


def before_cursor(before: int) -> int:
    """The first microsecond that is not strictly before a cursor in nanoseconds. Source: page."""
    return -(-before // 1000)


def is_version(text: str) -> bool:
    """Whether text is numbers and dots, such as `18.6.2`. Source: client (versions are ordered)."""
    return _NUMBERS.fullmatch(text) is not None


def matches(device: "DeviceRow", filters: Sequence[Mapping[str, str]]) -> bool:
    """Whether every filter holds. Source: client (the operators)."""
    return all(_holds(getattr(device, each["attribute"]), each) for each in filters)


def _holds(found: str, filter: Mapping[str, str]) -> bool:
    """Text compares without case, versions by numeric component. Source: client.

    Assumed: beginnings and parts of a version are text.
    """
    operator, wanted = filter["operator"], filter["value"]
    if operator == "STARTS_WITH":
        return found.casefold().startswith(wanted.casefold())
    if operator == "CONTAINS":
        return wanted.casefold() in found.casefold()
    if filter["attribute"] != VERSION:
        return found.casefold() == wanted.casefold()
    return is_version(wanted) and _is_ordered(_components(found), operator, _components(wanted))


def _is_ordered(found: list[int], operator: str, wanted: list[int]) -> bool:
    return {
        "EQUALS": found == wanted,
        "GREATER_THAN": found > wanted,
        "GREATER_THAN_OR_EQUALS": found >= wanted,
        "LESS_THAN": found < wanted,
        "LESS_THAN_OR_EQUALS": found <= wanted,
    }[operator]


def _components(version: str) -> list[int]:
    """A version's numbers without the zeros at the end: missing components are 0."""
    found = [int(part) for part in version.split(".")]
    while found and not found[-1]:
        found.pop()
    return found

"""Notte's lifecycle: pure functions of a row and an instant in microseconds."""

from typing import TYPE_CHECKING, NamedTuple

from sessionary.surfaces.notte.errors import AlreadyClosed, Over

if TYPE_CHECKING:
    from sessionary.surfaces.notte.models import SessionRow

ACTIVE = "active"
CLOSED = "closed"
ERROR = "error"
TIMED_OUT = "timed_out"
BY_OPERATION = "operation"  # closed by an operation that had keep_alive=false
NAVIGATIONS = ("goto", "goto_new_tab")  # the actions of v4 that change the page's url (client)
NEVER = 2**63 - 1  # the deadline of what has none
_MINUTE = 60_000_000


class Transition(NamedTuple):
    """An instant at which a session changes by itself: `at` is the first of the new state."""

    at: int
    deadline: int
    from_status: str
    to_status: str
    rule: str
    part: None = None  # a session has no parts


def deadline(row: "SessionRow", last_accessed_at: int) -> int:
    """The last instant at which a session accessed then and left alone is active, or NEVER.

    Source: page ("Will timeout if now() > last access time + timeout_minutes"); client (v4's
    `max_duration_minutes` counts from the start, v1 has none).
    """
    ends = []
    if not row.outlives_timeout:
        ends.append(last_accessed_at + row.timeout_minutes * _MINUTE)
    if row.max_duration_minutes is not None:
        ends.append(row.created_at + row.max_duration_minutes * _MINUTE)
    return min(ends, default=NEVER)


def transitions(row: "SessionRow") -> list[Transition]:
    """Every instant at which this session changes by itself.

    Source: page (strictly later than the deadline, which itself is still active).
    """
    if row.ended_at is not None or row.expires_at == NEVER:
        return []
    idle = row.last_accessed_at + row.timeout_minutes * _MINUTE
    by_idleness = not row.outlives_timeout and row.expires_at == idle
    rule = "idle_timeout" if by_idleness else "max_duration"
    return [Transition(row.expires_at + 1, row.expires_at, ACTIVE, TIMED_OUT, rule)]


class State(NamedTuple):
    """What a session is at an instant; the end and its reason are of one that is not active."""

    status: str
    ended_at: int | None
    close_reason: str | None


_STILL_ACTIVE = State(ACTIVE, None, None)


def is_active(row: "SessionRow", now: int) -> bool:
    """Whether no call has ended it and its deadline, still active itself, is not over.

    Source: page. `models` says it in SQL.
    """
    return row.ended_at is None and row.expires_at >= now


def state(row: "SessionRow", now: int) -> State:
    """The state after the last transition passed; what a call has ended stays as it is.

    Source: page (the statuses), client (`closed_at` is set, and `close_reason` too, whenever the
    status is not active). However late somebody looks, the end is the deadline. Assumed: `unknown`
    for a session that its v1 operation closed, for which v4 has no word.
    """
    if is_active(row, now):
        return _STILL_ACTIVE
    if row.ended_at is not None:
        reason = "unknown" if row.close_reason == BY_OPERATION else row.close_reason
        return State(row.ended_as or CLOSED, row.ended_at, reason)
    passed = transitions(row)[-1]
    return State(passed.to_status, passed.deadline, passed.rule)


def status(row: "SessionRow", now: int) -> str:
    """`active`, `closed`, `error` or `timed_out`. Source: page."""
    return state(row, now).status


def duration(row: "SessionRow", until: int) -> int:
    """Microseconds from the start to the end, or to now; never below zero. Source: page."""
    return max(0, until - row.created_at)


def may_operate(row: "SessionRow", now: int) -> None:
    """Raises Over for a session that has ended: no operation revives it.

    Source: page ("use observe to interact with existing sessions"). Assumed: 404.
    """
    if status(row, now) != ACTIVE:
        raise Over(row.id, _why_over(row, now))


def may_stop(row: "SessionRow", now: int) -> None:
    """Refuse to stop what is over. Source: client (the SDK looks for "already closed")."""
    if status(row, now) != ACTIVE:
        raise AlreadyClosed(row.id)


def outlives_timeout(keep_alive: bool, mode: str) -> bool:
    """Whether a session that is started with this keep_alive has no idle deadline.

    Source: page, which says both: "will not be closed after the operation", and "alive beyond its
    timeout period". Assumed: the first, unless `notte_keep_alive = timeout` asks for the second.
    """
    return mode == "timeout" and keep_alive


def closes_after_operation(keep_alive: bool, mode: str) -> bool:
    """Whether an operation of v1 ends its session.

    Source: page ("if true, the session will not be closed after the operation"). Assumed: under
    the setting `notte_keep_alive = timeout`, where keep_alive outlives the timeout, it never does.
    """
    return mode == "operation" and not keep_alive


def _why_over(row: "SessionRow", now: int) -> str:
    if row.ended_as == ERROR:
        return f"ended with an error: {row.error}"
    if row.close_reason == BY_OPERATION:
        return "is closed: its last operation had keep_alive=false"
    if row.ended_as == CLOSED:
        return "is closed"
    if state(row, now).close_reason == "max_duration":
        return f"timed out: it reached its maximum of {row.max_duration_minutes} minutes"
    return f"timed out: it was idle for more than {row.timeout_minutes} minutes"

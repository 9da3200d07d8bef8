"""Notte's lifecycle: pure functions of a row and an instant in microseconds."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sessionary.surfaces.notte.errors import NotteError, SessionError

if TYPE_CHECKING:
    from sessionary.surfaces.notte.models import SessionRow

ACTIVE, CLOSED, ERROR, TIMED_OUT = STATUSES = ("active", "closed", "error", "timed_out")
BY_OPERATION = "operation"  # closed by an operation that had keep_alive=false
NAVIGATIONS = ("goto", "goto_new_tab")  # the actions of v4 that change the page's url (client)
NEVER = 2**63 - 1  # the deadline of a session without one
DEFAULT_TIMEOUT_MINUTES = 5  # v1. Source: page.
GLOBAL_TIMEOUT_MINUTES = 30  # v1's timeout is below it. Source: page.
DEFAULT_IDLE_MINUTES, MAX_IDLE_MINUTES = 3, 30  # v4. Source: client.
DEFAULT_DURATION_MINUTES, MAX_DURATION_MINUTES = 15, 1440  # v4. Source: client.
_MINUTE = 60_000_000

SOURCES = {
    "default_timeout_minutes": "Source: page (5 minutes). "
    "Assumed: less where the global timeout is set to 5 or below.",
    "deadline": 'Source: page ("Will timeout if now() > last access time + timeout_minutes"); '
    "client (v4's `max_duration_minutes` counts from the start, v1 has none).",
    "transitions": "Source: page (strictly later than the deadline, which itself is still active).",
    "is_active": "Source: page (the deadline itself is still active).",
    "has_timed_out": "Source: page (strictly later than the deadline).",
    "end": "Source: page (the statuses), client (`closed_at` and `close_reason` are set whenever "
    "the status is not active). Assumed: `unknown` is the reason of a session that its v1 "
    "operation closed, for which v4 has no word.",
    "has_ended_before": "Assumed: a session that timed out ended at its deadline.",
    "status": "Source: page (`active`, `closed`, `error`, `timed_out`).",
    "duration": "Source: page (from the start to the end, or to now).",
    "ensure_can_operate": 'Source: page ("use observe to interact with existing sessions"). '
    "Assumed: 404.",
    "ensure_can_stop": 'Source: client (the SDK looks for "already closed").',
    "ensure_can_write": "Assumed: `readonly` writes nothing, and an operation is activity.",
    "outlives_timeout": 'Source: page, which says both "will not be closed after the operation" '
    'and "alive beyond its timeout period". Assumed: the first, unless the setting '
    "`notte_keep_alive` is `timeout`.",
    "closes_after_operation": 'Source: page ("if true, the session will not be closed after the '
    'operation"). Assumed: never under `notte_keep_alive = timeout`, where keep_alive outlives the '
    "timeout.",
}
# Why a session timed out, by its rule.
WHY = {
    "idle_timeout": "it was idle for more than {row.timeout_minutes} minutes",
    "max_duration": "it reached its maximum of {row.max_duration_minutes} minutes",
}


@dataclass(frozen=True, kw_only=True)
class NotteSettings:
    """The settings `notte_…`."""

    global_timeout_minutes: int = field(
        default=GLOBAL_TIMEOUT_MINUTES,
        metadata={"help": "upper limit of a v1 session's timeout, exclusive", "minimum": 2},
    )
    keep_alive: str = field(
        default="operation",
        metadata={
            "help": "what a keep_alive session outlives: the operation, or the timeout as well",
            "choices": ("operation", "timeout"),
        },
    )


class Transition(NamedTuple):
    """An instant at which a session changes by itself: `at` is the first of the new state."""

    at: int
    deadline: int
    from_status: str
    to_status: str
    rule: str
    part: None = None  # a session has no parts


class End(NamedTuple):
    """How and when a session ended."""

    status: str
    at: int
    reason: str | None


def default_timeout_minutes(global_timeout_minutes: int) -> int:
    """The timeout of a v1 session that names none."""
    return min(DEFAULT_TIMEOUT_MINUTES, global_timeout_minutes - 1)


def deadline(row: "SessionRow", last_accessed_at: int) -> int:
    """The last instant at which a session that was accessed then is still active, or NEVER."""
    ends = []
    if not row.outlives_timeout:
        ends.append(last_accessed_at + row.timeout_minutes * _MINUTE)
    if row.max_duration_minutes is not None:
        ends.append(row.created_at + row.max_duration_minutes * _MINUTE)
    return min(ends, default=NEVER)


def transitions(row: "SessionRow") -> list[Transition]:
    """Every instant at which this session changes by itself."""
    if row.ended_at is not None or row.expires_at == NEVER:
        return []
    idle = row.last_accessed_at + row.timeout_minutes * _MINUTE
    is_idle = not row.outlives_timeout and row.expires_at == idle
    rule = "idle_timeout" if is_idle else "max_duration"
    return [Transition(row.expires_at + 1, row.expires_at, ACTIVE, TIMED_OUT, rule)]


def is_active(row: "SessionRow", now: int) -> bool:
    """Whether no call has ended it and its deadline has not passed. SQL: queries.is_active."""
    return row.ended_at is None and row.expires_at >= now


def has_timed_out(row: "SessionRow", now: int) -> bool:
    """Whether its deadline has passed before any call ended it. SQL: queries.has_timed_out."""
    return row.ended_at is None and row.expires_at < now


def end(row: "SessionRow", now: int) -> End | None:
    """Its end by a call, or by a deadline that has passed; None while it is active."""
    if is_active(row, now):
        return None
    if row.ended_at is not None:
        reason = "unknown" if row.close_reason == BY_OPERATION else row.close_reason
        return End(row.ended_as or CLOSED, row.ended_at, reason)
    passed = transitions(row)[-1]
    return End(passed.to_status, passed.deadline, passed.rule)


def has_ended_before(row: "SessionRow", at: int) -> bool:
    """Whether its end lies before an instant. SQL: queries.has_ended_before."""
    found = end(row, at)
    return found is not None and found.at < at


def status(row: "SessionRow", now: int) -> str:
    """`active`, `closed`, `error` or `timed_out`."""
    found = end(row, now)
    return ACTIVE if found is None else found.status


def duration(row: "SessionRow", until: int) -> int:
    """Microseconds from the start to an instant; never below zero."""
    return max(0, until - row.created_at)


def ensure_can_operate(row: "SessionRow", now: int) -> None:
    """Raise SessionError unless the session is active: no operation revives it."""
    if not is_active(row, now):
        raise SessionError(row.id, _why_ended(row))


def ensure_can_stop(row: "SessionRow", now: int) -> None:
    """Raise SessionError unless the session is active."""
    if not is_active(row, now):
        raise SessionError(row.id, "is already closed", 400)


def ensure_can_write(role: str) -> None:
    """Raise NotteError for the role `readonly`."""
    if role == "readonly":
        raise NotteError("The role readonly does not allow this", 403)


def outlives_timeout(keep_alive: bool, mode: str) -> bool:
    """Whether a session that starts with this keep_alive has no idle deadline."""
    return mode == "timeout" and keep_alive


def closes_after_operation(keep_alive: bool, mode: str) -> bool:
    """Whether an operation of v1 ends its session."""
    return mode == "operation" and not keep_alive


def _why_ended(row: "SessionRow") -> str:
    if row.ended_as == ERROR:
        return f"ended with an error: {row.error}"
    if row.close_reason == BY_OPERATION:
        return "is closed: its last operation had keep_alive=false"
    if row.ended_as == CLOSED:
        return "is closed"
    return f"timed out: {WHY[transitions(row)[-1].rule].format(row=row)}"

"""Galtea's rules: pure functions of a row and an instant in microseconds."""

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionary.surfaces.galtea.errors import Missing, Refusal

if TYPE_CHECKING:
    from sessionary.surfaces.galtea.models import SessionRow

PENDING = "PENDING"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
STATUSES = (PENDING, COMPLETED, FAILED)
_MINUTE = 60_000_000


class Transition(NamedTuple):
    """An instant at which a session changes by itself: `at` is the first of the new state."""

    at: int
    deadline: int
    from_status: str
    to_status: str
    rule: str
    part: None = None  # a session has no parts


def is_production(test_case: str | None, wanted: bool | None, *, has_context: bool) -> bool:
    """Whether a new session is production: unless told otherwise, when it has no test case.

    Source: page. Refused: a test case with isProduction=true, a test case with any context.
    """
    if test_case is None:
        return wanted is not False
    if wanted:
        raise Refusal("isProduction cannot be true when testCaseId is set")
    if has_context:
        raise Refusal("context cannot be given when testCaseId is set: the test case has its own")
    return False


def may_be_placed(version: str | None, product: str | None) -> None:
    """Refuse a new session that names neither its version nor its product. Source: client."""
    if version is None and product is None:
        raise Refusal("Either versionId or productId must be given")


def may_join(run: str | None, *, is_production: bool) -> None:
    """Refuse a run to a production session. Source: docs."""
    if run is not None and is_production:
        raise Refusal("runId cannot be set on a production session")


def may_set_context(row: "SessionRow", context: Any) -> None:
    """Refuse a context to a session whose test case brings it. Assumed: null may clear it."""
    if row.test_case is not None and context is not None:
        raise Refusal("context cannot be set on a session that has a testCaseId")


def are_all_there(asked: Iterable[str], present: Container[str]) -> None:
    """Refuse ids of which some are missing, and say which. Source: docs."""
    missing = [id for id in dict.fromkeys(asked) if id not in present]
    if missing:
        raise Missing("Sessions", missing)


def outcome(stopping_reason: str | None, error: str | None) -> str:
    """What a finished session is: FAILED with an error, else COMPLETED.

    Source: client, docs (neither, or both empty, is refused). Assumed: with both it is FAILED.
    """
    if not stopping_reason and not error:
        raise Refusal("Either stoppingReason or error must be given")
    return FAILED if error else COMPLETED


def deadline(status: str, at: int, minutes: int | None) -> int | None:
    """When a session that is written now, and then left alone, closes by itself.

    Source: docs (inactivity since the last accepted create, PATCH or finish; only while PENDING).
    Without minutes it never does.
    """
    return at + minutes * _MINUTE if minutes is not None and status == PENDING else None


def is_kept(row: "SessionRow") -> bool:
    """Whether no call has deleted it: what is deleted is 404, and changes no more.

    Source: client, docs (a soft delete).
    """
    return row.deleted_at is None


def transitions(row: "SessionRow") -> list[Transition]:
    """Every instant at which this session changes by itself.

    Source: docs (it closes). Assumed: the deadline itself is already COMPLETED.
    """
    if row.expires_at is None or not is_kept(row):
        return []
    return [Transition(row.expires_at, row.expires_at, PENDING, COMPLETED, "auto_close")]


def has_closed(row: "SessionRow", now: int) -> bool:
    """Whether it has closed by itself, as `transitions` say. Source: docs. `lists` says it in
    SQL."""
    return row.expires_at is not None and now >= row.expires_at and is_kept(row)


def status(row: "SessionRow", now: int) -> str:
    """`PENDING`, `COMPLETED` or `FAILED`: what a caller set, until it closes by itself.

    Source: page (the statuses), client (any of them may follow any other).
    """
    return COMPLETED if has_closed(row, now) else row.status


def stopping_reason(row: "SessionRow", now: int) -> str | None:
    """The session's own reason, or the one of having closed by itself. Source: docs."""
    if row.stopping_reason is not None or not has_closed(row, now):
        return row.stopping_reason
    return f"Automatically closed after {row.auto_close_minutes} minutes of inactivity"

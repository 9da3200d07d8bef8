"""Galtea's rules: pure functions of a row and an instant in microseconds."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionary.surfaces.galtea.errors import GalteaError, NotFound

if TYPE_CHECKING:
    from sessionary.surfaces.galtea.models import SessionRow

PENDING, COMPLETED, FAILED = STATUSES = ("PENDING", "COMPLETED", "FAILED")
DELETED = "deleted"  # the control plane's word; Galtea answers 404
DEFAULT_LIMIT = 10_000  # of a list. Source: docs.
_MINUTE = 60_000_000

SOURCES = {
    "ensure_can_write": "Assumed: `readonly` writes nothing.",
    "is_production": "Source: page (unless isProduction is false, without a test case).",
    "ensure_fits_test_case": "Source: page (isProduction=true or any context is refused).",
    "ensure_has_version_or_product": "Source: client (one of the two is needed).",
    "ensure_can_join_run": "Source: docs (no runId on a production session).",
    "ensure_can_set_context": "Source: page (its test case's). Assumed: null may clear it.",
    "ensure_custom_id_free": "Source: client (unique in its version). "
    "Assumed: a deleted session has given its customId up.",
    "ensure_all_exist": "Source: docs (all or none).",
    "ensure_has_outcome": "Source: client, docs (neither, or both empty, is refused).",
    "outcome": "Source: client, docs. Assumed: with a reason and an error it is FAILED.",
    "deadline": "Source: docs (inactivity since the last create, PATCH or finish, while PENDING).",
    "is_kept": "Source: client, docs (a soft delete: a deleted session is 404).",
    "transitions": "Source: docs (it closes). Assumed: the deadline itself is already COMPLETED.",
    "has_closed": "Source: docs. Assumed: the deadline itself is already COMPLETED.",
    "has_ended_before": "Assumed: a session that was finished ended with its last write.",
    "status": "Source: page (the statuses), client (any of them may follow any other).",
    "since_at": "Assumed: a status that ended and came back begins when it comes back.",
    "next_since_at": "Assumed: a call that leaves the status as it is does not begin it.",
    "stopping_reason": 'Source: docs ("Automatically closed after 30 minutes of inactivity").',
}


@dataclass(frozen=True, kw_only=True)
class GalteaSettings:
    """The settings `galtea_…`."""

    auto_close_minutes: int | None = field(
        default=None,
        metadata={
            "help": "complete a PENDING session after this many minutes without a write",
            "minimum": 1,
            "vendor_default": 30,
        },
    )
    references: str = field(
        default="open",
        metadata={
            "help": "accepted ids of versions, products and test cases: any (open) "
            "or only those of a seed (strict)",
            "choices": ("open", "strict"),
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


def ensure_can_write(role: str) -> None:
    """Raise GalteaError for the role `readonly`."""
    if role == "readonly":
        raise GalteaError("The role readonly does not allow this", 403)


def is_production(test_case: str | None, requested: bool | None) -> bool:
    """Whether a new session is production; `requested` is the flag that the caller set, if any."""
    return test_case is None and requested is not False


def ensure_fits_test_case(test_case: str | None, is_set: bool | None, *, has_context: bool) -> None:
    """Raise GalteaError for a test case with isProduction=true or with a context."""
    if test_case is not None and is_set:
        raise GalteaError("isProduction cannot be true when testCaseId is set")
    if test_case is not None and has_context:
        text = "context cannot be given when testCaseId is set: the test case has its own"
        raise GalteaError(text)


def ensure_has_version_or_product(version: str | None, product: str | None) -> None:
    """Raise GalteaError for a new session that names neither."""
    if version is None and product is None:
        raise GalteaError("Either versionId or productId must be given")


def ensure_can_join_run(run: str | None, *, is_production: bool) -> None:
    """Raise GalteaError for a run on a production session."""
    if run is not None and is_production:
        raise GalteaError("runId cannot be set on a production session")


def ensure_can_set_context(row: "SessionRow", context: Any) -> None:
    """Raise GalteaError for a context on a session that has the one of its test case."""
    if row.test_case is not None and context is not None:
        raise GalteaError("context cannot be set on a session that has a testCaseId")


def ensure_custom_id_free(row: "SessionRow", holder: str | None) -> None:
    """Raise GalteaError if a kept session other than this, `holder`, has its customId."""
    if row.custom_id is not None and is_kept(row) and holder not in (None, row.id):
        raise GalteaError(
            f"A Session with the same customId: '{row.custom_id}' already exists "
            f"for version with ID: '{row.version}'."
        )


def ensure_all_exist(ids: Iterable[str], existing: Container[str]) -> None:
    """Raise NotFound with the ids that are missing, if any are."""
    missing = [id for id in dict.fromkeys(ids) if id not in existing]
    if missing:
        raise NotFound("Sessions", missing)


def ensure_has_outcome(stopping_reason: str | None, error: str | None) -> None:
    """Raise GalteaError for a finish without a reason and without an error."""
    if not stopping_reason and not error:
        raise GalteaError("Either stoppingReason or error must be given")


def outcome(error: str | None) -> str:
    """The status of a finished session: FAILED with an error, else COMPLETED."""
    return FAILED if error else COMPLETED


def deadline(status: str, at: int, minutes: int | None) -> int | None:
    """When a session that is written at an instant closes by itself; None if it never does."""
    return at + minutes * _MINUTE if minutes is not None and status == PENDING else None


def is_kept(row: "SessionRow") -> bool:
    """Whether no call has deleted it. SQL: queries.sessions.is_kept."""
    return row.deleted_at is None


def transitions(row: "SessionRow") -> list[Transition]:
    """Every instant at which this session changes by itself."""
    if row.expires_at is None or not is_kept(row):
        return []
    return [Transition(row.expires_at, row.expires_at, PENDING, COMPLETED, "auto_close")]


def has_closed(row: "SessionRow", now: int) -> bool:
    """Whether it has closed by itself. SQL: queries.sessions.has_closed."""
    return row.expires_at is not None and now >= row.expires_at and is_kept(row)


def has_ended_before(row: "SessionRow", at: int) -> bool:
    """Whether its end lies before an instant. SQL: queries.sessions.has_ended_before."""
    if row.status != PENDING and row.written_at < at:
        return True
    return any(end is not None and end < at for end in (row.deleted_at, row.expires_at))


def status(row: "SessionRow", now: int) -> str:
    """What a caller set, until it closes by itself. SQL: queries.sessions.has_status."""
    return COMPLETED if has_closed(row, now) else row.status


def since_at(row: "SessionRow", now: int) -> int:
    """The instant at which its status at `now` began."""
    if row.deleted_at is not None:
        return row.deleted_at
    passed = [transition.at for transition in transitions(row) if now >= transition.at]
    return passed[-1] if passed else row.status_since_at


def next_since_at(row: "SessionRow", new_status: str, now: int) -> int:
    """The instant at which a status begins that a call gives it: earlier if it has it already."""
    return since_at(row, now) if status(row, now) == new_status else now


def stopping_reason(row: "SessionRow", now: int) -> str | None:
    """The session's own reason; without one, that it closed by itself, if it did."""
    if row.stopping_reason is not None or not has_closed(row, now):
        return row.stopping_reason
    return f"Automatically closed after {row.auto_close_minutes} minutes of inactivity"

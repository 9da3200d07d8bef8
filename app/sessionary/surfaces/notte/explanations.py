"""Why a Notte session is what it is, for whoever may ask about any session."""

from typing import Any

from sessionary import ids
from sessionary.store import Statement, count_if, count_statement, param
from sessionary.surfaces.notte import models, rules
from sessionary.surfaces.notte.models import COLUMNS, Session, SessionRow
from sessionary.web import session_statements
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries, origin

_by_id = session_statements.find_by_id(Session, SessionRow)
_page = session_statements.creation_page(Session, SessionRow)
# A transition lies one microsecond behind its deadline.
_changing = Statement(
    SessionRow._make,
    lambda: (
        Session.select(*COLUMNS)
        .where(
            Session.ended_at.is_null(),
            Session.expires_at >= param("after"),
            Session.expires_at < param("until"),
        )
        .order_by(Session.expires_at, Session.seq)
        .limit(param("limit"))
    ),
)
_counts = count_statement(
    (rules.ACTIVE, rules.TIMED_OUT, rules.ERROR, rules.CLOSED),
    lambda: Session.select(
        count_if(models.is_active()),
        count_if(Session.ended_at.is_null() & (Session.expires_at < param("now"))),
        count_if(Session.ended_as == rules.ERROR),
        count_if(Session.ended_at.is_null(False) & (Session.ended_as != rules.ERROR)),
    ),
)
_WHY = {
    "idle_timeout": "it was idle for more than {row.timeout_minutes} minutes",
    "max_duration": "it reached its maximum of {row.max_duration_minutes} minutes",
}
_AN_ACCESS = "POST /session/start with its session_id, or an operation that keeps it alive,"


def explain(row: SessionRow, now: int) -> Explanation:
    """Its status at an instant, and the rule that decided."""
    if row.ended_at is not None:
        return _ended(row, row.ended_at)
    for transition in rules.transitions(row):
        return _timed_out(row, transition) if now >= transition.at else _active(row, transition)
    return _endless(row)


def _ended(row: SessionRow, ended_at: int) -> Explanation:
    rule, says = "call", "a call closed it"
    if row.ended_as == rules.ERROR:
        rule, says = "failure", f"it failed: {row.error}"
    elif row.close_reason == rules.BY_OPERATION:
        rule, says = "operation", "its operation had keep_alive=false, which closes it"
    until = "for good" if row.expires_at == rules.NEVER else f"up to {to_text(row.expires_at)}"
    return Explanation(
        status=rules.status(row, ended_at),
        since_at=ended_at,
        rule=rule,
        reason=f"{says}, at {to_text(ended_at)}",
        inputs=_inputs(row),
        unless=f"without that it would have stayed active {until}",
        source=origin(rules.closes_after_operation if rule == "operation" else rules.state),
    )


def _timed_out(row: SessionRow, transition: rules.Transition) -> Explanation:
    return Explanation(
        status=transition.to_status,
        since_at=transition.at,
        rule=transition.rule,
        reason=f"{_WHY[transition.rule].format(row=row)}; its last active instant was "
        f"{to_text(transition.deadline)}",
        inputs=_inputs(row),
        unless=_kept_by(row, transition, "would have kept"),
        source=origin(rules.deadline),
    )


def _active(row: SessionRow, transition: rules.Transition) -> Explanation:
    return Explanation(
        status=transition.from_status,
        since_at=row.created_at,
        rule=transition.rule,
        reason=f"it is active up to and including {to_text(transition.deadline)}",
        inputs=_inputs(row),
        unless=_kept_by(row, transition, "keeps"),
        source=origin(rules.deadline),
    )


def _endless(row: SessionRow) -> Explanation:
    return Explanation(
        status=rules.ACTIVE,
        since_at=row.created_at,
        rule="no_deadline",
        reason="it was started with keep_alive=true, which outlives its timeout here",
        inputs=_inputs(row),
        unless="it stays active until a call closes it",
        source=origin(rules.outlives_timeout),
    )


def _kept_by(row: SessionRow, transition: rules.Transition, keeps: str) -> str:
    """Which call, up to when, and for how long at most."""
    latest = rules.deadline(row, transition.deadline)
    if latest == transition.deadline:
        return f"no call: its maximum of {row.max_duration_minutes} minutes was set at its start"
    return (
        f"{_AN_ACCESS} no later than {to_text(transition.deadline)} {keeps} it active, "
        f"up to {to_text(latest)} at most"
    )


def _inputs(row: SessionRow) -> dict[str, Any]:
    names = ("created_at", "last_accessed_at", "timeout_minutes", "max_duration_minutes")
    ends = ("ended_at", "close_reason", "error")
    return {
        **{name: getattr(row, name) for name in (*names, *ends)},
        "outlives_timeout": bool(row.outlives_timeout),
        "expires_at": None if row.expires_at == rules.NEVER else row.expires_at,
    }


def fail(row: SessionRow, at: int, reason: str) -> None:
    """End an active session with an error, as only the vendor can.

    Source: page (the status). Raises NotForced for what is over: terminal states stay.
    """
    found = rules.status(row, at)
    if found != rules.ACTIVE:
        raise NotForced(f"Session {row.id} is {found}: only an active session can fail")
    ended_at = max(at, row.last_accessed_at)
    models.end.run(
        id=row.id, ended_at=ended_at, ended_as=rules.ERROR, close_reason="error", error=reason
    )


sessions = SessionQueries(
    find=lambda id: _by_id.one(id=ids.canonical(id)),
    page=lambda place, limit: _page.all(place=place, limit=limit),
    changing=lambda after, until, limit: _changing.all(after=after, until=until, limit=limit),
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    is_open=lambda row, now: rules.status(row, now) == rules.ACTIVE,
    counts=lambda now: _counts.one(now=now) or {},
    forced_states={rules.ERROR: fail},
    session_columns={Session: "id"},
)

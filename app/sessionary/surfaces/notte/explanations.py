"""Why a Notte session has its status, for the control plane: sessions of any organization."""

from typing import Any

from sessionary import ids
from sessionary.surfaces.notte import queries, rules
from sessionary.surfaces.notte.models import Session, SessionRow
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries

_ENDS = ("ended_at", "close_reason", "error")
_INPUTS = ("created_at", "last_accessed_at", "timeout_minutes", "max_duration_minutes", *_ENDS)


def explain(row: SessionRow, now: int) -> Explanation:
    """Explain its status at an instant by the rule that decided."""
    if row.ended_at is not None:
        return _ended(row, row.ended_at)
    for transition in rules.transitions(row):
        return _by_deadline(row, transition, now >= transition.at)
    status, rule, source = rules.ACTIVE, "no_deadline", rules.SOURCES["outlives_timeout"]
    reason = "it was started with keep_alive=true, which outlives its timeout here"
    unless = "it stays active until a call closes it"
    return Explanation(status, row.status_since_at, rule, reason, _inputs(row), unless, source)


def _ended(row: SessionRow, ended_at: int) -> Explanation:
    rule, reason, source = "call", "a call closed it", "end"
    if row.ended_as == rules.ERROR:
        rule, reason = "failure", f"it failed: {row.error}"
    elif row.close_reason == rules.BY_OPERATION:
        rule, reason = "operation", "its operation had keep_alive=false, which closes it"
        source = "closes_after_operation"
    until = "for good" if row.expires_at == rules.NEVER else f"up to {to_text(row.expires_at)}"
    status, reason = rules.status(row, ended_at), f"{reason}, at {to_text(ended_at)}"
    unless = f"without that it would have stayed active {until}"
    since_at, source = row.status_since_at, rules.SOURCES[source]
    return Explanation(status, since_at, rule, reason, _inputs(row), unless, source)


def _by_deadline(row: SessionRow, transition: rules.Transition, has_passed: bool) -> Explanation:
    rule, source = transition.rule, rules.SOURCES["deadline"]
    deadline = to_text(transition.deadline)
    if has_passed:
        status, since_at, keeps = transition.to_status, transition.at, "would have kept"
        reason = f"{rules.WHY[rule].format(row=row)}; its last active instant was {deadline}"
    else:
        status, since_at, keeps = transition.from_status, row.status_since_at, "keeps"
        reason = f"it is active up to and including {deadline}"
    unless = _extending_call(row, transition, keeps)
    return Explanation(status, since_at, rule, reason, _inputs(row), unless, source)


def _extending_call(row: SessionRow, transition: rules.Transition, keeps: str) -> str:
    """Name the call that keeps the session active, its last instant and its longest effect."""
    latest = rules.deadline(row, transition.deadline)
    if latest == transition.deadline:
        return f"no call: its maximum of {row.max_duration_minutes} minutes was set at its start"
    return (
        "POST /session/start with its session_id, or an operation that keeps it alive, no later "
        f"than {to_text(transition.deadline)} {keeps} it active, up to {to_text(latest)} at most"
    )


def _inputs(row: SessionRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _INPUTS},
        "outlives_timeout": bool(row.outlives_timeout),
        "expires_at": None if row.expires_at == rules.NEVER else row.expires_at,
    }


def fail(row: SessionRow, at: int, reason: str) -> None:
    """End an active session with an error. Source: page (others stay ended). Raises NotForced."""
    if not rules.is_active(row, at):
        status = rules.status(row, at)
        raise NotForced(f"Session {row.id} is {status}: only an active session can fail")
    ended_at = max(at, row.last_accessed_at)
    failed = row._replace(ended_at=ended_at, ended_as=rules.ERROR, close_reason="error")
    failed = failed._replace(error=reason, status_since_at=at)
    queries.end.run(**failed._asdict())


sessions = SessionQueries(
    find=lambda id: queries.by_id_anywhere.one(id=ids.canonical(id)),
    page=lambda place, limit: queries.creation_page.rows(place=place, limit=limit),
    changing=lambda after, until, size: queries.changing.rows(after=after, until=until, limit=size),
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    status=rules.status,
    statuses={
        rules.ACTIVE: "open",
        rules.TIMED_OUT: "timed_out",
        rules.CLOSED: "closed",
        rules.ERROR: "failed",
    },
    lanes=queries.lanes,
    counts=lambda now: queries.counts.one(now=now) or {},
    forced_states={rules.ERROR: fail},
    session_columns={Session: "id"},
)

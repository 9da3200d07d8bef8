"""Why a Galtea session has its status, for the control plane: sessions of any organization."""

from typing import Any

from sessionary import clock
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session, SessionRow
from sessionary.surfaces.galtea.queries import sessions as queries
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries


def status(row: SessionRow, now: int) -> str:
    """Its status at an instant, that of a deleted session included."""
    return rules.status(row, now) if rules.is_kept(row) else rules.DELETED


def explain(row: SessionRow, now: int) -> Explanation:
    """Explain its status at an instant by the rule that decided."""
    if row.deleted_at is not None:
        status, rule, source = rules.DELETED, "call", rules.SOURCES["is_kept"]
        reason = f"a call deleted it at {to_text(row.deleted_at)}; from then on it is 404"
        unless = "without that call it would exist for good; nothing restores it"
        return Explanation(status, row.deleted_at, rule, reason, _inputs(row), unless, source)
    for transition in rules.transitions(row):
        return _by_deadline(row, transition, now >= transition.at)
    return _by_last_write(row)


def _by_deadline(row: SessionRow, transition: rules.Transition, has_passed: bool) -> Explanation:
    minutes, deadline = row.auto_close_minutes or 0, to_text(transition.deadline)
    written_at = to_text(transition.deadline - minutes * clock.MINUTE)
    patch = f"a PATCH /sessions/{row.id} that sets a field, and no other status, before {deadline}"
    more = f"PENDING for {minutes} minutes more"
    if has_passed:
        status, source = transition.to_status, rules.SOURCES["transitions"]
        reason = f"it was left alone for {minutes} minutes, from {written_at} on"
        unless = f"{patch} would have kept it {more}; a later one makes it PENDING again"
    else:
        status, source = transition.from_status, rules.SOURCES["deadline"]
        reason = f"it closes by itself after {minutes} minutes without a write, and was written "
        reason += f"last at {written_at}"
        unless = f"{patch} keeps it {more}"
    since_at = transition.at if has_passed else row.status_since_at
    return Explanation(status, since_at, transition.rule, reason, _inputs(row), unless, source)


def _by_last_write(row: SessionRow) -> Explanation:
    status, at, rule, source = row.status, row.status_since_at, "call", rules.SOURCES["status"]
    reason = f"a call made it {status} at {to_text(at)}"
    unless = f"it stays {status} until a PATCH /sessions/{row.id} gives it another status"
    if status == rules.PENDING:
        rule, source = "no_deadline", rules.SOURCES["deadline"]
        reason += f", and no auto-close was set at its last write, at {to_text(row.written_at)}"
        unless = "it stays PENDING until a call finishes it or gives it another status"
    elif row.error is not None:
        reason += f", with the error {row.error!r}"
    return Explanation(status, at, rule, reason, _inputs(row), unless, source)


def _inputs(row: SessionRow) -> dict[str, Any]:
    names = ("status", "stopping_reason", "error", "created_at", "written_at", "status_since_at")
    deadlines = ("auto_close_minutes", "expires_at", "deleted_at")
    return {name: getattr(row, name) for name in (*names, *deadlines)}


def fail(row: SessionRow, at: int, reason: str) -> None:
    """Make it FAILED, as a broken evaluation does. Source: page (its error), client (any order)."""
    found = explain(row, at).status
    if found in (rules.DELETED, rules.FAILED):
        raise NotForced(f"Session {row.id} is {found} already, so it cannot become FAILED")
    failed = row._replace(
        status=rules.FAILED,
        error=reason,
        written_at=max(at, row.written_at),
        status_since_at=at,
        expires_at=None,
    )
    queries.update.run(**failed._asdict())


sessions = SessionQueries(
    find=lambda id: queries.by_id_anywhere.one(id=id),
    page=lambda place, limit: queries.creation_page.rows(place=place, limit=limit),
    changing=lambda after, until, size: queries.changing.rows(after=after, until=until, limit=size),
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    status=status,
    statuses={
        rules.PENDING: "open",
        rules.COMPLETED: "closed",
        rules.FAILED: "failed",
        rules.DELETED: "closed",
    },
    counts=lambda now: queries.counts.one(now=now) or {},
    title=lambda row: row.custom_id or "",
    lanes=queries.lanes,
    began_at=lambda row: row.deleted_at or row.status_since_at,
    forced_states={rules.FAILED: fail},
    session_columns={Session: "id"},
)

"""Why a Galtea session is what it is, for whoever may ask about any session."""

from typing import Any

import peewee as pw

from sessionary import clock
from sessionary.store import Statement, count_if, count_statement, param
from sessionary.surfaces.galtea import models, rules
from sessionary.surfaces.galtea.models import COLUMNS, Session, SessionRow
from sessionary.web import session_statements
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced, SessionQueries, origin

DELETED = "deleted"  # no answer names it: it is 404

# An id is one organization's; should a seed have given it to two, it is the first one's.
_by_id = session_statements.find_by_id(Session, SessionRow)
_page = session_statements.creation_page(Session, SessionRow)
_changing = Statement(
    SessionRow._make,
    lambda: (
        Session.select(*COLUMNS)
        .where(
            models.is_kept,
            Session.expires_at > param("after"),
            Session.expires_at <= param("until"),
        )
        .order_by(Session.expires_at, Session.seq)
        .limit(param("limit"))
    ),
)

_has_closed = Session.expires_at <= param("now")  # null, and so not counted, where it never does
_counts = count_statement(
    (rules.PENDING, rules.COMPLETED, rules.FAILED, DELETED),
    lambda: Session.select(
        count_if(_is_left(rules.PENDING)),
        count_if(models.is_kept & ((Session.status == rules.COMPLETED) | _has_closed)),
        count_if(_is_left(rules.FAILED)),
        count_if(Session.deleted_at.is_null(False)),
    ),
)


def _is_left(status: str) -> Any:
    """Whether a call has set this status, and it is still the one."""
    closed = pw.fn.COALESCE(_has_closed, 0)
    return models.is_kept & (Session.status == status) & (closed == 0)


def explain(row: SessionRow, now: int) -> Explanation:
    """Its status at an instant, and the rule that decided."""
    if row.deleted_at is not None:
        return _deleted(row, row.deleted_at)
    for transition in rules.transitions(row):
        return _closed(row, transition) if now >= transition.at else _closing(row, transition)
    return _pending(row) if row.status == rules.PENDING else _set_by_a_call(row)


def _deleted(row: SessionRow, deleted_at: int) -> Explanation:
    return Explanation(
        status=DELETED,
        since_at=deleted_at,
        rule="call",
        reason=f"a call deleted it at {to_text(deleted_at)}; from then on it is 404",
        inputs=_inputs(row),
        unless="without that call it would be there for good; nothing brings it back",
        source=origin(rules.is_kept),
    )


def _closed(row: SessionRow, transition: rules.Transition) -> Explanation:
    return Explanation(
        status=transition.to_status,
        since_at=transition.at,
        rule=transition.rule,
        reason=f"it was left alone for {row.auto_close_minutes} minutes, "
        f"from {_left_alone_since(row, transition)} on",
        inputs=_inputs(row),
        unless=f"{_a_patch(row)} before {to_text(transition.deadline)} would have kept it PENDING "
        f"for {row.auto_close_minutes} minutes more; a later one makes it PENDING again",
        source=origin(rules.transitions),
    )


def _closing(row: SessionRow, transition: rules.Transition) -> Explanation:
    return Explanation(
        status=transition.from_status,
        since_at=row.written_at,
        rule=transition.rule,
        reason=f"it closes by itself after {row.auto_close_minutes} minutes without a write, "
        f"and was written last at {_left_alone_since(row, transition)}",
        inputs=_inputs(row),
        unless=f"{_a_patch(row)} before {to_text(transition.deadline)} keeps it PENDING "
        f"for {row.auto_close_minutes} minutes more",
        source=origin(rules.deadline),
    )


def _pending(row: SessionRow) -> Explanation:
    return Explanation(
        status=rules.PENDING,
        since_at=row.written_at,
        rule="no_deadline",
        reason=f"its last write, at {to_text(row.written_at)}, left it PENDING while no auto-close "
        "was set",
        inputs=_inputs(row),
        unless="it stays PENDING until a call finishes it or gives it another status",
        source=origin(rules.deadline),
    )


def _set_by_a_call(row: SessionRow) -> Explanation:
    """Of the writes that may have set the status, only the last one is kept."""
    why = "" if row.error is None else f", with the error {row.error!r}"
    return Explanation(
        status=row.status,
        since_at=row.written_at,
        rule="call",
        reason=f"its last write, at {to_text(row.written_at)}, left it {row.status}{why}",
        inputs=_inputs(row),
        unless=f"it stays {row.status} until a PATCH /sessions/{row.id} gives it another status",
        source=origin(rules.status),
    )


def _left_alone_since(row: SessionRow, transition: rules.Transition) -> str:
    """When the write came that the deadline counts from."""
    return to_text(transition.deadline - (row.auto_close_minutes or 0) * clock.MINUTE)


def _a_patch(row: SessionRow) -> str:
    return f"a PATCH /sessions/{row.id} that sets a field, and no other status,"


def _inputs(row: SessionRow) -> dict[str, Any]:
    names = ("status", "stopping_reason", "error", "created_at", "written_at")
    deadlines = ("auto_close_minutes", "expires_at", "deleted_at")
    return {name: getattr(row, name) for name in (*names, *deadlines)}


def fail(row: SessionRow, at: int, reason: str) -> None:
    """Make it FAILED with an error, as an evaluation that breaks down does.

    Source: page (the status and its error), client (any status may follow any other).
    """
    found = explain(row, at).status
    if found in (DELETED, rules.FAILED):
        raise NotForced(f"Session {row.id} is {found} already, so it cannot become FAILED")
    failed = row._replace(
        status=rules.FAILED, error=reason, written_at=max(at, row.written_at), expires_at=None
    )
    models.update.run(**failed._asdict())


sessions = SessionQueries(
    find=lambda id: _by_id.one(id=id),
    page=lambda place, limit: _page.all(place=place, limit=limit),
    changing=lambda after, until, limit: _changing.all(after=after, until=until, limit=limit),
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    is_open=lambda row, now: explain(row, now).status == rules.PENDING,
    counts=lambda now: _counts.one(now=now) or {},
    forced_states={rules.FAILED: fail},
    session_columns={Session: "id"},
)

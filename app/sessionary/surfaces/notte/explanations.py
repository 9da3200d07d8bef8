"""Why a Notte session is what it is, for whoever may ask about any session."""

from sessionary.store import Statement, given
from sessionary.surfaces.notte import models, rules
from sessionary.surfaces.notte.models import COLUMNS, Session, SessionRow
from sessionary.wire.instants import to_text
from sessionary.wire.telling import Explanation, NotForced, Sessions, origin

_by_id = Statement(
    SessionRow._make, lambda: Session.select(*COLUMNS).where(Session.id == given("id"))
)
_page = Statement(
    lambda found: (int(found[0]), SessionRow._make(found[1:])),
    lambda: (
        Session.select(Session.seq, *COLUMNS)
        .where(Session.seq > given("place"))
        .order_by(Session.seq)
        .limit(given("limit"))
    ),
)
_changing = Statement(
    SessionRow._make,
    lambda: (
        Session.select(*COLUMNS)
        .where(
            Session.ended_at.is_null(),
            Session.expires_at >= given("after"),
            Session.expires_at < given("until"),
        )
        .order_by(Session.expires_at, Session.seq)
        .limit(given("limit"))
    ),
)
_WHY = {
    "idle_timeout": "it was idle for more than {row.timeout_minutes} minutes",
    "max_duration": "it reached its maximum of {row.max_duration_minutes} minutes",
}


def explain(row: SessionRow, now: int) -> Explanation:
    """Its status at an instant, and the rule that decided."""
    state = rules.state(row, now)
    if row.ended_at is not None:
        return _ended_by_a_call(row, state)
    if state.ended_at is not None:
        return _timed_out(row, state)
    return _active(row)


def _ended_by_a_call(row: SessionRow, state: rules.State) -> Explanation:
    ended_at = state.ended_at or 0
    says = f"a call ended it at {to_text(ended_at)}"
    if row.close_reason == rules.BY_OPERATION:
        says = f"its operation at {to_text(ended_at)} had keep_alive=false, which closes"
    if row.error is not None:
        says = f"it failed at {to_text(ended_at)}: {row.error}"
    until = "for good" if row.expires_at == rules.NEVER else f"until {to_text(row.expires_at)}"
    facts = {"ended_at": ended_at, "close_reason": row.close_reason, "error": row.error}
    cites = rules.closes_after_operation if row.close_reason == rules.BY_OPERATION else rules.state
    return Explanation(
        status=state.status,
        since_at=ended_at,
        rule=row.close_reason or "call",
        says=says,
        facts=facts,
        otherwise=f"left alone from its last access on, it would have stayed active {until}",
        rests_on=origin(cites),
    )


def _timed_out(row: SessionRow, state: rules.State) -> Explanation:
    (edge,) = rules.edges(row)
    otherwise = None
    if edge.rule == "idle_timeout":
        otherwise = f"an operation in it no later than {to_text(edge.deadline)}"
    return Explanation(
        status=state.status,
        since_at=edge.at,
        rule=edge.rule,
        says=f"{_WHY[edge.rule].format(row=row)}; its last active instant was "
        f"{to_text(edge.deadline)}",
        facts=_facts(row),
        otherwise=otherwise,
        rests_on=origin(rules.deadline),
    )


def _active(row: SessionRow) -> Explanation:
    rule, otherwise, says = "no_timeout", None, "nothing ends it but a call"
    for edge in rules.edges(row):
        rule, says = edge.rule, f"it is active up to and including {to_text(edge.deadline)}"
        if edge.rule == "idle_timeout":
            otherwise = f"each operation moves its end to {row.timeout_minutes} minutes later"
    return Explanation(
        status=rules.ACTIVE,
        since_at=row.created_at,
        rule=rule,
        says=says,
        facts=_facts(row),
        otherwise=otherwise,
        rests_on=origin(rules.deadline if rule != "no_timeout" else rules.outlives_timeout),
    )


def _facts(row: SessionRow) -> dict[str, int | bool | None]:
    never = row.expires_at == rules.NEVER
    return {
        "created_at": row.created_at,
        "last_accessed_at": row.last_accessed_at,
        "timeout_minutes": row.timeout_minutes,
        "max_duration_minutes": row.max_duration_minutes,
        "outlives_timeout": bool(row.outlives_timeout),
        "expires_at": None if never else row.expires_at,
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


def _find(id: str) -> SessionRow | None:
    return _by_id.one(id=id.lower())


def _changing_between(after: int, until: int, limit: int) -> list[SessionRow]:
    """An edge lies one microsecond behind its deadline."""
    return _changing.all(after=after, until=until, limit=limit)


sessions = Sessions(
    find=_find,
    page=lambda place, limit: _page.all(place=place, limit=limit),
    changing=_changing_between,
    id=lambda row: row.id,
    edges=rules.edges,
    explain=explain,
    is_open=lambda row, now: rules.status(row, now) == rules.ACTIVE,
    forces={rules.ERROR: fail},
    columns={Session: "id"},
)

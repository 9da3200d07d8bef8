"""Explanations of every status, and sessions that are forced to fail."""

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.explanations import explain
from sessionary.surfaces.notte.models import SessionRow
from sessionary.web.instants import to_text
from sessionary.web.surface import NotForced
from tests.conftest import App
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.notte.conftest import (
    CLOSED,
    FAILED,
    SESSIONS,
    TIMED_OUT,
    NotteClient,
    ok_json,
)
from tests.surfaces.notte.test_rules import IDLE_DEADLINE, MINUTE, START, session

surface = next(each for each in SURFACES if each.name == "notte")

OUT = IDLE_DEADLINE + 1
ENDED = START + MINUTE
IDLE = session()
LONG = session(last_accessed_at=START + 7 * MINUTE, max_duration_minutes=10)
ENDLESS = session(outlives_timeout=1)
BY_CALL = session(ended_at=ENDED, ended_as="closed", close_reason="manual")
BY_OPERATION = session(ended_at=ENDED, ended_as="closed", close_reason=rules.BY_OPERATION)
BROKEN = session(ended_at=ENDED, ended_as="error", close_reason="error", error="it broke")


@pytest.mark.parametrize(
    ("row", "now", "status", "since_at", "rule", "reason"),
    [
        (IDLE, START, "active", START, "idle_timeout", to_text(IDLE_DEADLINE)),
        (LONG, START, "active", START, "max_duration", to_text(START + 10 * MINUTE)),
        (ENDLESS, OUT, "active", START, "no_deadline", "outlives its timeout"),
        (IDLE, OUT, "timed_out", OUT, "idle_timeout", "idle for more than 5 minutes"),
        (
            LONG,
            START + 10 * MINUTE + 1,
            "timed_out",
            START + 10 * MINUTE + 1,
            "max_duration",
            "its maximum of 10 minutes",
        ),
        (BY_CALL, OUT, "closed", ENDED, "call", "a call closed it"),
        (BY_OPERATION, OUT, "closed", ENDED, "operation", "keep_alive=false"),
        (BROKEN, OUT, "error", ENDED, "failure", "it failed: it broke"),
    ],
)
def test_each_state_is_explained_by_its_rule(
    row: SessionRow, now: int, status: str, since_at: int, rule: str, reason: str
) -> None:
    explanation = explain(row, now)
    assert explanation[:3] == (status, since_at, rule)
    assert reason in explanation.reason


@pytest.mark.parametrize(
    ("row", "until"),
    [(IDLE, IDLE_DEADLINE + 5 * MINUTE), (session(max_duration_minutes=6), START + 6 * MINUTE)],
)
@pytest.mark.parametrize("now", [START, START + 60 * MINUTE])
def test_unless_names_the_call_that_keeps_a_session_its_last_instant_and_its_effect(
    row: SessionRow, until: int, now: int
) -> None:
    otherwise = explain(row, now).unless or ""
    assert "POST /session/start" in otherwise
    assert f"no later than {to_text(IDLE_DEADLINE)} " in otherwise
    assert f"up to {to_text(until)} " in otherwise
    kept = row._replace(last_accessed_at=IDLE_DEADLINE)
    kept = kept._replace(expires_at=rules.deadline(kept, IDLE_DEADLINE))
    assert [rules.status(kept, at) for at in (until, until + 1)] == ["active", "timed_out"]


@pytest.mark.parametrize("row", [LONG, session(max_duration_minutes=5)])
def test_unless_names_no_call_at_the_maximum_duration(row: SessionRow) -> None:
    assert (explain(row, START).unless or "").startswith("no call: its maximum of ")


def test_a_closed_session_shows_how_long_it_would_have_stayed_active() -> None:
    assert f"active up to {to_text(IDLE_DEADLINE)}" in (explain(BY_CALL, OUT).unless or "")
    endless = BY_CALL._replace(expires_at=rules.NEVER)
    assert "active for good" in (explain(endless, OUT).unless or "")


@pytest.mark.parametrize("row", [BY_CALL, BY_OPERATION, BROKEN, ENDLESS])
def test_a_session_without_transitions_has_one_explanation(row: SessionRow) -> None:
    assert explain(row, START) == explain(row, OUT) == explain(row, START + 900 * MINUTE)


def test_the_inputs_are_those_of_the_row_without_a_deadline_that_never_comes() -> None:
    facts = explain(ENDLESS, START).inputs
    assert (facts["outlives_timeout"], facts["expires_at"]) == (True, None)
    assert explain(IDLE, START).inputs["expires_at"] == IDLE_DEADLINE


def test_every_answer_shows_a_forced_error(app: App, notte: NotteClient) -> None:
    id, other = notte.start_v4()["session_id"], notte.start_v4()["session_id"]
    app.advance(minutes=2)
    force(app, surface, id, "error")
    app.advance(minutes=30)
    shown = notte.status(id)
    assert (shown["status"], shown["error"], shown["close_reason"]) == (
        "error",
        "it broke",
        "error",
    )
    assert (shown["closed_at"], shown["duration"]) == ("2026-03-01T12:02:00.000000Z", "PT2M")
    app.advance(minutes=-29)
    assert notte.list_ids() == [other]
    assert notte.list_ids(only_active="false") == [other, id]
    assert ok_json(notte.get("/health"))["active_sessions"] == 1
    assert explain_now(app, surface, id).rule == "failure"


def test_a_session_can_be_forced_to_fail_at_its_last_instant(notte: NotteClient) -> None:
    id = notte.start()["session_id"]
    notte.app.advance(minutes=5)
    force(notte.app, surface, id, "error")
    assert notte.status(id)["status"] == "error"


def test_a_forced_error_is_not_before_the_last_access(app: App, notte: NotteClient) -> None:
    id = notte.start()["session_id"]
    app.advance(minutes=-10)
    force(app, surface, id, "error")
    assert notte.status(id)["closed_at"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("id", "status"), [(CLOSED, "closed"), (FAILED, "error"), (TIMED_OUT, "timed_out")]
)
def test_an_ended_session_cannot_be_forced_to_fail(app: App, id: str, status: str) -> None:
    app.seed('[[organizations]]\nid = "acme"\nname = "Acme"\n' + SESSIONS)
    before = app.rows("notte_sessions")
    with pytest.raises(NotForced, match=f"Session {id} is {status}: only an active session"):
        force(app, surface, id, "error")
    assert app.rows("notte_sessions") == before

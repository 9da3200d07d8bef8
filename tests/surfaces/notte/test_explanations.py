"""What keeps a session active, and sessions that are forced to fail."""

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.explanations import explain
from sessionary.surfaces.notte.models import SessionRow
from sessionary.web.instants import to_text
from tests.conftest import App
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.notte.conftest import NotteClient, ok_json
from tests.surfaces.notte.test_rules import IDLE_DEADLINE, MINUTE, START, session

surface = next(each for each in SURFACES if each.name == "notte")


@pytest.mark.parametrize(
    ("row", "until"),
    [
        (session(), IDLE_DEADLINE + 5 * MINUTE),
        (session(max_duration_minutes=6), START + 6 * MINUTE),
    ],
)
def test_the_latest_call_in_the_explanation_keeps_a_session_as_long_as_it_says(
    row: SessionRow, until: int
) -> None:
    assert f"up to {to_text(until)} at most" in (explain(row, START).unless or "")
    kept = row._replace(last_accessed_at=IDLE_DEADLINE)
    kept = kept._replace(expires_at=rules.deadline(kept, IDLE_DEADLINE))
    assert [rules.status(kept, at) for at in (until, until + 1)] == ["active", "timed_out"]


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

"""Explanations of every status, and sessions that are forced to fail."""

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.explanations import explain
from sessionary.surfaces.galtea.models import SessionRow
from sessionary.web.instants import to_text
from sessionary.web.surface import NotForced
from tests.conftest import EPOCH, MICROSECOND, NOON
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.galtea.conftest import Api, assert_error
from tests.surfaces.galtea.test_rules import DEADLINE, MINUTE, START, session

surface = next(each for each in SURFACES if each.name == "galtea")

LATER = START + 7 * MINUTE
CLOSING = session()
LEFT = session(auto_close_minutes=None, written_at=LATER)
DONE = session(status="COMPLETED", written_at=LATER)
BROKEN = session(status="FAILED", written_at=LATER, error="it broke")
DELETED = session(deleted_at=LATER)


@pytest.mark.parametrize(
    ("row", "now", "status", "since_at", "rule", "reason"),
    [
        (CLOSING, START, "PENDING", START, "auto_close", "30 minutes without a write"),
        (LEFT, DEADLINE, "PENDING", LATER, "no_deadline", "no auto-close was set"),
        (CLOSING, DEADLINE, "COMPLETED", DEADLINE, "auto_close", "left alone for 30 minutes"),
        (DONE, DEADLINE, "COMPLETED", LATER, "call", f"{to_text(LATER)}, left it COMPLETED"),
        (BROKEN, DEADLINE, "FAILED", LATER, "call", "FAILED, with the error 'it broke'"),
        (DELETED, DEADLINE, "deleted", LATER, "call", f"deleted it at {to_text(LATER)}"),
    ],
)
def test_each_state_is_explained_by_its_rule(
    row: SessionRow, now: int, status: str, since_at: int, rule: str, reason: str
) -> None:
    explanation = explain(row, now)
    assert explanation[:3] == (status, since_at, rule)
    assert reason in explanation.reason


@pytest.mark.parametrize("row", [LEFT, DONE, BROKEN, DELETED])
def test_a_session_without_transitions_has_one_explanation(row: SessionRow) -> None:
    assert explain(row, START) == explain(row, DEADLINE) == explain(row, 2 * DEADLINE)


@pytest.mark.parametrize("late", [0, 1])
def test_unless_names_the_patch_that_keeps_a_session_pending_and_its_end(late: int) -> None:
    otherwise = explain(CLOSING, DEADLINE - 1 + late).unless or ""
    assert f"a PATCH /sessions/{CLOSING.id} " in otherwise
    assert f"before {to_text(DEADLINE)} " in otherwise


def test_the_named_patch_keeps_the_session_pending(closing: Api) -> None:
    kept, left = closing.create()["id"], closing.create()["id"]
    closing.app.advance(minutes=30)
    closing.app.advance(-MICROSECOND)
    assert closing.patch(kept, metadata={}).status_code == 200
    closing.app.advance(minutes=30)
    closing.app.advance(-MICROSECOND)
    assert [closing.get(id).json["status"] for id in (kept, left)] == ["PENDING", "COMPLETED"]
    explanations = [explain_now(closing.app, surface, id) for id in (kept, left)]
    assert [each.status for each in explanations] == ["PENDING", "COMPLETED"]
    closed_at = (NOON - EPOCH) // MICROSECOND + 30 * MINUTE
    assert [each.since_at for each in explanations] == [closed_at - 1, closed_at]


def test_the_inactivity_period_counts_from_the_last_write() -> None:
    row = CLOSING._replace(
        written_at=LATER, expires_at=rules.deadline("PENDING", LATER, 30), auto_close_minutes=30
    )
    assert f"written last at {to_text(LATER)}" in explain(row, LATER).reason
    assert f"from {to_text(LATER)} on" in explain(row, LATER + 30 * MINUTE).reason


def test_a_session_is_open_while_it_is_pending() -> None:
    is_open = surface.sessions.is_open
    rows = (CLOSING, LEFT, DONE, BROKEN, DELETED)
    assert [is_open(row, DEADLINE - 1) for row in rows] == [True, True, False, False, False]
    assert not is_open(CLOSING, DEADLINE)


def test_every_answer_shows_a_forced_failure(closing: Api) -> None:
    id, other = closing.create()["id"], closing.create()["id"]
    closing.app.advance(minutes=2)
    force(closing.app, surface, id, "FAILED")
    closing.app.advance(minutes=40)
    shown = closing.get(id).json
    assert (shown["status"], shown["error"]) == ("FAILED", "it broke")
    assert shown["stoppingReason"] is None
    assert closing.list_ids("statuses=FAILED") == [id]
    assert closing.list_ids("statuses=COMPLETED") == [other]
    explanation = explain_now(closing.app, surface, id)
    assert explanation.since_at == (NOON - EPOCH) // MICROSECOND + 2 * MINUTE


def test_a_forced_failure_changes_only_status_and_error(api: Api) -> None:
    before = api.create(customId="c", context="words", metadata={"a": 1}, isProduction=False)
    force(api.app, surface, before["id"], "FAILED")
    after = api.get(before["id"]).json
    assert after == {**before, "status": "FAILED", "error": "it broke"}


def test_a_finished_session_can_be_forced_to_fail_and_a_failed_one_reopened(api: Api) -> None:
    id = api.create()["id"]
    api.finish(id, stoppingReason="GOAL_ACHIEVED")
    force(api.app, surface, id, "FAILED")
    assert api.get(id).json["status"] == "FAILED"
    assert api.get(id).json["stoppingReason"] == "GOAL_ACHIEVED"
    assert api.patch(id, status="PENDING").json["status"] == "PENDING"


def test_a_failed_or_deleted_session_cannot_be_forced_to_fail(api: Api) -> None:
    failed, deleted = api.create(status="FAILED")["id"], api.create()["id"]
    api.delete(deleted)
    before = api.rows()
    for id, status in ((failed, "FAILED"), (deleted, "deleted")):
        with pytest.raises(NotForced, match=f"Session {id} is {status} already"):
            force(api.app, surface, id, "FAILED")
    assert api.rows() == before
    assert_error(api.get(deleted), 404, "not found")

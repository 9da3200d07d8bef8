"""Explanations of live and archived sessions."""

from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.scale.explanations import explain
from sessionary.surfaces.scale.models import SessionRow
from tests.surfaces.force_helpers import explain_now
from tests.surfaces.scale.conftest import Caller
from tests.surfaces.scale.test_rules import AT, session

surface = next(each for each in SURFACES if each.name == "scale")

NOON = 1_772_366_400_000_000
MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("row", "status", "rule", "reason"),
    [
        (session(updated_at=AT + 5), "live", "no_deadline", "no call has archived it"),
        (session(updated_at=AT + 5, end_date=AT), "live", "no_deadline", "the end of its window"),
        (session(updated_at=AT + 5, archived_at=AT + 5), "archived", "call", "a call archived it"),
    ],
)
@pytest.mark.parametrize("now", [AT - 1, AT, AT + 1, AT + 9])
def test_each_status_has_the_same_explanation_at_every_instant(
    row: SessionRow, status: str, rule: str, reason: str, now: int
) -> None:
    explanation = explain(row, now)
    assert explanation[:3] == (status, AT + 5, rule)
    assert reason in explanation.reason


def test_the_inputs_are_the_instants_of_the_row() -> None:
    explanation = explain(session(end_date=AT, archived_at=AT + 1), AT)
    assert explanation.inputs == {
        "created_at": AT,
        "updated_at": AT,
        "start_date": None,
        "end_date": AT,
        "archived_at": AT + 1,
    }


@pytest.mark.parametrize("body", [None, {"archived_at": "2031-01-01T00:00:00Z"}])
def test_a_session_is_archived_since_the_call_not_the_date_given(anyone: Caller, body: Any) -> None:
    id = anyone.create()["id"]
    anyone.app.advance(minutes=3)
    answer = anyone.delete(id) if body is None else anyone.patch(id, body)
    assert answer.status_code == 200
    anyone.app.advance(minutes=3)
    explanation = explain_now(anyone.app, surface, id)
    assert explanation[:2] == ("archived", NOON + 3 * MINUTE)


def test_the_call_in_the_explanation_restores_an_archived_session(anyone: Caller) -> None:
    id = anyone.create()["id"]
    anyone.delete(id)
    assert f'PATCH /v4/sessions/{id} with {{"restore": true}}' in (
        explain_now(anyone.app, surface, id).unless or ""
    )
    anyone.app.advance(minutes=1)
    assert anyone.patch(id, {"restore": True}).status_code == 200
    explanation = explain_now(anyone.app, surface, id)
    assert explanation[:2] == ("live", NOON + MINUTE)
    assert f"DELETE /v4/sessions/{id}" in (explanation.unless or "")


def test_only_a_live_session_is_open() -> None:
    is_open = surface.sessions.is_open
    assert [is_open(session(archived_at=each), AT) for each in (None, AT)] == [True, False]


def test_no_state_can_be_forced() -> None:
    assert not surface.sessions.forced_states

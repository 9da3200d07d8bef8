"""Explanations of live and archived sessions."""

from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from tests.surfaces.force_helpers import explain_now
from tests.surfaces.scale.conftest import Caller

surface = next(each for each in SURFACES if each.name == "scale")

NOON = 1_772_366_400_000_000
MINUTE = 60_000_000


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


def test_no_state_can_be_forced() -> None:
    assert not surface.sessions.forced_states

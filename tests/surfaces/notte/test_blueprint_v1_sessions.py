"""v1: starting, joining and closing sessions."""

import re
from uuid import UUID

import pytest

from tests.conftest import App, MakeApp
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

NOON = "2026-03-01T12:00:00.000000Z"


def test_a_start_without_a_body_makes_a_session_of_five_minutes(notte: NotteClient) -> None:
    started = ok_json(notte.client.post("/notte/session/start", headers=notte.headers))
    assert UUID(started["session_id"]).version == 4
    assert started["status"] == "active"
    assert started["timeout_minutes"] == 5
    assert started["created_at"] == started["last_accessed_at"] == NOON
    assert started["duration"] == "PT0S"
    assert started["error"] is None


def test_a_start_ignores_unknown_fields(notte: NotteClient) -> None:
    assert notte.start(colour="blue", timeout_minutes="x")["timeout_minutes"] == 5


@pytest.mark.parametrize("minutes", [1, 29, 5.0])
def test_a_timeout_below_the_global_timeout_is_accepted(notte: NotteClient, minutes: float) -> None:
    assert notte.start(session_timeout_minutes=minutes)["timeout_minutes"] == minutes


@pytest.mark.parametrize("minutes", [-1, 0, 30, 31, 10**30])
@pytest.mark.parametrize("name", ["session_timeout_minutes", "session_timeout"])
def test_a_timeout_at_or_over_the_global_timeout_is_refused_by_name(
    app: App, notte: NotteClient, name: str, minutes: int
) -> None:
    detail = error_detail(notte.post("/session/start", {name: minutes}), 400)
    assert detail.startswith(f"{name}: must be ")
    if minutes < 10**30:
        assert detail == f"{name}: must be greater than 0 and less than 30"
    assert app.rows("notte_sessions") == []


NOT_INTEGERS = (None, "5", True, 5.5, [5], {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("session_timeout_minutes", each) for each in NOT_INTEGERS),
        *(("session_timeout", each) for each in NOT_INTEGERS),
        *(("keep_alive", each) for each in (None, "true", 1, [])),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(
    notte: NotteClient, name: str, value: object
) -> None:
    detail = error_detail(notte.post("/session/start", {name: value}), 400)
    assert detail.startswith(f"{name}: must ")


def test_timeouts_stay_below_the_global_timeout(make_app: MakeApp) -> None:
    notte = NotteClient(make_app(notte_global_timeout_minutes=3))
    assert notte.start()["timeout_minutes"] == 2
    notte = NotteClient(make_app(notte_global_timeout_minutes=31))
    assert notte.start(session_timeout_minutes=30)["timeout_minutes"] == 30
    detail = error_detail(notte.post("/session/start", {"session_timeout_minutes": 31}), 400)
    assert detail == "session_timeout_minutes: must be greater than 0 and less than 31"


@pytest.mark.parametrize("older", [7, 99, "x", None])
def test_the_newer_name_of_the_timeout_wins(notte: NotteClient, older: object) -> None:
    both = {"session_timeout": older, "session_timeout_minutes": 3}
    assert notte.start(**both)["timeout_minutes"] == 3
    assert notte.start(session_timeout=7)["timeout_minutes"] == 7


@pytest.mark.parametrize("value", [None, True, False])
def test_a_start_always_leaves_its_session_active(notte: NotteClient, value: bool | None) -> None:
    """A screenshot may be null."""
    started = notte.start(screenshot=value, keep_alive=bool(value))
    assert notte.status(started["session_id"])["status"] == "active"


def test_the_detail_has_every_problem_of_a_request(notte: NotteClient) -> None:
    body = {"keep_alive": 1, "session_timeout_minutes": 30}
    detail = error_detail(notte.post("/session/start", body), 400)
    assert set(detail.split("; ")) == {
        "keep_alive: must be true or false",
        "session_timeout_minutes: must be greater than 0 and less than 30",
    }


def test_a_start_with_an_active_session_joins_and_is_activity(notte: NotteClient) -> None:
    started = notte.start(session_timeout_minutes=7)
    notte.app.advance(minutes=7)
    joined = notte.start(session_id=started["session_id"].upper(), session_timeout_minutes=9)
    assert joined["session_id"] == started["session_id"]
    assert joined["timeout_minutes"] == 7
    assert joined["created_at"] == NOON
    assert joined["last_accessed_at"] == "2026-03-01T12:07:00.000000Z"
    assert joined["duration"] == "PT7M"
    assert len(notte.app.rows("notte_sessions")) == 1


def test_a_start_never_creates_under_the_callers_id(app: App, notte: NotteClient) -> None:
    session_id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
    response = notte.post("/session/start", {"session_id": session_id})
    assert error_detail(response, 404) == f"Session {session_id} not found"
    assert response.json["session_id"] == session_id
    assert app.rows("notte_sessions") == []


def test_a_start_revives_no_closed_or_timed_out_session(notte: NotteClient) -> None:
    closed, left = notte.start()["session_id"], notte.start()["session_id"]
    ok_json(notte.post("/session/close", {"session_id": closed}))
    notte.app.advance(minutes=5, microseconds=1)
    before = notte.app.rows("notte_sessions")
    for session_id, why in ((closed, "is closed"), (left, "idle for more than 5 minutes")):
        response = notte.post("/session/start", {"session_id": session_id})
        assert re.search(why, error_detail(response, 404))
        assert response.json["session_id"] == session_id
    assert notte.app.rows("notte_sessions") == before


def test_a_close_shows_when_the_session_ended(app: App, notte: NotteClient) -> None:
    session_id = notte.start()["session_id"]
    app.advance(seconds=41.286072)
    closed = ok_json(notte.post("/session/close", {"session_id": session_id.upper()}))
    assert closed["session_id"] == session_id
    assert closed["status"] == "closed"
    assert closed["close_reason"] == "manual"
    assert closed["duration"] == "PT41.286072S"
    assert closed["closed_at"] == "2026-03-01T12:00:41.286072Z"
    assert closed["last_accessed_at"] == NOON


def test_a_close_of_a_closed_session_shows_the_same_session(app: App, notte: NotteClient) -> None:
    body = {"session_id": notte.start()["session_id"]}
    first = ok_json(notte.post("/session/close", body))
    app.advance(minutes=90)
    before = app.rows("notte_sessions")
    assert ok_json(notte.post("/session/close", body)) == first
    assert app.rows("notte_sessions") == before


def test_a_close_of_a_timed_out_session_shows_its_timeout(notte: NotteClient) -> None:
    session_id = notte.start()["session_id"]
    notte.app.advance(minutes=90)
    before = notte.app.rows("notte_sessions")
    closed = ok_json(notte.post("/session/close", {"session_id": session_id}))
    assert closed["status"] == "timed_out"
    assert closed["close_reason"] == "idle_timeout"
    assert closed["closed_at"] == "2026-03-01T12:05:00.000000Z"
    assert closed["duration"] == "PT5M"
    assert notte.app.rows("notte_sessions") == before


@pytest.mark.parametrize("body", [{}, {"session_id": None}, {"session_id": 5}])
def test_a_close_needs_a_session(notte: NotteClient, body: dict[str, object]) -> None:
    assert error_detail(notte.post("/session/close", body), 400).startswith("session_id: ")


def test_moving_the_clock_back_neither_reopens_a_session_nor_makes_durations_negative(
    app: App, notte: NotteClient
) -> None:
    closed, running = notte.start()["session_id"], notte.start()["session_id"]
    app.advance(minutes=1)
    notte.start(session_id=closed)
    app.advance(hours=-1)
    ok_json(notte.post("/session/close", {"session_id": closed}))
    shown = notte.status(closed)
    assert shown["status"] == "closed"
    assert shown["closed_at"] == shown["last_accessed_at"] == "2026-03-01T12:01:00.000000Z"
    assert shown["duration"] == "PT1M"
    assert notte.status(running)["duration"] == "PT0S"
    assert notte.start(session_id=running)["last_accessed_at"] == NOON

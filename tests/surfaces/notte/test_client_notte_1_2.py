"""The vendor's first SDK, unmodified, in its own environment."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.sdk_environments import sdk_script
from tests.surfaces.notte.conftest import ACTIVE, TIMED_OUT

SCRIPT = Path(__file__).with_name("sdk_script_notte_1_2.py")


@pytest.fixture(scope="module")
def all_results(urls: list[str]) -> list[dict[str, Any]]:
    return list(sdk_script.run("notte-1.2.1", SCRIPT, ACTIVE, TIMED_OUT, *urls))


@pytest.fixture(params=[0, 1], ids=["prefix", "root"])
def results(request: pytest.FixtureRequest, all_results: list[dict[str, Any]]) -> dict[str, Any]:
    return all_results[request.param]


def test_a_session_is_started_used_and_closed(results: dict[str, Any]) -> None:
    started, closed = results["started"], results["closed"]
    assert started["status"] == "active"
    assert started["timeout_minutes"] == 7
    assert started["created_at"] == started["last_accessed_at"] == "2026-03-01T12:00:00Z"
    assert results["remembered"] == started["session_id"] == closed["session_id"]
    assert closed["status"] == "closed"
    assert results["forgotten"] is None


def test_the_client_parses_an_observation(results: dict[str, Any]) -> None:
    picture = results["observed"]["screenshot"]
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    nothing = {"title": "", "space": False, "data": False}
    noon = {"timestamp": "2026-03-01T12:00:00+00:00", **nothing}
    there = {"url": "https://example.com/a", **noon}
    assert results["observed"] == {**there, "screenshot": picture}
    assert results["stepped"] == results["scraped"] == {**there, "screenshot": None}


def test_a_second_start_closes_the_first_session(results: dict[str, Any]) -> None:
    assert results["a second start closes the first"] == [True, "closed"]
    assert results["after with"] == "closed"


def test_an_observe_with_a_url_needs_no_session(results: dict[str, Any]) -> None:
    assert results["observed without a session"]["url"] == "https://example.com/b"
    assert results["kept"] is None


def test_an_operation_without_keep_alive_closes_the_session(results: dict[str, Any]) -> None:
    session_id, (kind, body) = results["closed by its operation"]
    assert kind == "ValueError"
    assert body == {
        "detail": f"Session {session_id} is closed: its last operation had keep_alive=false",
        "session_id": session_id,
    }


def test_the_client_parses_a_duration_to_the_microsecond(results: dict[str, Any]) -> None:
    assert results["joined"]["duration"] == 60
    assert results["timed out"]["duration"] == 900
    assert results["timed out"]["status"] == "timed_out"


def test_an_error_is_a_value_error_with_its_body(results: dict[str, Any]) -> None:
    refused = results["refused"]
    nothing, foreign = (
        {"detail": f"Session {each} not found", "session_id": each} for each in ("nothing", ACTIVE)
    )
    idle = f"Session {TIMED_OUT} timed out: it was idle for more than 5 minutes"
    bound = "session_timeout_minutes: must be greater than 0 and less than 30"
    assert {name: body for name, (_, body) in refused.items() if body} == {
        "unknown": nothing,
        "timed out": {"detail": idle, "session_id": TIMED_OUT},
        "thirty": {"detail": bound},
        "no session to close": {"detail": "session_id: must not be null"},
        "nowhere to look": {"detail": "session_id: is required where no url is given"},
        "foreign": foreign,
        "unknown key": {"detail": "Not authenticated"},
    }
    assert {kind for kind, body in refused.values() if body} == {"ValueError"}


def test_input_that_the_client_rejects_is_not_sent(results: dict[str, Any]) -> None:
    refused = results["refused"]
    assert refused["thirty-one"] == refused["zero"] == ["ValidationError", None]
    assert refused["nothing to scrape"] == ["ValueError", None]

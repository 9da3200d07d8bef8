"""The vendor's newest SDK, unmodified.

It runs in a process of its own, because it asks the package index for its newest version when it is
made, and changes asyncio for the whole process that imports it.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk_environments import sdk_script
from tests.surfaces.notte.conftest import ACTIVE, CLOSED, FAILED, KEY, TIMED_OUT

SCRIPT = Path(__file__).with_name("sdk_script_notte_sdk.py")


@pytest.fixture(scope="module")
def all_results(urls: list[str]) -> list[dict[str, Any]]:
    env = {"NOTTE_API_URL": urls[0], "NOTTE_API_KEY": KEY, "DISABLE_TELEMETRY": "true"}
    return list(sdk_script.run_here(SCRIPT, ACTIVE, CLOSED, TIMED_OUT, *urls, env=env))


@pytest.fixture(params=[0, 1], ids=["prefix", "root"])
def results(request: pytest.FixtureRequest, all_results: list[dict[str, Any]]) -> dict[str, Any]:
    return all_results[request.param]


def test_a_session_is_started_used_and_stopped(results: dict[str, Any]) -> None:
    started, stopped = results["started"], results["stopped"]
    assert started["status"] == "active"
    assert (started["idle_timeout_minutes"], started["max_duration_minutes"]) == (5, 15)
    assert (started["user_agent"], started["proxies"]) == ("agent", False)
    assert results["status"] == started
    assert stopped == {
        **started,
        "status": "closed",
        "close_reason": "manual",
        "closed_at": "2026-03-01T12:00:00Z",
    }


def test_the_client_parses_the_answers_of_page_operations(results: dict[str, Any]) -> None:
    assert results["executed"] == [True, "https://example.com/a"]
    jpeg = "ffd8"  # what the client makes of every picture
    assert results["observed"] == {"url": "https://example.com/a", "actions": 0, "picture": jpeg}
    assert results["scraped"] == results["scraped alone"] == ""


def test_a_with_block_that_raises_stops_its_session_as_an_error(results: dict[str, Any]) -> None:
    assert results["failed"]["status"] == "closed"
    assert results["failed"]["close_reason"] == "error"


def test_a_session_of_v1_is_read_used_and_stopped(results: dict[str, Any]) -> None:
    read, stopped = results["v1"], results["v1 stopped"]
    assert (read["status"], read["duration"], read["max_duration_minutes"]) == ("active", 60, 15)
    assert (stopped["status"], stopped["last_accessed_at"]) == ("closed", "2026-03-01T12:00:00Z")


def test_a_timed_out_session_shows_when_and_why(results: dict[str, Any]) -> None:
    over = results["timed out"]
    assert (over["status"], over["close_reason"]) == ("timed_out", "idle_timeout")
    assert (over["closed_at"], over["duration"]) == ("2026-03-01T11:55:00Z", 900)


def test_the_pages_of_a_list_have_the_organization_s_sessions(results: dict[str, Any]) -> None:
    newest_first = results["made"][::-1]
    assert results["active"] == newest_first
    assert results["walked"][:5] == newest_first
    assert results["walked"][-4:] == [ACTIVE, FAILED, CLOSED, TIMED_OUT]
    assert len(results["walked"]) == len(set(results["walked"])) == 12
    assert results["walked by a stranger"] == []


def test_the_asynchronous_client_works_too(results: dict[str, Any]) -> None:
    observed, status = results["asynchronously"]
    assert observed["url"] == "https://example.com/b"
    assert status == "closed"


@pytest.mark.parametrize(
    ("name", "status", "session_id", "detail"),
    [
        ("unknown", 404, "nothing", "Session nothing not found"),
        ("foreign", 404, ACTIVE, f"Session {ACTIVE} not found"),
        ("stop twice", 400, CLOSED, f"Session {CLOSED} is already closed"),
        ("stop what timed out", 400, TIMED_OUT, f"Session {TIMED_OUT} is already closed"),
        (
            "observe what timed out",
            404,
            TIMED_OUT,
            f"Session {TIMED_OUT} timed out: it was idle for more than 5 minutes",
        ),
    ],
)
def test_an_error_is_an_api_error_with_its_status_and_body(
    results: dict[str, Any], name: str, status: int, session_id: str, detail: str
) -> None:
    body = {"detail": detail, "session_id": session_id}
    assert results["refused"][name] == ["NotteAPIError", status, body]


def test_an_unknown_key_is_an_api_error_with_401(results: dict[str, Any]) -> None:
    assert results["refused"]["unknown key"] == [
        "NotteAPIError",
        401,
        {"detail": "Not authenticated"},
    ]


@pytest.mark.parametrize(
    ("name", "place", "limit"),
    [
        ("idle over the maximum", ["body", "idle_timeout_minutes"], 15),
        ("page size", ["query", "page_size"], 100),
    ],
)
def test_invalid_input_is_an_api_error_with_422_that_lists_the_fields(
    results: dict[str, Any], name: str, place: list[str], limit: int
) -> None:
    message = f"Input should be less than or equal to {limit}"
    violation = {"loc": place, "msg": message, "type": "less_than_equal"}
    assert results["refused"][name] == ["NotteAPIError", 422, {"detail": [violation]}]

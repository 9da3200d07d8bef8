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
def talk(urls: list[str]) -> list[dict[str, Any]]:
    env = {"NOTTE_API_URL": urls[0], "NOTTE_API_KEY": KEY, "DISABLE_TELEMETRY": "true"}
    return list(sdk_script.run_here(SCRIPT, ACTIVE, CLOSED, TIMED_OUT, *urls, env=env))


@pytest.fixture(params=[0, 1], ids=["prefix", "root"])
def heard(request: pytest.FixtureRequest, talk: list[dict[str, Any]]) -> dict[str, Any]:
    return talk[request.param]


def test_a_session_is_started_used_and_stopped(heard: dict[str, Any]) -> None:
    started, stopped = heard["started"], heard["stopped"]
    assert started["status"] == "active"
    assert (started["idle_timeout_minutes"], started["max_duration_minutes"]) == (5, 15)
    assert (started["user_agent"], started["proxies"]) == ("agent", False)
    assert heard["status"] == started
    assert stopped == {
        **started,
        "status": "closed",
        "close_reason": "manual",
        "closed_at": "2026-03-01T12:00:00Z",
    }


def test_the_client_parses_the_answers_of_page_operations(heard: dict[str, Any]) -> None:
    assert heard["executed"] == [True, "https://example.com/a"]
    jpeg = "ffd8"  # what the client makes of every picture
    assert heard["observed"] == {"url": "https://example.com/a", "actions": 0, "picture": jpeg}
    assert heard["scraped"] == heard["scraped alone"] == ""


def test_a_with_block_that_raises_stops_its_session_as_an_error(heard: dict[str, Any]) -> None:
    assert heard["failed"]["status"] == "closed"
    assert heard["failed"]["close_reason"] == "error"


def test_a_session_of_v1_is_read_used_and_stopped(heard: dict[str, Any]) -> None:
    read, stopped = heard["v1"], heard["v1 stopped"]
    assert (read["status"], read["duration"], read["max_duration_minutes"]) == ("active", 60, 15)
    assert (stopped["status"], stopped["last_accessed_at"]) == ("closed", "2026-03-01T12:00:00Z")


def test_a_timed_out_session_shows_when_and_why(heard: dict[str, Any]) -> None:
    over = heard["timed out"]
    assert (over["status"], over["close_reason"]) == ("timed_out", "idle_timeout")
    assert (over["closed_at"], over["duration"]) == ("2026-03-01T11:55:00Z", 900)


def test_the_pages_of_a_list_have_every_session_of_the_organization(
    heard: dict[str, Any],
) -> None:
    newest_first = heard["made"][::-1]
    assert heard["active"] == newest_first
    assert heard["walked"][:5] == newest_first
    assert heard["walked"][-4:] == [ACTIVE, FAILED, CLOSED, TIMED_OUT]
    assert len(heard["walked"]) == len(set(heard["walked"])) == 12
    assert heard["walked by a stranger"] == []


def test_the_asynchronous_client_works_too(heard: dict[str, Any]) -> None:
    observed, status = heard["asynchronously"]
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
    heard: dict[str, Any], name: str, status: int, session_id: str, detail: str
) -> None:
    body = {"detail": detail, "session_id": session_id}
    assert heard["refused"][name] == ["NotteAPIError", status, body]


def test_an_unknown_key_is_an_api_error_with_401(heard: dict[str, Any]) -> None:
    assert heard["refused"]["nobody"] == ["NotteAPIError", 401, {"detail": "Not authenticated"}]


@pytest.mark.parametrize(
    ("name", "place", "limit"),
    [
        ("idle over the maximum", ["body", "idle_timeout_minutes"], 15),
        ("page size", ["query", "page_size"], 100),
    ],
)
def test_invalid_input_is_an_api_error_with_422_that_lists_the_fields(
    heard: dict[str, Any], name: str, place: list[str], limit: int
) -> None:
    message = f"Input should be less than or equal to {limit}"
    violation = {"loc": place, "msg": message, "type": "less_than_equal"}
    assert heard["refused"][name] == ["NotteAPIError", 422, {"detail": [violation]}]

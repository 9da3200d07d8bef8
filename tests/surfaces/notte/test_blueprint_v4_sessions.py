"""v4: starting, reading and stopping sessions."""

from typing import Any

import pytest

from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

NOON = "2026-03-01T12:00:00.000000Z"


def violation(notte: NotteClient, body: dict[str, Any]) -> dict[str, Any]:
    (found,) = error_detail(notte.post("/sessions/start", body), 422)
    return dict(found)


def test_a_start_without_options_has_the_defaults(notte: NotteClient) -> None:
    started = notte.start_v4()
    assert started == {
        "session_id": started["session_id"],
        "status": "active",
        "created_at": NOON,
        "last_accessed_at": NOON,
        "closed_at": None,
        "duration": "PT0S",
        "timeout_minutes": 3,
        "idle_timeout_minutes": 3,
        "max_duration_minutes": 15,
        "error": None,
        "close_reason": None,
        "steps": [],
        "proxies": False,
        "browser_type": "chromium",
        "user_agent": None,
        "viewport_width": None,
        "viewport_height": None,
        "headless": True,
        "solve_captchas": True,
        "web_bot_auth": False,
        "use_file_storage": False,
        "auth_ids": [],
        "credit_usage": None,
        "network_request_bytes": 0,
        "network_response_bytes": 0,
        "cdp_url": None,
        "viewer_url": None,
    }


def test_a_session_of_v1_shows_no_maximum(notte: NotteClient) -> None:
    shown = notte.status(notte.start()["session_id"])
    assert "max_duration_minutes" not in shown
    assert shown["timeout_minutes"] == shown["idle_timeout_minutes"] == 5


@pytest.mark.parametrize(
    ("body", "idle", "maximum"),
    [
        *(({name: 1}, 1, 15) for name in ("idle_timeout_minutes", "timeout_minutes")),
        *(({name: 15}, 15, 15) for name in ("idle_timeout_minutes", "timeout_minutes")),
        *(
            ({"idle_timeout_minutes": 4, "timeout_minutes": older}, 4, 15)
            for older in (7, 99, "x", None)
        ),
        *(
            ({"idle_timeout_minutes": idle, "max_duration_minutes": most}, idle, most)
            for idle, most in ((30, 30), (30, 1440), (1, 1), (3, 3))
        ),
    ],
)
def test_the_idle_timeout_has_two_names_the_newer_wins_and_it_may_equal_the_maximum(
    notte: NotteClient, body: dict[str, Any], idle: int, maximum: int
) -> None:
    started = notte.start_v4(**body)
    assert started["timeout_minutes"] == started["idle_timeout_minutes"] == idle
    assert started["max_duration_minutes"] == maximum


INTEGERS = ("idle_timeout_minutes", "timeout_minutes", "max_duration_minutes")
NOT_INTEGERS = [(None, "int_type"), ("3", "int_type"), (3.5, "int_from_float"), (True, "int_type")]


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        *((name, 0, "greater_than") for name in INTEGERS),
        *((name, *wrong) for name in INTEGERS for wrong in NOT_INTEGERS),
        ("idle_timeout_minutes", 31, "less_than_equal"),
        ("timeout_minutes", 31, "less_than_equal"),
        ("max_duration_minutes", 1441, "less_than_equal"),
        ("browser_type", "netscape", "literal_error"),
        ("aspect_ratio", "4:3", "literal_error"),
        ("auth_retry", 3, "less_than_equal"),
        ("auth_retry", -1, "greater_than_equal"),
        ("headless", None, "bool_type"),
        ("profile", "id", "dict_type"),
        ("user_agent", 5, "string_type"),
        ("auth_ids", "one", "list_type"),
        ("viewport_width", 2**63, "int_parsing_size"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_field(
    notte: NotteClient, name: str, value: object, kind: str
) -> None:
    found = violation(notte, {name: value})
    assert (found["loc"], found["type"]) == (["body", name], kind)
    assert notte.app.rows("notte_sessions") == []


@pytest.mark.parametrize(
    ("body", "name", "maximum"),
    [
        ({"idle_timeout_minutes": 16}, "idle_timeout_minutes", 15),
        ({"timeout_minutes": 16}, "timeout_minutes", 15),
        ({"idle_timeout_minutes": 5, "max_duration_minutes": 4}, "idle_timeout_minutes", 4),
        ({"max_duration_minutes": 2}, "idle_timeout_minutes", 2),
    ],
)
def test_an_idle_timeout_over_the_maximum_is_refused_defaults_included(
    app: App, notte: NotteClient, body: dict[str, Any], name: str, maximum: int
) -> None:
    assert violation(notte, body) == {
        "loc": ["body", name],
        "msg": f"Input should be less than or equal to {maximum}",
        "type": "less_than_equal",
    }
    assert app.rows("notte_sessions") == []


def test_an_unknown_field_is_refused(notte: NotteClient) -> None:
    assert violation(notte, {"keep_alive": True}) == {
        "loc": ["body", "keep_alive"],
        "msg": "Extra inputs are not permitted",
        "type": "extra_forbidden",
    }


def test_every_violation_is_listed(notte: NotteClient) -> None:
    body = {"headless": "yes", "colour": 1, "chrome_args": ["--a", 5]}
    found = error_detail(notte.post("/sessions/start", body), 422)
    assert {tuple(each["loc"]) for each in found} == {
        ("body", "headless"),
        ("body", "colour"),
        ("body", "chrome_args", 1),
    }


def test_a_session_shows_its_browser_options(notte: NotteClient) -> None:
    asked = {
        "headless": False,
        "solve_captchas": False,
        "browser_type": "firefox",
        "user_agent": "agent",
        "viewport_width": 800,
        "viewport_height": 600,
        "web_bot_auth": True,
        "use_file_storage": True,
    }
    started = notte.start_v4(**asked)
    assert {name: started[name] for name in asked} == asked
    assert notte.status(started["session_id"]) == started


@pytest.mark.parametrize(
    ("proxies", "shown"),
    [
        (True, True),
        ([{"type": "notte", "country": "us"}], True),
        ("us", True),
        (False, False),
        ([], False),
    ],
)
def test_proxies_is_true_if_requested(notte: NotteClient, proxies: object, shown: bool) -> None:
    assert notte.start_v4(proxies=proxies)["proxies"] is shown


@pytest.mark.parametrize("proxies", [None, 1, {}])
def test_proxies_of_another_type_are_refused(notte: NotteClient, proxies: object) -> None:
    assert violation(notte, {"proxies": proxies})["loc"] == ["body", "proxies"]


def test_every_option_of_the_client_is_accepted(notte: NotteClient) -> None:
    notte.start_v4(
        chrome_args=["--disable-gpu"],
        aspect_ratio="16:9",
        cdp_url="wss://example.com",
        profile={"id": "notte-profile-0", "persist": True},
        extra_http_headers={"x-a": "b"},
        vault_id="vault",
        auth_ids=["auth"],
        wait_for_authentication=False,
        auth_retry=2,
        block_ads=False,
        advanced_stealth=True,
        screenshot_type="raw",
        demonstrate=False,
    )


@pytest.mark.parametrize("name", ["max_steps", "screenshot"])
@pytest.mark.parametrize("value", [None, True, 20, "x", {}])
def test_max_steps_and_screenshot_of_an_older_client_are_ignored(
    notte: NotteClient, name: str, value: object
) -> None:
    assert name not in notte.start_v4(**{name: value})


def test_secrets_in_options_are_not_stored(app: App, notte: NotteClient) -> None:
    notte.start_v4(
        proxies=[{"type": "external", "password": "hunter2"}],
        extra_http_headers={"authorization": "hunter2"},
        cdp_url="wss://hunter2@example.com",
    )
    assert "hunter2" not in str(app.rows("notte_sessions"))


def test_a_status_takes_an_id_in_any_case_and_is_no_activity(notte: NotteClient) -> None:
    session_id = notte.start_v4()["session_id"]
    notte.app.advance(minutes=2, microseconds=500)
    shown = notte.status(session_id.upper())
    assert shown["session_id"] == session_id
    assert shown["duration"] == "PT2M0.0005S"
    assert shown["last_accessed_at"] == NOON


@pytest.mark.parametrize(
    ("query", "reason"),
    [({}, "manual"), ({"close_reason": "manual"}, "manual"), ({"close_reason": "error"}, "error")],
)
def test_a_stop_has_its_reason(notte: NotteClient, query: dict[str, str], reason: str) -> None:
    session_id = notte.start_v4()["session_id"]
    notte.app.advance(seconds=1)
    stopped = ok_json(notte.delete(f"/sessions/{session_id.upper()}/stop", **query))
    assert stopped["status"] == "closed"
    assert stopped["close_reason"] == reason
    assert stopped["closed_at"] == "2026-03-01T12:00:01.000000Z"
    assert stopped["duration"] == "PT1S"
    notte.app.advance(days=1)
    assert notte.status(session_id) == stopped


@pytest.mark.parametrize("reason", ["", "idle_timeout", "MANUAL", "unknown"])
def test_a_stop_refuses_any_other_reason(app: App, notte: NotteClient, reason: str) -> None:
    session_id = notte.start_v4()["session_id"]
    before = app.rows("notte_sessions")
    response = notte.delete(f"/sessions/{session_id}/stop", close_reason=reason)
    (found,) = error_detail(response, 422)
    assert (found["loc"], found["type"]) == (["query", "close_reason"], "literal_error")
    assert app.rows("notte_sessions") == before


def test_a_stop_of_an_ended_session_says_already_closed(app: App, notte: NotteClient) -> None:
    closed, left, operated = (notte.start_v4()["session_id"] for _ in range(3))
    ok_json(notte.delete(f"/sessions/{closed}/stop"))
    ok_json(notte.post("/env/observe", {"session_id": operated}))
    app.advance(minutes=3, microseconds=1)
    before = app.rows("notte_sessions")
    for session_id in (closed, left, operated):
        response = notte.delete(f"/sessions/{session_id}/stop")
        assert error_detail(response, 400) == f"Session {session_id} is already closed"
        assert response.json["session_id"] == session_id
    assert app.rows("notte_sessions") == before


def test_v1_and_v4_read_and_end_the_sessions_of_each_other(notte: NotteClient) -> None:
    older, newer = notte.start()["session_id"], notte.start_v4()["session_id"]
    assert notte.start(session_id=newer)["status"] == "active"
    assert ok_json(notte.delete(f"/sessions/{older}/stop"))["status"] == "closed"
    assert ok_json(notte.post("/session/close", {"session_id": newer}))["status"] == "closed"
    assert {notte.status(each)["close_reason"] for each in (older, newer)} == {"manual"}

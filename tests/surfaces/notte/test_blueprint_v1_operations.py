"""v1: observe, step and scrape."""

import base64
from typing import Any

import pytest

from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

OPERATIONS = ["/env/observe", "/env/step", "/env/scrape"]
STEP = {"action_id": "B1"}


@pytest.fixture
def session_id(notte: NotteClient) -> str:
    return str(notte.start()["session_id"])


def operate(notte: NotteClient, path: str, **body: Any) -> dict[str, Any]:
    return dict(ok_json(notte.post(path, {**STEP, **body})))


@pytest.mark.parametrize("path", OPERATIONS)
def test_an_operation_closes_its_session_and_shows_it_closed(
    app: App, notte: NotteClient, session_id: str, path: str
) -> None:
    app.advance(minutes=1)
    seen = operate(notte, path, session_id=session_id)["session"]
    assert seen["session_id"] == session_id
    assert seen["status"] == "closed"
    assert seen["last_accessed_at"] == seen["closed_at"] == "2026-03-01T12:01:00.000000Z"
    assert seen["close_reason"] == "unknown"
    assert notte.status(session_id) == seen


@pytest.mark.parametrize("path", OPERATIONS)
def test_an_operation_that_is_kept_alive_leaves_its_session_active(
    app: App, notte: NotteClient, session_id: str, path: str
) -> None:
    app.advance(minutes=5)
    seen = operate(notte, path, session_id=session_id.upper(), keep_alive=True)["session"]
    assert seen["status"] == "active"
    assert seen["last_accessed_at"] == "2026-03-01T12:05:00.000000Z"
    assert seen["timeout_minutes"] == 5


@pytest.mark.parametrize("path", OPERATIONS)
def test_an_operation_keeps_the_timeout(notte: NotteClient, session_id: str, path: str) -> None:
    body = {"session_id": session_id, "keep_alive": True, "session_timeout_minutes": 9}
    assert operate(notte, path, **body)["session"]["timeout_minutes"] == 5


def test_the_keep_alive_of_a_start_does_not_apply_to_operations(notte: NotteClient) -> None:
    session_id = notte.start(keep_alive=True)["session_id"]
    assert operate(notte, "/env/observe", session_id=session_id)["session"]["status"] == "closed"


@pytest.mark.parametrize("path", ["/env/observe", "/env/scrape"])
@pytest.mark.parametrize(("keep_alive", "status"), [(True, "active"), (False, "closed")])
def test_an_operation_with_a_url_starts_a_session(
    app: App, notte: NotteClient, path: str, keep_alive: bool, status: str
) -> None:
    body = {"url": "https://example.com", "keep_alive": keep_alive, "session_timeout_minutes": 9}
    seen = operate(notte, path, **body)["session"]
    assert seen["status"] == status
    assert seen["timeout_minutes"] == 9
    assert notte.status(seen["session_id"]) == seen
    assert len(app.rows("notte_sessions")) == 1


@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize("body", [{}, {"session_id": None}, {"session_id": None, "url": ""}])
def test_an_operation_needs_a_session_or_a_url(
    app: App, notte: NotteClient, path: str, body: dict[str, Any]
) -> None:
    assert error_detail(notte.post(path, {**STEP, **body}), 400).startswith("session_id: ")
    assert app.rows("notte_sessions") == []


def test_a_step_needs_a_session_even_with_a_url_and_an_action(notte: NotteClient) -> None:
    for body, missing in (
        ({**STEP, "url": "https://example.com"}, "session_id"),
        ({"session_id": notte.start()["session_id"]}, "action_id"),
    ):
        assert error_detail(notte.post("/env/step", body), 400) == f"{missing}: is required"


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/env/observe", "url", 5),
        ("/env/observe", "min_nb_actions", "5"),
        ("/env/observe", "max_nb_actions", None),
        ("/env/step", "action_id", 1),
        ("/env/step", "value", 5),
        ("/env/step", "enter", "yes"),
        ("/env/step", "max_nb_actions", 1.5),
        ("/env/scrape", "scrape_images", None),
        ("/env/scrape", "only_main_content", 1),
        ("/env/scrape", "session_timeout_minutes", 30),
        ("/env/scrape", "keep_alive", "false"),
        ("/env/scrape", "screenshot", "true"),
    ],
)
def test_an_operation_refuses_a_value_of_another_type_by_its_name(
    app: App, notte: NotteClient, session_id: str, path: str, name: str, value: object
) -> None:
    before = app.rows("notte_sessions")
    response = notte.post(path, {"session_id": session_id, **STEP, name: value})
    assert error_detail(response, 400).startswith(f"{name}: ")
    assert app.rows("notte_sessions") == before


@pytest.mark.parametrize("path", OPERATIONS)
def test_the_options_of_an_operation_may_be_left_out_or_be_null(
    notte: NotteClient, session_id: str, path: str
) -> None:
    nulls = {"min_nb_actions": None, "screenshot": None, "value": None, "enter": None, "url": None}
    operate(notte, path, session_id=session_id, **nulls)


@pytest.mark.parametrize("path", OPERATIONS)
def test_an_operation_on_an_ended_session_is_refused_with_the_reason(
    app: App, notte: NotteClient, path: str
) -> None:
    operated, closed, left, limited = (notte.start()["session_id"] for _ in range(4))
    limited = notte.start_v4(idle_timeout_minutes=2, max_duration_minutes=2)["session_id"]
    operate(notte, "/env/observe", session_id=operated)
    ok_json(notte.post("/session/close", {"session_id": closed}))
    app.advance(minutes=1)
    operate(notte, "/env/observe", session_id=limited, keep_alive=True)
    app.advance(minutes=4, microseconds=1)
    before = app.rows("notte_sessions")
    for session_id, why in {
        operated: "is closed: its last operation had keep_alive=false",
        closed: "is closed",
        left: "timed out: it was idle for more than 5 minutes",
        limited: "timed out: it reached its maximum of 2 minutes",
        "nothing": "not found",
    }.items():
        response = notte.post(path, {**STEP, "session_id": session_id})
        assert error_detail(response, 404) == f"Session {session_id} {why}"
        assert response.json["session_id"] == session_id
    assert app.rows("notte_sessions") == before


def test_an_operation_sees_the_page_opened_last(notte: NotteClient, session_id: str) -> None:
    alive = {"session_id": session_id, "keep_alive": True}
    blank = operate(notte, "/env/observe", **alive)["metadata"]
    assert (blank["title"], blank["url"]) == ("", "about:blank")
    asked = operate(notte, "/env/scrape", **alive, url="https://example.com/a")["metadata"]
    assert asked["url"] == "https://example.com/a"
    for path in OPERATIONS:
        metadata = operate(notte, path, **alive)["metadata"]
        assert metadata["url"] == "https://example.com/a"
        assert metadata["tabs"] == [{"tab_id": 0, "title": "", "url": "https://example.com/a"}]


def test_a_step_ignores_a_url(notte: NotteClient, session_id: str) -> None:
    body = {"session_id": session_id, "url": "https://example.com"}
    assert operate(notte, "/env/step", **body)["metadata"]["url"] == "about:blank"


def test_an_answer_has_every_field(notte: NotteClient, session_id: str) -> None:
    seen = operate(notte, "/env/observe", session_id=session_id)
    nothing = dict.fromkeys(["screenshot", "data", "space", "progress"])
    assert seen == {"session": seen["session"], "metadata": seen["metadata"], **nothing}
    assert seen["metadata"]["timestamp"] == "2026-03-01T12:00:00.000000Z"
    sizes = "scroll_x scroll_y viewport_width viewport_height total_width total_height"
    assert seen["metadata"]["viewport"].keys() == set(sizes.split())


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_screenshot_is_sent_on_request_and_is_always_the_same_png(
    notte: NotteClient, session_id: str, path: str
) -> None:
    alive = {"session_id": session_id, "keep_alive": True}
    first, second = (operate(notte, path, **alive, screenshot=True) for _ in range(2))
    assert base64.b64decode(first["screenshot"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert first["screenshot"] == second["screenshot"]
    assert operate(notte, path, **alive, screenshot=False)["screenshot"] is None

"""v4: observe, execute and scrape in a session's page."""

import base64

import pytest

from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

GOTO = {"type": "goto", "url": "https://example.com/a"}
OPERATIONS = ["observe", "execute", "scrape"]


@pytest.fixture
def page(notte: NotteClient) -> str:
    return f"/sessions/{notte.start_v4()['session_id']}/page"


def url_of(notte: NotteClient, page: str) -> str:
    return str(ok_json(notte.post(f"{page}/observe"))["metadata"]["url"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_activity_and_keeps_its_session_active(
    app: App, notte: NotteClient, page: str, operation: str
) -> None:
    app.advance(minutes=3)
    ok_json(notte.post(f"{page}/{operation}", {"type": "wait", "time_ms": 1}))
    shown = notte.status(page.split("/")[2])
    assert shown["status"] == "active"
    assert shown["last_accessed_at"] == "2026-03-01T12:03:00.000000Z"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_does_not_extend_the_maximum(
    app: App, notte: NotteClient, page: str, operation: str
) -> None:
    for _ in range(5):
        app.advance(minutes=3)
        ok_json(notte.post(f"{page}/{operation}", GOTO))
    app.advance(microseconds=1)
    response = notte.post(f"{page}/{operation}", GOTO)
    assert error_detail(response, 404).endswith("timed out: it reached its maximum of 15 minutes")
    assert notte.status(page.split("/")[2])["close_reason"] == "max_duration"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_on_an_ended_session_are_404(
    app: App, notte: NotteClient, page: str, operation: str
) -> None:
    ok_json(notte.delete(page.replace("/page", "/stop")))
    before = app.rows("notte_sessions")
    response = notte.post(f"{page}/{operation}", GOTO)
    assert error_detail(response, 404).endswith("is closed")
    assert response.json["session_id"] == page.split("/")[2]
    assert app.rows("notte_sessions") == before


def test_an_observe_in_a_new_session_shows_an_empty_page(notte: NotteClient, page: str) -> None:
    seen = ok_json(notte.post(f"{page}/observe"))
    assert (seen["metadata"]["title"], seen["metadata"]["url"]) == ("", "about:blank")
    assert base64.b64decode(seen["screenshot"]["raw"]).startswith(b"\x89PNG\r\n\x1a\n")
    space = seen["space"]
    assert (space.pop("description"), space.pop("category")) == ("", None)
    assert space == {"interaction_actions": [], "actions": [], "browser_actions": []}
    assert seen["started_at"] == seen["ended_at"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize("operation", ["observe", "scrape"])
def test_an_operation_with_a_url_opens_it(notte: NotteClient, page: str, operation: str) -> None:
    ok_json(notte.post(f"{page}/{operation}", {"url": "https://example.com/b"}))
    assert url_of(notte, page) == "https://example.com/b"


@pytest.mark.parametrize("kind", ["goto", "goto_new_tab"])
def test_a_goto_opens_its_url(notte: NotteClient, page: str, kind: str) -> None:
    action = {**GOTO, "type": kind}
    done = ok_json(notte.post(f"{page}/execute", action))
    assert done["action"] == action
    assert (done["success"], done["exception"], done["data"]) == (True, None, None)
    assert url_of(notte, page) == "https://example.com/a"


def test_any_other_action_leaves_the_url_unchanged(notte: NotteClient, page: str) -> None:
    ok_json(notte.post(f"{page}/execute", {**GOTO, "type": "wait"}))
    assert url_of(notte, page) == "about:blank"


def test_an_execute_needs_an_action_with_a_type(notte: NotteClient, page: str) -> None:
    (found,) = error_detail(notte.post(f"{page}/execute", {"id": "B1"}), 422)
    assert (found["loc"], found["type"]) == (["body", "type"], "missing")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_url_is_text(app: App, notte: NotteClient, page: str, operation: str) -> None:
    before = app.rows("notte_sessions")
    (found,) = error_detail(notte.post(f"{page}/{operation}", {"type": "goto", "url": 5}), 422)
    assert (found["loc"], found["type"]) == (["body", "url"], "string_type")
    assert app.rows("notte_sessions") == before


def test_a_scrape_is_empty(notte: NotteClient, page: str) -> None:
    scraped = ok_json(notte.post(f"{page}/scrape"))
    assert (scraped["markdown"], scraped["structured"]) == ("", None)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_shows_its_session(notte: NotteClient, page: str, operation: str) -> None:
    shown = ok_json(notte.post(f"{page}/{operation}", GOTO))["session"]
    assert shown == notte.status(page.split("/")[2])


@pytest.mark.parametrize("wanted", [{"instructions": "prices"}, {"response_format": {"type": "x"}}])
def test_a_scrape_of_a_structure_says_that_no_browser_runs(
    notte: NotteClient, page: str, wanted: dict[str, object]
) -> None:
    scraped = ok_json(notte.post(f"{page}/scrape", wanted))["structured"]
    assert scraped == {"success": False, "error": "No browser runs here", "data": None}


def test_an_operation_accepts_and_ignores_browser_options(notte: NotteClient, page: str) -> None:
    ok_json(notte.post(f"{page}/observe?update_metadata=true", {"perception_type": "fast"}))
    ok_json(notte.post(f"{page}/scrape", {"scrape_links": True, "selector": None}))
    ok_json(notte.post(f"{page}/execute?captcha_timeout_seconds=180", GOTO))

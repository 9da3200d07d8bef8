"""v4: observe, execute and scrape in a session's page."""

import base64

import pytest

from tests.conftest import App
from tests.surfaces.notte.conftest import Calls, answered, refused

GOTO = {"type": "goto", "url": "https://example.com/a"}
OPERATIONS = ["observe", "execute", "scrape"]


@pytest.fixture
def page(notte: Calls) -> str:
    return f"/sessions/{notte.start_v4()['session_id']}/page"


def url_of(notte: Calls, page: str) -> str:
    return str(answered(notte.post(f"{page}/observe"))["metadata"]["url"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_activity_and_keeps_its_session_active(
    app: App, notte: Calls, page: str, operation: str
) -> None:
    app.advance(minutes=3)
    answered(notte.post(f"{page}/{operation}", {"type": "wait", "time_ms": 1}))
    shown = notte.status(page.split("/")[2])
    assert shown["status"] == "active"
    assert shown["last_accessed_at"] == "2026-03-01T12:03:00.000000Z"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_operation_stretches_the_maximum(
    app: App, notte: Calls, page: str, operation: str
) -> None:
    for _ in range(5):
        app.advance(minutes=3)
        answered(notte.post(f"{page}/{operation}", GOTO))
    app.advance(microseconds=1)
    response = notte.post(f"{page}/{operation}", GOTO)
    assert refused(response, 404).endswith("timed out: it reached its maximum of 15 minutes")
    assert notte.status(page.split("/")[2])["close_reason"] == "max_duration"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_on_what_is_over_is_404(
    app: App, notte: Calls, page: str, operation: str
) -> None:
    answered(notte.delete(page.replace("/page", "/stop")))
    before = app.rows("notte_sessions")
    response = notte.post(f"{page}/{operation}", GOTO)
    assert refused(response, 404).endswith("is closed")
    assert response.json["session_id"] == page.split("/")[2]
    assert app.rows("notte_sessions") == before


def test_observing_a_fresh_session_shows_an_empty_page(notte: Calls, page: str) -> None:
    seen = answered(notte.post(f"{page}/observe"))
    assert (seen["metadata"]["title"], seen["metadata"]["url"]) == ("", "about:blank")
    assert base64.b64decode(seen["screenshot"]["raw"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert seen["space"] == {"description": "", "interaction_actions": [], "category": None}
    assert seen["started_at"] == seen["ended_at"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize("operation", ["observe", "scrape"])
def test_an_operation_on_a_url_goes_there(notte: Calls, page: str, operation: str) -> None:
    answered(notte.post(f"{page}/{operation}", {"url": "https://example.com/b"}))
    assert url_of(notte, page) == "https://example.com/b"


@pytest.mark.parametrize("kind", ["goto", "goto_new_tab"])
def test_executing_a_goto_goes_there(notte: Calls, page: str, kind: str) -> None:
    action = {**GOTO, "type": kind}
    done = answered(notte.post(f"{page}/execute", action))
    assert done["action"] == action
    assert (done["success"], done["exception"], done["data"]) == (True, None, None)
    assert url_of(notte, page) == "https://example.com/a"


def test_executing_another_action_goes_nowhere(notte: Calls, page: str) -> None:
    answered(notte.post(f"{page}/execute", {**GOTO, "type": "wait"}))
    assert url_of(notte, page) == "about:blank"


def test_executing_needs_an_action_with_a_type(notte: Calls, page: str) -> None:
    (found,) = refused(notte.post(f"{page}/execute", {"id": "B1"}), 422)
    assert (found["loc"], found["type"]) == (["body", "type"], "missing")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_url_is_text(app: App, notte: Calls, page: str, operation: str) -> None:
    before = app.rows("notte_sessions")
    (found,) = refused(notte.post(f"{page}/{operation}", {"type": "goto", "url": 5}), 422)
    assert (found["loc"], found["type"]) == (["body", "url"], "string_type")
    assert app.rows("notte_sessions") == before


def test_scraping_finds_nothing(notte: Calls, page: str) -> None:
    assert answered(notte.post(f"{page}/scrape")) == {"markdown": "", "structured": None}


def test_an_operation_takes_the_options_of_a_browser_that_is_not_there(
    notte: Calls, page: str
) -> None:
    answered(notte.post(f"{page}/observe?update_metadata=true", {"perception_type": "fast"}))
    answered(notte.post(f"{page}/scrape", {"scrape_links": True, "selector": None}))
    answered(notte.post(f"{page}/execute?captcha_timeout_seconds=180", GOTO))

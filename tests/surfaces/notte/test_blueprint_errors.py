"""Every error has Notte's body, and none changes a row."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary.surfaces.notte import queries
from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

V1_POSTS = ["/session/start", "/session/close", "/env/observe", "/env/step", "/env/scrape"]
V4_POSTS = [
    "/sessions/start",
    "/sessions/x/page/observe",
    "/sessions/x/page/execute",
    "/sessions/x/page/scrape",
]
BAD_BODIES = [
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 4301 + b"}",
    b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}",
    b'{"a": "\xff"}',
    b"\x00",
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:20]))
def test_v1_refuses_a_body_that_is_not_a_json_object_with_one_sentence(
    app: App, notte: NotteClient, body: bytes
) -> None:
    for path in V1_POSTS:
        assert isinstance(error_detail(notte.post(path, body), 400), str)
    assert app.rows("notte_sessions") == []


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:20]))
def test_v4_refuses_a_body_that_is_not_a_json_object_with_a_list(
    app: App, notte: NotteClient, body: bytes
) -> None:
    for path in V4_POSTS:
        (found,) = error_detail(notte.post(path, body), 422)
        assert found["loc"] == ["body"]
        assert {"msg", "type"} <= found.keys()
    assert app.rows("notte_sessions") == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_without_a_json_content_type_is_400_in_v1_and_422_in_v4(
    app: App, notte: NotteClient, content_type: str | None
) -> None:
    for path in V1_POSTS:
        detail = error_detail(notte.post(path, {}, content_type=content_type), 400)
        assert detail == "the content type must be application/json"
    for path in V4_POSTS:
        (found,) = error_detail(notte.post(path, {}, content_type=content_type), 422)
        assert found["loc"] == ["body"]
    assert app.rows("notte_sessions") == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x+json"])
def test_every_json_content_type_is_accepted(notte: NotteClient, content_type: str) -> None:
    for path in ("/session/start", "/sessions/start"):
        ok_json(notte.post(path, {}, content_type=content_type))


def test_the_last_of_duplicate_keys_wins(notte: NotteClient) -> None:
    body = b'{"session_timeout_minutes": 99, "session_timeout_minutes": 7}'
    assert ok_json(notte.post("/session/start", body))["timeout_minutes"] == 7


def test_a_body_over_the_limit_is_413(make_app: Callable[..., App]) -> None:
    app = make_app(max_body_bytes=100)
    notte = NotteClient(app.client)
    for path in (*V1_POSTS, *V4_POSTS):
        response = notte.post(path, {"screenshot": "x" * 100})
        assert error_detail(response, 413) == "The request body is too large."
    assert app.rows("notte_sessions") == []


UNROUTED = [
    ("GET", "/session"),
    ("GET", "/session/start"),
    ("DELETE", "/session/close"),
    ("PUT", "/env/observe"),
    ("POST", "/env/nothing"),
    ("POST", "/health"),
]
UNROUTED_V4 = [
    ("GET", "/sessions/x/cookies"),
    ("PUT", "/sessions/x"),
    ("POST", "/sessions/x/stop"),
    ("GET", "/sessions/x/page/observe"),
    ("OPTIONS", "/sessions/x"),
]


def test_an_unknown_path_or_method_under_the_prefix_is_refused_after_authentication(
    notte: NotteClient,
) -> None:
    for method, path in (*UNROUTED, *UNROUTED_V4, ("GET", "/nothing")):
        response = notte.client.open(f"/notte{path}", method=method, headers=notte.headers)
        assert is_unrouted(response)
        anonymous = notte.client.open(f"/notte{path}", method=method)
        assert error_detail(anonymous, 401) == "Not authenticated"


def test_an_unknown_path_or_method_of_v1_at_the_root_gets_nottes_error(notte: NotteClient) -> None:
    for method, path in UNROUTED:
        assert is_unrouted(notte.client.open(path, method=method, headers=notte.headers))


def test_an_unknown_path_or_method_of_v4_at_the_root_gets_nottes_error_with_the_sdk_header(
    notte: NotteClient,
) -> None:
    headers = {**notte.headers, "x-notte-sdk-version": "1.10.0"}
    for method, path in UNROUTED_V4:
        assert is_unrouted(notte.client.open(path, method=method, headers=headers))


def is_unrouted(response: TestResponse) -> bool:
    detail = error_detail(response, response.status_code)
    says_what_is_allowed = "Allow" in response.headers
    is_405 = response.status_code == 405
    return (
        isinstance(detail, str)
        and says_what_is_allowed is is_405
        and (is_405 or response.status_code == 404)
    )


@pytest.mark.parametrize("path", ["/session/start", "/sessions/start"])
def test_a_path_with_two_slashes_is_another_path(notte: NotteClient, path: str) -> None:
    for wrong in (path.replace("/start", "//start"), f"{path}//"):
        error_detail(notte.post(wrong), 404)
    assert ok_json(notte.post(f"{path}/"))["status"] == "active"


class Broken:
    """A statement that raises an unexpected error."""

    def run(self, **_: Any) -> int:
        raise RuntimeError("secret")


@pytest.mark.parametrize("path", ["/session/start", "/sessions/start"])
def test_an_unexpected_error_is_500_without_its_reason(
    app: App, notte: NotteClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(queries, "insert", Broken())
    response = notte.post(path)
    assert error_detail(response, 500) == "Internal server error"
    assert response.json == {"detail": "Internal server error"}
    assert app.rows("notte_sessions") == []


@pytest.mark.parametrize("statement", ["touch", "end"])
def test_a_failure_halfway_leaves_the_session_unchanged(
    app: App, notte: NotteClient, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    session_id = notte.start()["session_id"]
    app.advance(minutes=1)
    before = app.rows("notte_sessions")
    monkeypatch.setattr(queries, statement, Broken())
    error_detail(notte.post("/env/observe", {"session_id": session_id}), 500)
    assert app.rows("notte_sessions") == before


def test_a_busy_database_is_503_with_retry_after(
    make_file_app: Callable[..., App], tmp_path: Path
) -> None:
    app = make_file_app(busy_timeout_seconds=0.0)
    notte = NotteClient(app.client)
    session_id = notte.start()["session_id"]
    other = sqlite3.connect(tmp_path / "test.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        response = notte.post("/session/start")
        error_detail(response, 503)
        assert response.headers["Retry-After"] == "1"
        assert notte.status(session_id)["status"] == "active"
    finally:
        other.close()
    assert len(app.rows("notte_sessions")) == 1


def test_every_error_names_the_session_that_it_concerns(notte: NotteClient) -> None:
    asked = [
        notte.post("/session/start", {"session_id": "x"}),
        notte.post("/session/close", {"session_id": "x"}),
        notte.post("/env/step", {"session_id": "x", "action_id": "B1"}),
        notte.get("/sessions/x"),
        notte.delete("/sessions/x/stop"),
        notte.post("/sessions/x/page/observe"),
    ]
    for response in asked:
        assert response.json == {"detail": "Session x not found", "session_id": "x"}


@pytest.mark.parametrize("session_id", ["%00", "%ff", "ä", "x" * 5000, "..%2f", "'; --"])
def test_an_id_of_any_text_is_not_found(notte: NotteClient, session_id: str) -> None:
    assert re.fullmatch(
        "Session .* not found", error_detail(notte.get(f"/sessions/{session_id}"), 404), re.DOTALL
    )

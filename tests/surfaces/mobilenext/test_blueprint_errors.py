"""Errors: the envelope, their order, and that they write nothing."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import peewee as pw
import pytest

from sessionary.surfaces.mobilenext.queries import allocations, sessions
from tests.surfaces.mobilenext.api_client import ANDROID, Calls, contents, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import App

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
CALLS = [
    ("GET", "/sessions"),
    ("POST", "/sessions"),
    ("GET", f"/sessions/{UNKNOWN_ID}"),
    ("GET", f"/sessions/{UNKNOWN_ID}/devices"),
    ("POST", f"/sessions/{UNKNOWN_ID}/devices"),
    ("GET", f"/sessions/{UNKNOWN_ID}/devices/x"),
    ("POST", f"/sessions/{UNKNOWN_ID}/devices/x/release"),
    ("GET", "/organizations"),
]
each_call = pytest.mark.parametrize(("method", "path"), CALLS)
MOUNTS = ("", "/mobilenext")


UNKNOWN = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "mob_ana",
    "Basic bW9iX2FuYTo=",
    "Token mob_ana",
    "Bearer mob_unknown",
    "Bearer MOB_ANA",
    "Bearer mob_elsewhere",
]


def test_an_unknown_key_is_401_on_every_call(strict: App) -> None:
    for (method, path), mount, authorization in product(CALLS, MOUNTS, UNKNOWN):
        headers = {} if authorization is None else {"Authorization": authorization}
        response = strict.client.open(f"{mount}/api/v1{path}", method=method, headers=headers)
        assert error_of(response) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"


ILL_FORMED = ["Bearer x", "Bearer xmob_1", "Basic mob_1", "mob_1"]


def test_a_lenient_namespace_accepts_any_bearer_that_begins_with_mob(
    app: App, subtests: pytest.Subtests
) -> None:
    for authorization in ILL_FORMED:
        with subtests.test(authorization=authorization):
            headers = {"Authorization": authorization}
            response = app.client.get("/api/v1/sessions", headers=headers)
            assert error_of(response) == (401, "unauthorized")
            for token in ("mob_1", "mob_", "mob_x y"):
                assert Calls(app, token).get("/sessions").status_code == 200


def test_the_authorization_scheme_matches_in_any_case(calls: Calls) -> None:
    calls.headers["Authorization"] = "bearer mob_1"
    assert calls.get("/sessions").status_code == 200


def test_a_key_that_has_expired_is_401_at_its_deadline(strict: App) -> None:
    calls = Calls(strict, "mob_expiring")
    strict.advance(seconds=59.999999)
    assert calls.get("/sessions").status_code == 200
    strict.advance(seconds=0.000001)
    assert error_of(calls.get("/sessions")) == (401, "unauthorized")


PATHS = ["/api", "/api/", "/api/v2/sessions", "/api/v1", "/api/v1/devices", "/ws", "/ws/x"]


def test_an_unknown_path_is_404_with_a_known_key_and_401_without(app: App) -> None:
    headers = {"Authorization": "Bearer mob_1"}
    for path, mount in product(PATHS, MOUNTS):
        assert error_of(app.client.get(mount + path, headers=headers)) == (404, "not_found")
        assert error_of(app.client.get(mount + path)) == (401, "unauthorized")


METHODS = [
    ("DELETE", "/sessions", "GET, HEAD, POST"),
    ("PUT", f"/sessions/{UNKNOWN_ID}", "GET, HEAD"),
    ("PATCH", f"/sessions/{UNKNOWN_ID}/devices", "GET, HEAD, POST"),
    ("DELETE", f"/sessions/{UNKNOWN_ID}/devices/x", "GET, HEAD"),
    ("GET", f"/sessions/{UNKNOWN_ID}/devices/x/release", "POST"),
    ("POST", "/organizations", "GET, HEAD"),
    ("OPTIONS", "/sessions", "GET, HEAD, POST"),
]


def test_a_wrong_method_is_405(app: App, subtests: pytest.Subtests) -> None:
    for method, path, allowed in METHODS:
        with subtests.test(method=method, path=path):
            headers = {"Authorization": "Bearer mob_1"}
            response = app.client.open(f"/api/v1{path}", method=method, headers=headers)
            assert error_of(response) == (405, "method_not_allowed")
            assert response.headers["Allow"] == allowed
            response = app.client.open(f"/api/v1{path}", method=method)
            assert error_of(response) == (401, "unauthorized")


BAD_BODIES = [
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b'"x"', "application/json"),
    (b"null", "application/json"),
    (b'{"filters": NaN}', "application/json"),
    (b'{"filters": 1e999}', "application/json"),
    (b'{"filters": ' + b"9" * 5000 + b"}", "application/json"),
    (b'{"filters": ' + b"[" * 200 + b"]" * 200 + b"}", "application/json"),
    (b'{"filters": "\xff"}', "application/json"),
    (b'{"filters": []}', "text/plain"),
    (b'{"filters": []}', None),
    (b"filters=1", "application/x-www-form-urlencoded"),
    (b" ", "application/json"),
]


def test_a_body_that_is_not_a_json_object_is_400(
    app: App, calls: Calls, subtests: pytest.Subtests
) -> None:
    session = calls.start()
    before = contents(app)
    for data, content_type in BAD_BODIES:
        with subtests.test(data=data[:30]):
            headers = {} if content_type is None else {"Content-Type": content_type}
            response = calls.post(f"/sessions/{session}/devices", data=data, headers=headers)
            assert error_of(response) == (400, "invalid_request")
            assert contents(app) == before


def test_a_body_may_be_declared_with_a_json_suffix(calls: Calls) -> None:
    data = b'{"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "ios"}]}'
    for kind in ("application/json; charset=utf-8", "application/vnd.x+json"):
        path = f"/sessions/{calls.start()}/devices"
        response = calls.post(path, data=data, headers={"Content-Type": kind})
        assert response.status_code == 201


def test_a_body_over_the_limit_is_413(make_app: Callable[..., App]) -> None:
    app = make_app(max_body_bytes=100)
    calls = Calls(app)
    session = calls.start()
    before = contents(app)
    response = calls.allocate(session, {**ANDROID, "value": "a" * 100})
    assert error_of(response) == (413, "request_too_large")
    assert contents(app) == before


def test_errors_are_checked_in_the_documented_order(strict: App) -> None:
    """401, 404 or 405 of the path, 400, 403, 404 of the row, 409."""
    held = Calls(strict, "mob_ana").hold()
    Calls(strict, "mob_ana").release(held["id"], held["device"]["id"])
    unknown = Calls(strict, "mob_unknown", organization="mars")
    stranger = Calls(strict, "mob_ana", organization="mars")
    looker, worker = Calls(strict, "mob_rob"), Calls(strict, "mob_ana")
    bad: dict[str, Any] = {"json": {"filters": []}}
    path, nowhere = f"/sessions/{held['id']}/devices", f"/sessions/{UNKNOWN_ID}/devices"
    assert error_of(unknown.post("/nowhere"))[0] == 401
    assert error_of(unknown.post(path, **bad))[0] == 401
    assert error_of(stranger.post("/nowhere", **bad))[0] == 404
    assert error_of(stranger.post(path, **bad))[0] == 400
    assert error_of(stranger.get("/sessions?limit=0"))[0] == 400
    assert error_of(looker.post(path, **bad))[0] == 400
    assert error_of(looker.allocate(UNKNOWN_ID))[0] == 403
    assert error_of(worker.post(nowhere, **bad))[0] == 400
    assert error_of(worker.allocate(UNKNOWN_ID))[0] == 404
    assert error_of(worker.allocate(held["id"])) == (409, "session_released")


def fail(**_: object) -> None:
    raise RuntimeError("a secret")


@each_call
def test_an_internal_error_is_500_in_the_envelope_and_writes_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    broken = SimpleNamespace(run=fail, one=fail, all=fail)
    for name in ("insert", "by_id", "with_allocations", "organizations"):
        monkeypatch.setattr(sessions, name, broken)
    monkeypatch.setattr(sessions, "page", lambda **_: broken)
    before = contents(app)
    body = {"json": {"filters": [ANDROID]}} if method == "POST" else {}
    response = getattr(Calls(app), method.lower())(path, **body)
    assert error_of(response) == (500, "internal_error")
    assert "secret" not in response.text
    assert contents(app) == before


def test_a_failure_in_the_middle_of_an_allocation_undoes_what_it_wrote(
    app: App, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = calls.start()
    before = contents(app)
    monkeypatch.setattr(allocations.insert, "run", fail)
    assert error_of(calls.allocate(session)) == (500, "internal_error")
    monkeypatch.undo()
    assert contents(app) == before
    assert calls.allocate(session).status_code == 201


def test_a_busy_database_is_503_with_retry_after(
    make_file_app: Callable[..., App],
) -> None:
    app = make_file_app(busy_timeout_seconds=0.0)
    other = make_file_app()
    calls = Calls(app)
    session = calls.start()
    before = contents(app)
    with other.namespace.activate(), other.namespace.database.atomic():
        for call in (lambda: calls.post("/sessions"), lambda: calls.allocate(session)):
            response = call()
            assert error_of(response) == (503, "unavailable")
            assert response.headers["Retry-After"] == "1"
        assert calls.get(f"/sessions/{session}/devices").status_code == 200
    assert contents(app) == before


def test_two_sessions_can_never_have_the_same_created_at(app: App, calls: Calls) -> None:
    calls.hold()
    calls.hold()
    with app.namespace.activate(), pytest.raises(pw.IntegrityError, match="UNIQUE"):
        app.namespace.database.run("UPDATE mobilenext_sessions SET created_at = 1")

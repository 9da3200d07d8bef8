"""Error bodies, keys and organizations, the prefix and the root."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sessionary.surfaces.galtea.queries import sessions
from sessionary.web.instants import to_text
from tests.conftest import App
from tests.surfaces.galtea.conftest import NOWHERE, Api, assert_error

ROUTES = [
    ("POST", "/sessions"),
    ("GET", "/sessions"),
    ("GET", "/sessions/x"),
    ("PATCH", "/sessions/x"),
    ("PATCH", "/sessions/x/finish"),
    ("DELETE", "/sessions/x"),
    ("DELETE", "/sessions/batch"),
    ("GET", "/versions"),
    ("GET", "/versions/x"),
    ("GET", "/testCases"),
    ("GET", "/testCases/x"),
    ("GET", "/tests"),
    ("GET", "/tests/x"),
]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "gsk_anyone", "Basic gsk_anyone", "Bearer key", "Bearer gsk"],
)
def test_without_a_well_formed_key_every_call_is_401(app: App, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in ROUTES:
        for prefix in ("", "/galtea"):
            assert_error(app.client.open(prefix + path, method=method, headers=headers), 401, "")


@pytest.mark.parametrize("key", ["gsk_anyone", "gsk-anyone"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_lenient_server_accepts_both_forms_of_key(app: App, key: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {key}"}
    assert app.client.get("/sessions", headers=headers).status_code == 200


def test_a_lenient_key_is_always_the_same_user_of_one_organization(
    app: App, make_api: Callable[..., Api]
) -> None:
    one, again, other = (make_api(app, key) for key in ("gsk_a", "gsk_a", "gsk_b"))
    users = [each.create(isProduction=False)["userId"] for each in (one, again, other)]
    assert users[0] == users[1] != users[2]
    assert len(one.list_ids()) == 3


@pytest.mark.parametrize("key", ["gsk_unknown", "gsk_elsewhere", "gsk_expired", ""])
def test_a_strict_server_refuses_unknown_expired_and_foreign_keys(
    strict: App, make_api: Callable[..., Api], key: str
) -> None:
    assert_error(make_api(strict, key).get_list(), 401, "")


@pytest.mark.parametrize("key", ["gsk_ana", "gsk-ana", "gsk_zoe"])
def test_a_strict_server_accepts_its_own_keys(
    strict: App, make_api: Callable[..., Api], key: str
) -> None:
    assert make_api(strict, key).list_ids() == []


def test_a_bound_key_acts_in_its_organization_not_in_the_users_default(
    strict: App, make_api: Callable[..., Api]
) -> None:
    home, bound, zoe = (make_api(strict, key) for key in ("gsk_ana", "gsk_ana-in-zeta", "gsk_zoe"))
    id = bound.create()["id"]
    assert bound.list_ids() == zoe.list_ids() == [id]
    assert home.list_ids() == []


@pytest.mark.parametrize("action", ["get", "patch", "finish", "delete"])
def test_a_session_of_another_organization_is_not_found(
    strict: App, make_api: Callable[..., Api], action: str
) -> None:
    ana, zoe = make_api(strict, "gsk_ana"), make_api(strict, "gsk_zoe")
    foreign = ana.create()["id"]
    before = ana.rows()
    arguments = {"error": "x"} if action in ("patch", "finish") else {}
    theirs = getattr(zoe, action)(foreign, **arguments)
    unknown = getattr(zoe, action)(NOWHERE, **arguments)
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.text.replace(foreign, NOWHERE) == unknown.text
    assert ana.rows() == before


def test_a_batch_with_a_foreign_session_deletes_nothing(
    strict: App, make_api: Callable[..., Api]
) -> None:
    ana, zoe = make_api(strict, "gsk_ana"), make_api(strict, "gsk_zoe")
    foreign, own = ana.create()["id"], zoe.create()["id"]
    before = ana.rows()
    assert_error(zoe.delete_batch([own, foreign]), 404, f"Sessions not found: {foreign}")
    assert ana.rows() == before


def test_a_user_without_an_organization_is_403(strict: App, make_api: Callable[..., Api]) -> None:
    cleo = make_api(strict, "gsk_cleo")
    assert_error(cleo.get_list(), 403, "organization")
    assert_error(cleo.post(versionId="v"), 403, "organization")
    assert_error(cleo.call("GET", "/versions/v"), 403, "organization")


@pytest.mark.parametrize(
    "path",
    ["/sessions/a/b", "/sessions/a/finish/b", "/versions/a/b", "/testCases/a/b", "/tests/a/b"],
)
def test_an_unknown_path_is_404_after_authentication(api: Api, path: str) -> None:
    for found in (path, f"/galtea{path}"):
        assert_error(api.call("GET", found), 404, "")
        assert_error(api.call("GET", found, headers={"Authorization": "Bearer unknown"}), 401, "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/sessions"),
        ("DELETE", "/sessions"),
        ("POST", "/sessions/x"),
        ("GET", "/sessions/x/finish"),
        ("POST", "/sessions/batch"),
        ("POST", "/versions"),
        ("DELETE", "/testCases/x"),
        ("PATCH", "/tests/x"),
        ("POST", "/minimum-sdk-version"),
        ("OPTIONS", "/sessions"),
    ],
)
def test_an_unknown_method_is_405_and_names_the_allowed_ones(
    api: Api, method: str, path: str
) -> None:
    for found in (path, f"/galtea{path}"):
        response = api.call(method, found)
        assert_error(response, 405, "")
        assert response.headers["Allow"]


BODIES = [("POST", "/sessions"), ("PATCH", "/sessions/x"), ("PATCH", "/sessions/x/finish")]
BODIES += [("DELETE", "/sessions/batch")]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_without_a_json_content_type_is_400(api: Api, content_type: str | None) -> None:
    for method, path in BODIES:
        response = api.call(method, path, data=b"{}", content_type=content_type)
        assert_error(response, 400, "application/json")


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.galtea+json"])
def test_every_json_content_type_is_accepted(api: Api, content_type: str) -> None:
    body = {"data": b'{"versionId": "v"}', "content_type": content_type}
    assert api.call("POST", "/sessions", **body).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff",
        b'{"metadata": NaN}',
        b'{"metadata": {"a": Infinity}}',
        b'{"metadata": {"a": 1e999}}',
        b'{"metadata": {"a": ' + b"9" * 5_000 + b"}}",
        b'{"metadata": ' + b'{"a":' * 101 + b"1" + b"}" * 102,
        b'{"metadata": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_a_json_object_is_400(api: Api, body: bytes) -> None:
    for method, path in BODIES:
        response = api.call(method, path, data=body, content_type="application/json")
        assert_error(response, 400, "")
    assert api.rows() == []


def test_the_last_of_duplicate_keys_wins(api: Api) -> None:
    body = b'{"versionId": "a", "versionId": "b"}'
    response = api.call("POST", "/sessions", data=body, content_type="application/json")
    assert response.json["versionId"] == "b"


def test_a_large_body_is_413(make_app: Callable[..., App], make_api: Callable[..., Api]) -> None:
    api = make_api(make_app(max_body_bytes=100))
    for method, path in BODIES:
        assert_error(api.call(method, path, json={"versionId": "v" * 100}), 413, "")
    assert api.rows() == []


def test_an_unexpected_error_says_only_that_something_went_wrong(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create()
    before = api.rows()
    for name in ("by_id", "insert"):
        monkeypatch.setattr(sessions, name, None)
    for response in (api.get("x"), api.post(versionId="v"), api.patch("x", error="y")):
        assert_error(response, 500, "Something went wrong")
        assert response.json["message"] == "Something went wrong"
        assert "Traceback" not in response.text
    assert api.rows() == before


def test_the_error_is_the_name_of_the_status(api: Api) -> None:
    assert api.get(NOWHERE).json["error"] == "Not Found"
    assert api.post().json["error"] == "Bad Request"


def test_the_message_names_every_invalid_field(api: Api) -> None:
    message = api.post(versionId=5, status="x", metadata=[]).json["message"]
    assert all(f"{name}: " in message for name in ("versionId", "status", "metadata"))


@pytest.mark.parametrize("prefix", ["", "/galtea"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_prefix_the_root_and_a_trailing_slash_are_the_same_routes(
    api: Api, prefix: str, slash: str
) -> None:
    created = api.call("POST", f"{prefix}/sessions{slash}", json={"versionId": "v"})
    assert created.status_code == 201
    path = f"{prefix}/sessions/{created.json['id']}{slash}"
    assert api.call("GET", path).json == created.json
    assert api.call("GET", f"{prefix}/sessions{slash}").json == [created.json]


def test_the_root_serves_galteas_sessions_except_nottes_calls(api: Api) -> None:
    assert api.call("DELETE", f"/sessions/{NOWHERE}").json["error"] == "Not Found"
    assert_error(api.call("GET", "/sessions/stop"), 404, "Session not found: stop")


@pytest.mark.parametrize("prefix", ["", "/galtea"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer gsk_x"}])
def test_the_minimum_sdk_version_needs_no_key(
    strict: App, prefix: str, headers: dict[str, str]
) -> None:
    response = strict.client.get(f"{prefix}/minimum-sdk-version", headers=headers)
    assert response.status_code == 200
    assert response.json.keys() == {"latestSdkVersionPublished", "minimumSdkVersionSupported"}
    assert response.json["minimumSdkVersionSupported"] < "4"


@pytest.mark.parametrize("path", ["/openapi.json", "/galtea/openapi.json"])
def test_the_openapi_document_is_served_at_the_root_too(app: App, path: str) -> None:
    described = app.client.get(path).json
    assert described["openapi"].startswith("3.1")
    for method, route in [*ROUTES, ("GET", "/minimum-sdk-version")]:
        shown = route.removesuffix("/x")
        names = [each for each in described["paths"] if each.split("/{")[0] == shown]
        assert route == "/sessions/x/finish" or any(
            method.lower() in described["paths"][name] for name in names
        )
    assert "patch" in described["paths"]["/sessions/{session_id}/finish"]


def test_no_call_shows_more_than_the_vendors_fields(api: Api) -> None:
    shown = json.dumps(api.create())
    assert "expires" not in shown
    assert "organization" not in shown


def test_the_first_instant_of_the_namespace_has_milliseconds_like_every_other(api: Api) -> None:
    created_at: Any = api.call("GET", "/versions/v").json["createdAt"]
    with api.app.namespace.activate():
        ((began_at,),) = api.app.namespace.database.run("SELECT began_at FROM clock")
    assert created_at == f"{to_text(began_at)[:-4]}Z"

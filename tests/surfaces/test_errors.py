"""Errors around the routes of every surface: keys, paths, methods, bodies, failures, outages."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import identity
from sessionary.factory.error_handlers import MESSAGES
from sessionary.store import Statement
from sessionary.surfaces import SURFACES
from sessionary.surfaces.galtea.queries import sessions as galtea
from sessionary.surfaces.mobilenext.queries import allocations
from sessionary.surfaces.mobilenext.queries import sessions as mobilenext
from sessionary.surfaces.notte import queries as notte
from sessionary.surfaces.scale import queries as scale
from sessionary.web.surface import Surface
from tests import identities
from tests.conftest import App, MakeApp
from tests.identity.routes import BODIES, GUARDED, QUERIES, ROUTES, Route
from tests.surfaces.callers import LISTS, START, Caller, bearer, each_surface
from tests.surfaces.conftest import SharedApp
from tests.surfaces.mobilenext.api_client import ANDROID

JSON = "application/json"
FILTERS = {"filters": [ANDROID]}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
MOUNTS = {
    "galtea": ("", "/galtea"),
    "mobilenext": ("/api/v1", "/mobilenext/api/v1"),
    "notte": ("/notte",),
    "scale": ("", "/scale"),
}


PLACEHOLDERS = re.findall(r"{(\w+)}", json.dumps([BODIES, QUERIES]))


def routes_of(surface: Surface) -> list[Route]:
    return [each for each in GUARDED if each.surface == surface.name]


def path_of(route: Route, id: str = UNKNOWN_ID, other: str = "x") -> str:
    """The path of a route with this id of a session; other parameters are `other`."""
    names = dict.fromkeys([*PLACEHOLDERS, *route.names()], other)
    return route.path(names | {f"{route.surface}_session_id": id})


def assert_error(surface: Surface, answer: TestResponse, status: int, message: str = "") -> None:
    """Assert the vendor's own error body, with this message or any other."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == JSON
    body = answer.json
    said = message or body.get("message") or body.get("detail") or body["error"]["message"]
    assert body.items() >= surface.error_body(status, said).items()
    if status == 401:
        challenge = None if surface.name == "scale" else "Bearer"
        assert answer.headers.get("WWW-Authenticate") == challenge


@pytest.fixture
def strict(shared_app: SharedApp, surface: Surface) -> App:
    """A strict namespace with people and their keys on this surface."""
    return shared_app("strict", identities.seed(surface.name))


@each_surface
def test_a_call_without_a_well_formed_key_is_401_on_every_path(app: App, surface: Surface) -> None:
    key = f"{surface.key_prefix}anyone"
    texts = ("", "Bearer", "Bearer ", "Basic bW9iX2FuYTo=", f"Basic {key}", f"Token {key}", key)
    if surface.name == "scale":
        refused: list[dict[str, str]] = [{}, {"x-api-key": ""}, bearer(key)]
    else:
        refused = [{}, {"x-api-key": key}, *({"Authorization": text} for text in texts)]
    if surface.name in ("galtea", "mobilenext"):
        refused += [bearer(text) for text in ("key", "x", "gsk", f"x{key}")]
    calls = [(each.method, path_of(each)) for each in routes_of(surface)]
    calls += [("GET", f"/{surface.name}/nothing"), ("PUT", LISTS[surface.name])]
    for headers in refused:
        for method, path in calls:
            answer = app.client.open(path, method=method, headers=headers, data=b"{broken")
            assert_error(surface, answer, 401, MESSAGES[401])


@each_surface
def test_strict_refuses_unknown_expired_and_foreign_keys(strict: App, surface: Surface) -> None:
    keys = [identities.key(surface.name, who) for who in ("unknown", "elsewhere", "expired")]
    for key in (*keys, identities.key(surface.name, "ana").upper(), "ä"):
        caller = Caller(surface.name, strict)
        caller.headers = {"x-api-key": key} if surface.name == "scale" else bearer(key)
        for route in routes_of(surface):
            assert_error(surface, caller.call(route.method, path_of(route)), 401, MESSAGES[401])
        assert_error(surface, caller.call("GET", f"/{surface.name}/nothing"), 401)


@each_surface
def test_a_key_is_refused_from_its_expiry_on_or_when_revoked(strict: App, surface: Surface) -> None:
    expiring, ana = Caller(surface.name, strict, "expiring"), Caller(surface.name, strict, "ana")
    strict.advance(minutes=1, microseconds=-1)
    assert expiring.listed() == []
    strict.advance(microseconds=1)
    assert_error(surface, expiring.call("GET", LISTS[surface.name]), 401)
    assert ana.listed() == []
    with strict.namespace.activate():
        found = identity.Key.get(
            identity.Key.hash == identity.hash_of(identities.key(surface.name, "ana"))
        )
        assert identity.revoke_key(found.id)
    assert_error(surface, ana.call("GET", LISTS[surface.name]), 401)


ACCEPTED = {
    "galtea": ("gsk_", "gsk-anyone", "gsk_any one"),
    "mobilenext": ("mob_1", "mob_", "mob_x y"),
    "notte": ("x", "sk-notte-anything", "gsk_elsewhere"),
}


@pytest.mark.parametrize("vendor", ACCEPTED)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_lenient_namespace_accepts_any_well_formed_key_and_the_scheme_in_any_case(
    app: App, vendor: str, scheme: str
) -> None:
    for key in ACCEPTED[vendor]:
        caller = Caller(vendor, app)
        caller.headers = {"Authorization": f"{scheme} {key}"}
        assert caller.listed() == []


@pytest.mark.parametrize(
    ("vendor", "more", "user"),
    [
        ("galtea", {"isProduction": False}, "userId"),
        ("mobilenext", None, "user"),
        ("scale", {}, "created_by_user_id"),
    ],
)
def test_the_same_lenient_key_is_always_the_same_user_of_one_organization(
    app: App, vendor: str, more: Any, user: str
) -> None:
    method, path, body = START[vendor]
    callers = [Caller(vendor, app, who) for who in ("one", "one", "two")]
    given = None if body is None else {**body, **more}
    users = [each.json(method, path, given)[user] for each in callers]
    assert users[0] == users[1] != users[2]
    callers[0].hold()
    assert callers[0].listed() == callers[2].listed() != []


@each_surface
def test_a_key_bound_to_an_organization_acts_there(strict: App, surface: Surface) -> None:
    bound, zoe, bot = (Caller(surface.name, strict, who) for who in ("ana-in-zeta", "zoe", "bot"))
    bound.organization = "zeta"
    id = bound.hold()
    assert bound.listed() == zoe.listed() == [id]
    assert bot.listed() == []


# A method, a path, and the methods that the path takes, if any.
UNROUTED = {
    "galtea": """
        GET /sessions/a/b; GET /sessions/a/finish/b; GET /versions/a/b; GET /testCases/a/b;
        GET /tests/a/b; PUT /sessions GET, HEAD, POST; DELETE /sessions GET, HEAD, POST;
        POST /sessions/x DELETE, GET, HEAD, PATCH; GET /sessions/x/finish PATCH;
        POST /sessions/batch DELETE, GET, HEAD, PATCH; POST /versions GET, HEAD;
        DELETE /testCases/x GET, HEAD; PATCH /tests/x GET, HEAD;
        POST /minimum-sdk-version GET, HEAD; OPTIONS /sessions GET, HEAD, POST""",
    "mobilenext": """
        GET /api; GET /api/; GET /api/v2/sessions; GET /api/v1; GET /api/v1/devices; GET /ws/x;
        DELETE /api/v1/sessions GET, HEAD, POST; PUT /api/v1/sessions/x GET, HEAD;
        PATCH /api/v1/sessions/x/devices GET, HEAD, POST;
        DELETE /api/v1/sessions/x/devices/x GET, HEAD;
        GET /api/v1/sessions/x/devices/x/release POST; POST /api/v1/organizations GET, HEAD;
        OPTIONS /api/v1/sessions GET, HEAD, POST""",
    "notte": """
        GET /session; GET /session/start POST; DELETE /session/close POST;
        PUT /env/observe POST; POST /env/nothing; POST /health GET, HEAD; GET /sessions/x/cookies;
        PUT /sessions/x GET, HEAD; POST /sessions/x/stop DELETE; GET /sessions/x/page/observe POST;
        OPTIONS /sessions/x GET, HEAD""",
    "scale": f"""
        GET /v4; GET /v4/no; GET /v4/sessions/a/b; GET /user-info/x; GET /v4//;
        PUT /v4/sessions GET, HEAD, POST; DELETE /v4/sessions GET, HEAD, POST;
        POST /v4/sessions/{UNKNOWN_ID} DELETE, GET, HEAD, PATCH; POST /user-info GET, HEAD""",
}


@each_surface
def test_an_unknown_path_is_404_and_an_unknown_method_405_after_authentication(
    app: App, surface: Surface
) -> None:
    caller = Caller(surface.name, app)
    # With this header, paths under /sessions at the root are Notte's.
    client = {"x-notte-sdk-version": "1.10.0"} if surface.name == "notte" else {}
    for mount in ("", f"/{surface.name}"):
        for line in UNROUTED[surface.name].split(";"):
            method, path, *allowed = line.strip().split(" ", 2)
            answer = caller.call(method, mount + path, headers=client)
            assert_error(surface, answer, 405 if allowed else 404)
            assert answer.headers.get("Allow") == (allowed[0] if allowed else None), line
            unknown = app.client.open(mount + path, method=method, headers=client)
            assert_error(surface, unknown, 401)


@each_surface
def test_the_mounts_and_a_trailing_slash_are_the_same_routes(app: App, surface: Surface) -> None:
    caller = Caller(surface.name, app)
    id = caller.hold()
    path = LISTS[surface.name].removeprefix(MOUNTS[surface.name][-1])
    lists, sessions = (
        [
            caller.json("GET", mount + at + end)
            for mount in MOUNTS[surface.name]
            for end in ("", "/")
        ]
        for at in (path, f"{path}/{id}")
    )
    assert caller.listed() == [id]
    assert lists == [lists[0]] * len(lists)
    assert sessions == [sessions[0]] * len(sessions)


NOT_OBJECTS = [
    b"{", b"[]", b'"text"', b"null", b"5", b"\x00", b"\xff", b'{"a": "\xff"}', b'{"a": NaN}',
    b'{"a": {"b": Infinity}}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": %b}' % (b"9" * 4301),
    b'{"a": %b%b}' % (b"[" * 101, b"]" * 101), b'{"a": %b1%b}' % (b'{"b":' * 100, b"}" * 100),
    b"[" * 100_000, b'{"a": ' + b"[" * 100_000,
]  # fmt: skip


@each_surface
def test_a_body_that_is_no_json_object_changes_nothing(app: App, surface: Surface) -> None:
    caller = Caller(surface.name, app)
    routes = [each for each in routes_of(surface) if each.operation.body is not None]
    paths = [(each.method, path_of(each, caller.start())) for each in routes]
    before = app.dump()
    others = (b"{}", "text/plain"), (b"a=b", "application/x-www-form-urlencoded"), (b"{}", None)
    for data, kind in (*((data, JSON) for data in NOT_OBJECTS), *others):
        headers = caller.headers | ({"Content-Type": kind} if kind else {})
        for method, path in paths:
            answer = app.client.open(path, method=method, headers=headers, data=data)
            if surface.name == "scale" or (surface.name == "notte" and "/sessions/" in path):
                is_json = kind == JSON and data in (b"[]", b'"text"', b"null", b"5")
                (violation,) = answer.json["detail"]
                assert_error(surface, answer, 422)
                assert violation["loc"] == ["body"]
                kinds = ("json_invalid", "model_attributes_type")
                assert violation["type"] == kinds[is_json]
            else:
                assert_error(surface, answer, 400)
                assert kind == JSON or JSON in answer.text
    assert app.dump() == before


@each_surface
@pytest.mark.parametrize("kind", [JSON, f"{JSON}; charset=utf-8", "application/vnd.x+json"])
def test_a_body_may_be_declared_as_any_json(app: App, surface: Surface, kind: str) -> None:
    caller = Caller(surface.name, app)
    method, path, body = START[surface.name]
    if body is None:
        path, body = f"{path}/{caller.start()}/devices", FILTERS
    answer = caller.call(method, path, json.dumps(body).encode(), headers={"Content-Type": kind})
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    ("vendor", "body", "shown"),
    [
        ("galtea", b'{"versionId": "a", "versionId": "b"}', {"versionId": "b"}),
        ("notte", b'{"session_timeout": 99, "session_timeout": 7}', {"timeout_minutes": 7}),
        (
            "scale",
            b'{"title": "a", "account_id": "a", "state": {"x": 1, "x": 2}, "title": "b"}',
            {"title": "b", "state": {"x": 2}},
        ),
    ],
)
def test_the_last_of_duplicate_names_wins(app: App, vendor: str, body: bytes, shown: Any) -> None:
    method, path, _ = START[vendor]
    assert Caller(vendor, app).call(method, path, body).json.items() >= shown.items()


@each_surface
def test_a_body_over_the_limit_is_413_for_known_keys(make_app: MakeApp, surface: Surface) -> None:
    app = make_app(max_body_bytes=1000)
    caller = Caller(surface.name, app)
    routes = [each for each in routes_of(surface) if each.operation.body is not None]
    paths = [(each.method, path_of(each, caller.start())) for each in routes]
    before = app.dump()
    for method, path in paths:
        message = "The request body is larger than 1000 bytes, the maximum of the setting "
        too_large = caller.call(method, path, b" " * 1001)
        assert_error(surface, too_large, 413, f"{message}max_body_bytes.")
        unknown = app.client.open(path, method=method, data=b" " * 1001, content_type=JSON)
        assert_error(surface, unknown, 401)
    assert app.dump() == before


FAILURES: list[tuple[str, Statement[Any], str, str, Any]] = [
    ("galtea", galtea.insert, *START["galtea"]),
    ("galtea", galtea.by_id, "GET", "/galtea/sessions/{id}", None),
    ("galtea", galtea.update, "PATCH", "/sessions/{id}", {"error": "x"}),
    ("galtea", galtea.delete, "DELETE", "/sessions/{id}", None),
    ("mobilenext", mobilenext.insert, *START["mobilenext"]),
    ("mobilenext", mobilenext.with_allocations, "GET", "/api/v1/sessions/{id}", None),
    ("mobilenext", mobilenext.by_id, "GET", "/api/v1/sessions/{id}/devices/x", None),
    ("mobilenext", mobilenext.by_id, "POST", "/api/v1/sessions/{id}/devices/x/release", None),
    ("mobilenext", mobilenext.organizations, "GET", "/api/v1/organizations", None),
    ("mobilenext", allocations.insert, "POST", "/api/v1/sessions/{id}/devices", FILTERS),
    ("notte", notte.insert, *START["notte"]),
    ("notte", notte.insert, "POST", "/sessions/start", {}),
    ("notte", notte.touch, "POST", "/env/observe", {"session_id": "{id}"}),
    ("notte", notte.end, "POST", "/env/observe", {"session_id": "{id}"}),
    ("scale", scale.insert, *START["scale"]),
    ("scale", scale.by_id, "GET", "/v4/sessions/{id}", None),
    ("scale", scale._add_to_count, "DELETE", "/v4/sessions/{id}", None),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: f"{each[0]} {each[2]} {each[3]}")
def test_a_failure_is_500_without_details_and_undoes_what_the_call_wrote(
    app: App, monkeypatch: pytest.MonkeyPatch, failure: tuple[str, Statement[Any], str, str, Any]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    vendor, statement, method, path, body = failure
    (surface,) = (each for each in SURFACES if each.name == vendor)
    caller = Caller(vendor, app)
    id = caller.start()
    app.advance(minutes=1)
    before = app.dump()
    data = None if body is None else json.dumps(body).replace("{id}", id).encode()
    monkeypatch.setattr(statement, "_execute", fail)
    answer = caller.call(method, path.format(id=id), data)
    assert_error(surface, answer, 500, MESSAGES[500])
    assert "secret" not in answer.text
    assert app.dump() == before


@each_surface
def test_a_busy_database_is_503_for_writes_only(make_file_app: MakeApp, surface: Surface) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    caller = Caller(surface.name, app)
    held = caller.hold()
    before = app.dump()
    with closing(sqlite3.connect(app.namespace.database.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        method, path, body = START[surface.name]
        answer = caller.call(method, path, json.dumps(body).encode())
        assert_error(surface, answer, 503, MESSAGES[503])
        assert answer.headers["Retry-After"] == "1"
        assert dict(answer.headers).items() >= surface.retry_headers(1000).items()
        assert caller.listed() == [held]
        other.execute("ROLLBACK")
    assert app.dump() == before
    assert caller.start()
    assert "Retry-After" not in caller.call("GET", LISTS[surface.name]).headers


IDS = ("x", UNKNOWN_ID, "%00", "%ff", "ä", "%ED%A0%80", "..%2f", "'; --", "{id}", "a" * 5000, "🙂")


@each_surface
def test_an_unknown_or_malformed_id_is_404_on_every_route(app: App, surface: Surface) -> None:
    caller = Caller(surface.name, app)
    caller.start()
    before = app.dump()
    for route in routes_of(surface):
        if f"{surface.name}_session_id" in route.names():
            for id in IDS:
                body = json.dumps(route.body(dict.fromkeys(PLACEHOLDERS, id))).encode()
                answer = caller.call(route.method, path_of(route, id), body)
                assert answer.status_code == 404, answer.text
    assert app.dump() == before


@each_surface
def test_reading_writes_nothing(app: App, surface: Surface) -> None:
    caller = Caller(surface.name, app)
    ids = caller.hold(), caller.start()
    for minutes in (1, 20, 2000):
        app.advance(minutes=minutes)
        before = app.dump()
        for route in ROUTES:
            if (route.surface, route.method) == (surface.name, "GET"):
                for id in (*ids, UNKNOWN_ID):
                    caller.call("GET", path_of(route, id))
        assert app.dump() == before


@pytest.mark.parametrize("surface", [each for each in SURFACES if each.name != "scale"])
def test_a_user_of_no_organization_gets_403_for_a_valid_body(strict: App, surface: Surface) -> None:
    cleo, before = Caller(surface.name, strict, "cleo"), strict.dump()
    for route in routes_of(surface):
        body = json.dumps(route.body(dict.fromkeys(PLACEHOLDERS, UNKNOWN_ID))).encode()
        if not route.rule.endswith("/organizations"):
            assert_error(surface, cleo.call(route.method, path_of(route), body), 403)
        if route.operation.body is not None:
            assert cleo.call(route.method, path_of(route), b"[]").status_code in (400, 422)
    assert strict.dump() == before

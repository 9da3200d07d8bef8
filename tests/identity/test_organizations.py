"""Resources of another organization do not exist, and roles hold, on every route."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import create_app, identity, ids
from sessionary.settings import Settings
from tests.conftest import App
from tests.identities import ROB
from tests.identity.routes import BODIES, GUARDED, QUERIES, ROUTES, Route
from tests.seed_rows import row
from tests.surfaces.callers import ERROR_BODIES

MARK = "written-by-ana-only"
EVE = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a06"
ANAS = {
    "organization": "acme",
    "scale_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01",
    "mobilenext_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02",
    "device": "anas-phone",
    "notte_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b03",
    "galtea_session_id": "session_anas",
    "version_id": "version_anas",
    "test_case_id": "testCase_anas",
    "test_id": "test_anas",
}
MISSING = {
    "organization": "nope",
    "scale_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0c01",
    "mobilenext_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0c02",
    "device": "none-phone",
    "notte_session_id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0c03",
    "galtea_session_id": "session_none",
    "version_id": "version_none",
    "test_case_id": "testCase_none",
    "test_id": "test_none",
}


def membership(organization: str, role: str) -> str:
    return f'memberships = [{{ organization = "{organization}", role = "{role}" }}]'


SEED = "".join(
    (
        row("organizations", f'name = "{MARK}"'),
        row("organizations", 'id = "zeta"; name = "Zeta"'),
        row("users"),
        row("users", f'id = "{EVE}"; default_organization = "zeta"; {membership("zeta", "admin")}'),
        row("users", f'id = "{ROB}"; {membership("acme", "readonly")}'),
        row("keys", 'secret = "ana"'),
        row("keys", f'secret = "eve"; user = "{EVE}"'),
        row("keys", f'secret = "rob"; user = "{ROB}"'),
        row("devices", f'serial = "{ANAS["device"]}"; platform = "android"; name = "Pixel 9"'),
        row("devices", 'serial = "free"'),
        row(
            "scale.sessions",
            f'id = "{ANAS["scale_session_id"]}"; title = "{MARK}"; state = {{ text = "{MARK}" }}',
        ),
        row(
            "mobilenext.sessions",
            f'id = "{ANAS["mobilenext_session_id"]}"; device = "{ANAS["device"]}"',
        ),
        row("notte.sessions", f'id = "{ANAS["notte_session_id"]}"; created_ago = "1m"'),
        row("notte.sessions", f'id = "{EVE}"; organization = "zeta"; created_ago = "2m"'),
        row("galtea.products", f'id = "product_anas"; name = "{MARK}"; organization = "acme"'),
        row(
            "galtea.versions",
            f'id = "{ANAS["version_id"]}"; product = "product_anas"; name = "{MARK}"; '
            'organization = "acme"',
        ),
        row(
            "galtea.test_cases",
            f'id = "{ANAS["test_case_id"]}"; test = "{ANAS["test_id"]}"; '
            f'context = {{ text = "{MARK}" }}; organization = "acme"',
        ),
        row(
            "galtea.sessions",
            f'id = "{ANAS["galtea_session_id"]}"; version = "{ANAS["version_id"]}"; '
            f'custom_id = "{MARK}"',
        ),
    )
)
SELECTING = ("x-selected-account-id", "X-Organization-Id")
WITHDRAW = row("users", "default_organization =; memberships = []")


def each(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=lambda each: f"{each.method} {each.rule}")


each_route, each_write = each(GUARDED), each([one for one in GUARDED if one.method != "GET"])
Outcome = tuple[int, str, list[Any]]


@pytest.fixture(scope="module")
def prepared() -> Iterator[tuple[App, bytes]]:
    """A strict namespace where only Ana has resources, and its contents."""
    app = App(create_app(Settings(db=":memory:", seed=None, durability="off")))
    with closing(app.namespace):
        app.seed(SEED)
        with app.namespace.activate():
            ids.seed("organizations")
        yield app, app.namespace.contents()


@pytest.fixture
def app(prepared: tuple[App, bytes]) -> App:
    """The same namespace for each test."""
    app, contents = prepared
    app.namespace.restore(contents)
    return app


def send(app: App, route: Route, key: str, path: str, **given: Any) -> TestResponse:
    key_headers = {"Authorization": f"Bearer {key}", "x-api-key": key, "X-Request-Id": "one"}
    headers = {**key_headers, **given.pop("headers", {})}
    return app.client.open(path, method=route.method, headers=headers, **given)


def outcome(
    app: App, route: Route, names: Mapping[str, str], key: str = "eve", **given: Any
) -> Outcome:
    """Send as Eve with these names; return the status, the response and all rows after it."""
    before = app.namespace.contents()
    response = send(app, route, key, route.path(names), json=route.body(names), **given)
    held = app.dump()
    app.namespace.restore(before)
    text = f"{response.text} {sorted(response.headers.items())}"
    return response.status_code, text, held


def with_anas_names(outcome: Outcome) -> Outcome:
    """Replace the missing names of an outcome with Ana's."""
    status, text, held = outcome
    mapped = json.dumps([text, held])
    for name, missing in MISSING.items():
        mapped = mapped.replace(missing, ANAS[name])
    text, held = json.loads(mapped)
    return status, text, held


def test_every_route_has_a_sample_body_and_query() -> None:
    """A new route fails until routes.py has its body, its query and the names of its path."""
    assert BODIES.keys() == {route.case for route in ROUTES if route.operation.body is not None}
    assert QUERIES.keys() == {route.case for route in ROUTES if route.operation.query is not None}
    assert set().union(*(route.names() for route in ROUTES)) <= ANAS.keys()
    assert ANAS.keys() == MISSING.keys()


@each_route
def test_a_request_without_a_key_learns_nothing(app: App, route: Route) -> None:
    response = app.client.open(route.path(ANAS), method=route.method, json=route.body(ANAS))
    assert response.status_code == 401


@each_route
def test_ana_can_reach_her_own_resources(app: App, route: Route) -> None:
    """Otherwise the tests below would prove nothing."""
    response = send(app, route, "ana", route.path(ANAS), json=route.body(ANAS))
    assert response.status_code < 300, response.text


@each_route
def test_anas_resources_do_not_exist_for_eve(app: App, route: Route) -> None:
    """Compared by response, headers and all rows."""
    anas = outcome(app, route, ANAS)
    assert anas == with_anas_names(outcome(app, route, MISSING))


@each_route
def test_anas_organization_does_not_exist_for_eve(app: App, route: Route) -> None:
    """Even if she selects it by a header."""
    anas, missing = (
        outcome(app, route, names, headers=dict.fromkeys(SELECTING, names["organization"]))
        for names in (ANAS, MISSING)
    )
    assert anas == with_anas_names(missing)


@pytest.mark.parametrize(
    "route",
    [route for route in GUARDED if route.method == "GET" and not route.names()],
    ids=lambda each: each.rule,
)
def test_lists_do_not_show_eve_anas_resources(app: App, route: Route) -> None:
    for with_query in (True, False):
        shown = send(app, route, "eve", route.path(MISSING, with_query=with_query))
        assert not [each for each in (MARK, *ANAS.values()) if each in shown.text]
    hers = send(app, route, "ana", route.path(ANAS))
    assert any(each in hers.text for each in (MARK, *ANAS.values()))


@each_write
def test_a_readonly_member_is_refused_in_the_vendor_s_words_and_writes_nothing(
    app: App, route: Route
) -> None:
    """Generated from the URL map, so that a new write route is covered. It takes no write lock.

    But Scale has a role for each account: only the session's row, read in the lock, names it.
    """
    before, statements = app.namespace.contents(), list[str]()
    app.namespace.connection().set_trace_callback(statements.append)
    response = send(app, route, "rob", route.path(ANAS), json=route.body(ANAS))
    assert response.status_code == 403, response.text
    ERROR_BODIES[route.surface](response)
    assert "role" in response.text
    reads_row_first = route.surface == "scale" and "<session_id>" in route.rule
    assert ("BEGIN IMMEDIATE" in statements) == reads_row_first
    assert app.namespace.contents() == before


@each([route for route in GUARDED if route.method == "GET"])
def test_a_readonly_member_can_read(app: App, route: Route) -> None:
    shown = [send(app, route, key, route.path(ANAS)).json for key in ("ana", "rob")]
    assert route.rule.endswith(("/user-info", "/organizations")) or shown[0] == shown[1]


@each_route
def test_a_withdrawn_membership_leaves_nothing_of_the_organization(app: App, route: Route) -> None:
    """Even if the header selects it, or the user's default is still there."""
    app.seed(WITHDRAW)
    with app.namespace.activate():
        identity.User.update(default_organization="acme").execute()
    for headers in ({}, dict.fromkeys(SELECTING, "acme")):
        status, text, held = outcome(app, route, ANAS, "ana", headers=headers)
        assert MARK not in text
        assert route.method == "GET" or status in (403, 404)
        assert held == outcome(app, route, MISSING, "nobody")[2]

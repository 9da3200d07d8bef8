"""What belongs to another organization is as what does not exist: on every route that there is."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import create_app, ids
from sessionary.settings import Settings
from tests.conftest import App
from tests.identity.routes import BODIES, GUARDED, QUERIES, ROUTES, Route

MARK = "said-by-ana-alone"
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
NOBODYS = {
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
SEED = f"""
[[organizations]]
id = "acme"
name = "{MARK}"
[[organizations]]
id = "zeta"
name = "Zeta"
[[users]]
id = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
name = "Ana"
default_organization = "acme"
memberships = [{{ organization = "acme", role = "admin" }}]
[[users]]
id = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
name = "Eve"
default_organization = "zeta"
memberships = [{{ organization = "zeta", role = "admin" }}]
[[keys]]
secret = "ana"
user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
[[keys]]
secret = "eve"
user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
[[devices]]
serial = "{ANAS["device"]}"
platform = "android"
type = "real"
name = "Pixel 9"
version = "16"
[[devices]]
serial = "free"
platform = "ios"
type = "real"
name = "iPhone 17"
version = "26.1"
[[scale.sessions]]
id = "{ANAS["scale_session_id"]}"
account_id = "acme"
title = "{MARK}"
state = {{ text = "{MARK}" }}
created_ago = "1m"
[[mobilenext.sessions]]
id = "{ANAS["mobilenext_session_id"]}"
organization = "acme"
user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
device = "{ANAS["device"]}"
created_ago = "1m"
[[notte.sessions]]
id = "{ANAS["notte_session_id"]}"
organization = "acme"
created_ago = "1m"
[[notte.sessions]]
id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0e01"
organization = "zeta"
created_ago = "2m"
[[galtea.products]]
id = "product_anas"
name = "{MARK}"
organization = "acme"
[[galtea.versions]]
id = "{ANAS["version_id"]}"
product = "product_anas"
name = "{MARK}"
organization = "acme"
[[galtea.test_cases]]
id = "{ANAS["test_case_id"]}"
test = "{ANAS["test_id"]}"
context = {{ text = "{MARK}" }}
organization = "acme"
[[galtea.sessions]]
id = "{ANAS["galtea_session_id"]}"
organization = "acme"
version = "{ANAS["version_id"]}"
custom_id = "{MARK}"
created_ago = "1m"
"""
SELECTING = ("x-selected-account-id", "X-Organization-Id")
each_route = pytest.mark.parametrize(
    "route", GUARDED, ids=lambda each: f"{each.method} {each.rule}"
)
Outcome = tuple[int, str, list[Any]]


@pytest.fixture(scope="module")
def prepared() -> Iterator[tuple[App, bytes]]:
    """A strict namespace in which only Ana has anything, and all that it holds."""
    app = App(create_app(Settings(db=":memory:", seed=None, durability="off")))
    with closing(app.namespace):
        app.seed(SEED)
        with app.namespace.activate():
            ids.seed("organizations")
        yield app, app.namespace.contents()


@pytest.fixture
def app(prepared: tuple[App, bytes]) -> App:
    """The same namespace at each call of `ask` and each test."""
    app, contents = prepared
    app.namespace.restore(contents)
    return app


def ask(app: App, route: Route, key: str, path: str, **given: Any) -> TestResponse:
    who = {"Authorization": f"Bearer {key}", "x-api-key": key, "X-Request-Id": "one"}
    headers = {**who, **given.pop("headers", {})}
    return app.client.open(path, method=route.method, headers=headers, **given)


def outcome(app: App, route: Route, names: Mapping[str, str], **given: Any) -> Outcome:
    """What Eve is answered who names these, and what everything holds thereafter."""
    before = app.namespace.contents()
    said = ask(app, route, "eve", route.path(names), json=route.body(names), **given)
    with app.namespace.activate():
        held = list(app.namespace.connection().iterdump())
    app.namespace.restore(before)
    told = f"{said.text} {sorted(said.headers.items())}"
    return said.status_code, told, held


def as_if(outcome: Outcome) -> Outcome:
    """The same with Ana's names where nobody's were."""
    status, text, held = outcome
    mapped = json.dumps([text, held])
    for name, nobodys in NOBODYS.items():
        mapped = mapped.replace(nobodys, ANAS[name])
    text, held = json.loads(mapped)
    return status, text, held


def test_every_route_has_a_sample_body_and_query() -> None:
    """A new one fails until routes.py has its body, its query, and what its path names."""
    assert BODIES.keys() == {route.case for route in ROUTES if route.operation.body is not None}
    assert QUERIES.keys() == {route.case for route in ROUTES if route.operation.query is not None}
    assert set().union(*(route.names() for route in ROUTES)) <= ANAS.keys()
    assert ANAS.keys() == NOBODYS.keys()


@each_route
def test_a_request_without_a_key_learns_nothing(app: App, route: Route) -> None:
    said = app.client.open(route.path(ANAS), method=route.method, json=route.body(ANAS))
    assert said.status_code == 401


@each_route
def test_ana_can_reach_her_own_resources(app: App, route: Route) -> None:
    """So that what follows tries something."""
    said = ask(app, route, "ana", route.path(ANAS), json=route.body(ANAS))
    assert said.status_code < 300, said.text


@each_route
def test_anas_resources_do_not_exist_for_eve(app: App, route: Route) -> None:
    """In answer, headers and all rows."""
    anas = outcome(app, route, ANAS)
    assert anas == as_if(outcome(app, route, NOBODYS))


@each_route
def test_anas_organization_does_not_exist_for_eve(app: App, route: Route) -> None:
    """When she selects it by a header."""
    anas, nobodys = (
        outcome(app, route, names, headers=dict.fromkeys(SELECTING, names["organization"]))
        for names in (ANAS, NOBODYS)
    )
    assert anas == as_if(nobodys)


@pytest.mark.parametrize(
    "route",
    [route for route in GUARDED if route.method == "GET" and not route.names()],
    ids=lambda each: each.rule,
)
def test_lists_do_not_show_eve_anas_resources(app: App, route: Route) -> None:
    for asks in (True, False):
        shown = ask(app, route, "eve", route.path(NOBODYS, asks=asks))
        assert not [each for each in (MARK, *ANAS.values()) if each in shown.text]
    hers = ask(app, route, "ana", route.path(ANAS))
    assert any(each in hers.text for each in (MARK, *ANAS.values()))

"""A client of Galtea's routes, and a namespace with organizations, keys and references."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import create_app
from sessionary.identity import Key, Membership, Organization, User
from sessionary.seeds.loader import Seeded
from sessionary.settings import Settings
from sessionary.surfaces.galtea import models
from tests.conftest import NOON, App

ANA = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
ZOE = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
NOWHERE = f"session_{'0' * 24}"

NAMESPACE = f"""
[[organizations]]
id = "acme"
name = "Acme"
[[organizations]]
id = "zeta"
name = "Zeta"

[[users]]
id = "{ANA}"
name = "Ana"
default_organization = "acme"
memberships = [
  {{ organization = "acme", role = "admin" }}, {{ organization = "zeta", role = "readwrite" }}
]
[[users]]
id = "{ZOE}"
name = "Zoe"
default_organization = "zeta"
memberships = [{{ organization = "zeta", role = "admin" }}]
[[users]]
id = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a03"
name = "Nomad"
memberships = []

[[keys]]
secret = "gsk_ana"
user = "{ANA}"
surface = "galtea"
[[keys]]
secret = "gsk-ana-in-zeta"
user = "{ANA}"
organization = "zeta"
[[keys]]
secret = "gsk_zoe"
user = "{ZOE}"
[[keys]]
secret = "gsk_nomad"
user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a03"
[[keys]]
secret = "gsk_elsewhere"
user = "{ANA}"
surface = "scale"
[[keys]]
secret = "gsk_expired"
user = "{ANA}"
expires_at = 2026-03-01T12:00:00Z

[[galtea.products]]
id = "product_p1"
name = "Assistant"
[[galtea.tests]]
id = "test_s1"
name = "Refunds"
[[galtea.versions]]
id = "version_v1"
product = "product_p1"
name = "first"
created_ago = "2d"
[[galtea.versions]]
id = "version_v2"
product = "product_p1"
name = "second"
created_ago = "1d"
[[galtea.versions]]
id = "version_of_zeta"
organization = "zeta"
product = "product_p1"
[[galtea.test_cases]]
id = "testCase_t1"
test = "test_s1"
context = {{ persona = "impatient" }}
[[galtea.test_cases]]
id = "testCase_t2"
test = "test_s2"
[[galtea.test_cases]]
id = "testCase_of_zeta"
organization = "zeta"
test = "test_s3"
context = "theirs"
"""


class Api:
    """Calls of one app with one key."""

    def __init__(self, app: App, key: str) -> None:
        self.app = app
        self._headers = {"Authorization": f"Bearer {key}"}
        self._client = app.client

    def call(self, method: str, path: str, **arguments: Any) -> TestResponse:
        """Any call; `json` is sent with its keys in the given order."""
        headers = {**self._headers, **arguments.pop("headers", {})}
        if "json" in arguments:
            arguments["data"] = json.dumps(arguments.pop("json"))
            arguments["content_type"] = "application/json"
        return self._client.open(path, method=method, headers=headers, **arguments)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a session, which must be accepted."""
        response = self.post(**{"versionId": "ver_123", **fields})
        assert response.status_code == 201, response.text
        return response.json

    def post(self, **fields: Any) -> TestResponse:
        return self.call("POST", "/galtea/sessions", json=fields)

    def get(self, session_id: str) -> TestResponse:
        return self.call("GET", f"/galtea/sessions/{session_id}")

    def patch(self, session_id: str, **fields: Any) -> TestResponse:
        return self.call("PATCH", f"/galtea/sessions/{session_id}", json=fields)

    def finish(self, session_id: str, **fields: Any) -> TestResponse:
        return self.call("PATCH", f"/galtea/sessions/{session_id}/finish", json=fields)

    def delete(self, session_id: str) -> TestResponse:
        return self.call("DELETE", f"/galtea/sessions/{session_id}")

    def delete_batch(self, ids: Any) -> TestResponse:
        return self.call("DELETE", "/galtea/sessions/batch", json={"ids": ids})

    def get_list(self, query: str = "") -> TestResponse:
        return self.call("GET", f"/galtea/sessions?{query}")

    def list_ids(self, query: str = "") -> list[str]:
        """The ids in a list, which must be answered."""
        response = self.get_list(query)
        assert response.status_code == 200, response.text
        return [session["id"] for session in response.json]

    def rows(self) -> list[tuple[Any, ...]]:
        """All stored sessions and references."""
        return self.app.rows("galtea_sessions") + self.app.rows("galtea_parents")


@pytest.fixture
def make_api() -> Callable[..., Api]:
    """Make a client of an app, by its key."""
    return lambda app, key="gsk_anyone": Api(app, key)


@pytest.fixture(scope="session")
def shared_app() -> Iterator[Callable[[str], App]]:
    """One application for each auth mode: making one takes longer than a test."""
    made: dict[str, App] = {}

    def of(auth: str) -> App:
        if auth not in made:
            settings = Settings(db=":memory:", auth=auth, durability="off")
            made[auth] = App(create_app(settings))
        return clear(made[auth])

    yield of
    for app in made.values():
        app.namespace.close()


def clear(app: App) -> App:
    """Empty the namespace of an application and freeze its clock at NOON."""
    with app.namespace.activate():
        for table in (*models.TABLES, Seeded, Key, Membership, User, Organization):
            table.delete().execute()
    app.freeze(NOON)
    return app


@pytest.fixture
def app(shared_app: Callable[[str], App]) -> App:
    """A lenient namespace without a seed."""
    return shared_app("lenient")


@pytest.fixture
def namespace(shared_app: Callable[[str], App]) -> App:
    """A strict namespace with organizations, keys and references."""
    app = shared_app("strict")
    app.seed(NAMESPACE)
    return app


@pytest.fixture
def api(app: App) -> Api:
    """A client of the lenient namespace."""
    return Api(app, "gsk_anyone")


@pytest.fixture
def ana(namespace: App) -> Api:
    """Ana of acme, in the seeded namespace."""
    return Api(namespace, "gsk_ana")


def assert_error(response: TestResponse, status: int, saying: str) -> None:
    """Check for Galtea's error: both keys, in JSON, with these words in its message."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert response.json.keys() == {"error", "message"}
    assert all(isinstance(text, str) and text for text in response.json.values())
    assert saying in response.json["message"]

"""A client of Galtea's routes, and a namespace with organizations, keys and references."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests import identities
from tests.conftest import App, MakeApp
from tests.surfaces.conftest import SharedApp

NOWHERE = f"session_{'0' * 24}"
SEED = (
    identities.seed("galtea")
    + f"""
[[keys]]
secret = "gsk-ana"
user = "{identities.ANA}"
organization = "zeta"
[galtea]
products = [{{ id = "product_p1", name = "Assistant" }}]
tests = [{{ id = "test_s1", name = "Refunds" }}]
versions = [
  {{ id = "version_v1", product = "product_p1", name = "first", created_ago = "2d" }},
  {{ id = "version_v2", product = "product_p1", name = "second", created_ago = "1d" }},
  {{ id = "version_of_zeta", product = "product_p1", organization = "zeta" }},
]
test_cases = [
  {{ id = "testCase_t1", test = "test_s1", context = {{ persona = "impatient" }} }},
  {{ id = "testCase_t2", test = "test_s2" }},
  {{ id = "testCase_of_zeta", test = "test_s3", context = "theirs", organization = "zeta" }},
]
"""
)


# What a new session shows beside its id, version and instant.
NEW = {
    "customId": None,
    "userId": None,
    "testCaseId": None,
    "context": None,
    "stoppingReason": None,
    "error": None,
    "status": "PENDING",
    "isProduction": True,
    "metadata": None,
    "deletedAt": None,
    "recordingUri": None,
    "runId": None,
    "isSeed": False,
}


class Api:
    """Calls of one app with one key."""

    def __init__(self, app: App, key: str = "gsk_anyone") -> None:
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
        return dict(response.json)

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
def strict(shared_app: SharedApp) -> App:
    """A strict namespace with people, keys and references."""
    return shared_app("strict", SEED)


@pytest.fixture
def api(app: App) -> Api:
    """A client of the lenient namespace."""
    return Api(app)


@pytest.fixture
def closing(make_app: MakeApp) -> Api:
    """A client of a namespace where sessions close by themselves after 30 minutes."""
    return Api(make_app(galtea_auto_close_minutes=30))


@pytest.fixture
def ana(strict: App) -> Api:
    """Ana of acme, in the seeded namespace."""
    return Api(strict, "gsk_ana")


@pytest.fixture
def zoe(strict: App) -> Api:
    """Zoe of zeta, in the seeded namespace."""
    return Api(strict, "gsk_zoe")


def assert_error(response: TestResponse, status: int, saying: str) -> None:
    """Check for Galtea's error: both keys, in JSON, with these words in its message."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert response.json.keys() == {"error", "message"}
    assert all(isinstance(text, str) and text for text in response.json.values())
    assert saying in response.json["message"]

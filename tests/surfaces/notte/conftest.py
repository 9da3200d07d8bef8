"""Calls to Notte's surface as a client makes them."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import Sandbox

KEY = "sk-notte-ana"


class Calls:
    """Calls with one key; the paths are Notte's own, below the surface's prefix."""

    def __init__(self, client: FlaskClient, key: str = KEY, prefix: str = "/notte") -> None:
        self.client = client
        self.prefix = prefix
        self.headers = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a body as JSON; one that is bytes goes as it is."""
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
        options.setdefault("content_type", "application/json")
        return self.client.post(self.prefix + path, data=data, headers=self.headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(self.prefix + path, query_string=query, headers=self.headers)

    def delete(self, path: str, **query: Any) -> TestResponse:
        return self.client.delete(self.prefix + path, query_string=query, headers=self.headers)

    def start(self, **body: Any) -> dict[str, Any]:
        """A session that v1 started."""
        return answered(self.post("/session/start", body))

    def start_v4(self, **body: Any) -> dict[str, Any]:
        """A session that v4 started."""
        return answered(self.post("/sessions/start", body))

    def status(self, session_id: str) -> dict[str, Any]:
        return answered(self.get(f"/sessions/{session_id}"))

    def listed(self, **query: Any) -> list[str]:
        """The ids of a page of v4's list."""
        return [item["session_id"] for item in answered(self.get("/sessions/", **query))["items"]]


def answered(response: TestResponse) -> Any:
    """The body of an answer, which is exactly 200 and never looks like a refusal."""
    assert response.status_code == 200, response.get_data(as_text=True)
    assert "detail" not in response.json
    return response.json


def refused(response: TestResponse, status: int) -> Any:
    """The detail of a refusal with this status."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/json"
    assert response.json.keys() <= {"detail", "session_id"}
    return response.json["detail"]


@pytest.fixture
def notte(sandbox: Sandbox) -> Calls:
    return Calls(sandbox.client)

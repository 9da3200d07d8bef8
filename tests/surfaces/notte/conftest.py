"""Calls to Notte's surface as a client makes them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import create_app
from sessionary.embedded import EmbeddedServer
from sessionary.settings import Settings
from tests import identities
from tests.conftest import App
from tests.surfaces.conftest import SharedApp

KEY = identities.key("notte", "ana")
SEED = identities.seed("notte")
ACTIVE = "00000000-0000-4000-8000-00000000ac71"
CLOSED = "00000000-0000-4000-8000-000000c105ed"
FAILED = "00000000-0000-4000-8000-0000000fa11d"
TIMED_OUT = "00000000-0000-4000-8000-00000071ed00"
# One session in each state; the active one is a minute old.
_STATES = {
    ACTIVE: 'created_ago = "1m"',
    CLOSED: 'created_ago = "4m"\nclosed_ago = "1m"',
    FAILED: 'created_ago = "4m"\nclosed_ago = "1m"\nerror = "crashed"',
    TIMED_OUT: 'created_ago = "20m"\nlast_accessed_ago = "10m"\nmax_duration_minutes = 60',
}
SESSIONS = "".join(
    f'[[notte.sessions]]\nid = "{id}"\norganization = "acme"\n{facts}\n'
    for id, facts in _STATES.items()
)


class NotteClient:
    """Calls with one key; the paths are Notte's own, without the surface's prefix."""

    def __init__(self, app: App, key: str = KEY, prefix: str = "/notte") -> None:
        self.app = app
        self.client = app.client
        self.prefix = prefix
        self.headers = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a body as JSON; bytes are sent unchanged."""
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
        options.setdefault("content_type", "application/json")
        return self.client.post(self.prefix + path, data=data, headers=self.headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(self.prefix + path, query_string=query, headers=self.headers)

    def delete(self, path: str, **query: Any) -> TestResponse:
        return self.client.delete(self.prefix + path, query_string=query, headers=self.headers)

    def start(self, **body: Any) -> dict[str, Any]:
        """Start a session with v1."""
        return ok_json(self.post("/session/start", body))

    def start_v4(self, **body: Any) -> dict[str, Any]:
        """Start a session with v4."""
        return ok_json(self.post("/sessions/start", body))

    def status(self, session_id: str) -> dict[str, Any]:
        return ok_json(self.get(f"/sessions/{session_id}"))

    def list_ids(self, **query: Any) -> list[str]:
        """The ids of a page of v4's list."""
        return [item["session_id"] for item in ok_json(self.get("/sessions/", **query))["items"]]


def ok_json(response: TestResponse) -> Any:
    """The body of an answer, which must have status 200 and no detail."""
    assert response.status_code == 200, response.get_data(as_text=True)
    assert "detail" not in response.json
    return response.json


def error_detail(response: TestResponse, status: int) -> Any:
    """The detail of an error, which must have this status."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/json"
    assert response.json.keys() <= {"detail", "session_id"}
    return response.json["detail"]


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """Base URLs of two served namespaces with SESSIONS: one with the prefix, one at the root."""
    with ExitStack() as stack:
        served = []
        for prefix in ("/notte", ""):
            settings = Settings(db=":memory:", auth="strict", durability="off")
            app = App(create_app(settings))
            stack.callback(app.namespace.close)
            app.seed(SEED + SESSIONS)
            served.append(stack.enter_context(EmbeddedServer(app.flask_app)).url + prefix)
        yield served


@pytest.fixture
def strict(shared_app: SharedApp) -> App:
    """A strict namespace with people and keys."""
    return shared_app("strict", SEED)


@pytest.fixture
def notte(app: App) -> NotteClient:
    return NotteClient(app)

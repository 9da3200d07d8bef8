"""A double for tests, with helpers for its control plane."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from sessionary.control.blueprint import Control
from sessionary.factory import create_double
from tests.conftest import double_settings

NOON = "2026-03-01T12:00:00.000000Z"
NOTTE = {"Authorization": "Bearer sk-notte-1"}
GALTEA = {"Authorization": "Bearer gsk_1"}
SCALE = {"x-api-key": "key"}
MOBILENEXT = {"Authorization": "Bearer mob_1"}


class Double:
    """A double with a default namespace that is frozen at NOON."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.control: Control = app.extensions["sessionary.control"]
        self.put("/clock", {"mode": "frozen", "now": NOON})

    def call(self, method: str, path: str, *, ns: str | None = None, **given: Any) -> TestResponse:
        """Call the control plane in a namespace."""
        prefix = "" if ns is None else f"/~{ns}"
        return self.client.open(f"{prefix}/_control/v1{path}", method=method, **given)

    def get(self, path: str, *, status: int = 200, **given: Any) -> Any:
        answer = self.call("GET", path, **given)
        assert answer.status_code == status, answer.text
        return answer.json

    def put(self, path: str, body: Any, *, status: int = 200, **given: Any) -> Any:
        answer = self.call("PUT", path, json=body, **given)
        assert answer.status_code == status, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, *, status: int = 200, **given: Any) -> Any:
        answer = self.call("POST", path, json={} if body is None else body, **given)
        assert answer.status_code == status, answer.text
        return answer.json

    def calls(self, query: str = "", ns: str | None = None) -> list[dict[str, Any]]:
        """List recorded calls."""
        found: list[dict[str, Any]] = self.get(f"/journal{query}", ns=ns)["calls"]
        return found

    def newest_call(self) -> dict[str, Any]:
        return self.calls()[-1]

    def advance(self, by: Any) -> None:
        self.post("/clock/advance", {"by": by})

    def start(self, ns: str | None = None, **body: Any) -> str:
        """Start a Notte session; return its id."""
        prefix = "" if ns is None else f"/~{ns}"
        answer = self.client.post(f"{prefix}/notte/session/start", json=body, headers=NOTTE)
        assert answer.status_code == 200, answer.text
        return str(answer.json["session_id"])

    def status(self, id: str, ns: str | None = None, **headers: str) -> str | None:
        """Return a Notte session's status, or None."""
        prefix = "" if ns is None else f"/~{ns}"
        answer = self.client.get(f"{prefix}/notte/sessions/{id}", headers=NOTTE | headers)
        return answer.json["status"] if answer.status_code == 200 else None

    def close(self, id: str) -> None:
        body = {"session_id": id}
        answer = self.client.post("/notte/session/close", json=body, headers=NOTTE)
        assert answer.status_code == 200, answer.text


MakeDouble = Callable[..., Double]


@pytest.fixture
def make_double() -> Iterator[MakeDouble]:
    """A factory of doubles with given settings."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Double:
            double = Double(create_double(double_settings(**settings)))
            assert double.control.namespaces is not None
            stack.callback(double.control.namespaces.close)
            return double

        yield make


@pytest.fixture(scope="session")
def shared_application() -> Iterator[Flask]:
    """One application for all tests: resetting its namespaces is faster than creating it."""
    app = create_double()
    yield app
    app.extensions["sessionary.control"].namespaces.close()


@pytest.fixture
def double(shared_application: Flask) -> Double:
    """A double with one new namespace."""
    namespaces = shared_application.extensions["sessionary.control"].namespaces
    for name in namespaces.names():
        if name != "default":
            namespaces.drop(name)
    namespaces.reset("default")
    return Double(shared_application)

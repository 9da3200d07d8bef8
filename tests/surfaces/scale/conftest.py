"""Accounts, roles and keys, and callers that send requests as Scale's clients do."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests import identities
from tests.conftest import App
from tests.surfaces.conftest import SharedApp

UNKNOWN_ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6cffff"
SEED = identities.seed("scale", ana_default="zeta")


class Caller:
    """A caller with a key, and optionally a selected account."""

    def __init__(self, app: App, key: str, selected: str | None = None) -> None:
        self.app = app
        self.headers = {"x-api-key": key}
        if selected is not None:
            self.headers["x-selected-account-id"] = selected

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        return self.app.client.open(path, method=method, headers=self.headers, **given)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query or None)

    def send(self, method: str, path: str, body: Any) -> TestResponse:
        """Send JSON with its keys in order; Flask's client would sort them."""
        return self.call(method, path, data=json.dumps(body), content_type="application/json")

    def post(self, body: Any, path: str = "/v4/sessions") -> TestResponse:
        return self.send("POST", path, body)

    def patch(self, session_id: str, body: Any) -> TestResponse:
        return self.send("PATCH", f"/v4/sessions/{session_id}", body)

    def delete(self, session_id: str) -> TestResponse:
        return self.call("DELETE", f"/v4/sessions/{session_id}")

    def create(self, account_id: str = "acme", **fields: Any) -> Any:
        answer = self.post({"title": "t", "state": {}, "account_id": account_id, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json

    def show(self, session_id: str) -> Any:
        answer = self.get(f"/v4/sessions/{session_id}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def page(self, **query: Any) -> Any:
        answer = self.get("/v4/sessions", **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def titles(self, **query: Any) -> list[str]:
        return [each["title"] for each in self.page(**query)["items"]]


def count_rows(app: App) -> list[tuple[Any, ...]]:
    """Count live and archived rows by account."""
    with app.namespace.activate():
        return list(
            app.namespace.database.run(
                "SELECT account_id, SUM(archived_at IS NULL), SUM(archived_at IS NOT NULL) "
                "FROM scale_sessions GROUP BY account_id ORDER BY account_id"
            )
        )


@pytest.fixture
def anyone(app: App) -> Caller:
    """A caller with any key in a lenient namespace without declared accounts."""
    return Caller(app, "anything")


@pytest.fixture
def strict(shared_app: SharedApp) -> App:
    """A strict namespace with accounts, users and keys."""
    return shared_app("strict", SEED)


@pytest.fixture
def ana(strict: App) -> Caller:
    """An admin of acme who also writes in zeta."""
    return Caller(strict, "ana")


@pytest.fixture
def rob(strict: App) -> Caller:
    """A reader in acme who writes in mars."""
    return Caller(strict, "rob")


@pytest.fixture
def bot(strict: App) -> Caller:
    """A service account that writes in acme."""
    return Caller(strict, "bot")


def assert_error(answer: TestResponse, status: int, *words: str) -> None:
    """Assert an error in Scale's shape, with these words in its text."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/json"
    assert list(answer.json) == ["detail"]
    assert isinstance(answer.json["detail"], list if status == 422 else str)
    for word in words:
        assert word in str(answer.json["detail"])


def violations(answer: TestResponse) -> dict[tuple[Any, ...], tuple[str, str]]:
    """Return the type and message of each violation by its location."""
    assert_error(answer, 422)
    return {tuple(each["loc"]): (each["type"], each["msg"]) for each in answer.json["detail"]}

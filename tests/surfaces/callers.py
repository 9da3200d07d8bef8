"""One caller of any surface, the calls that start a session there, and its tables."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sessionary.surfaces import SURFACES
from tests import identities
from tests.conftest import App
from tests.seed_rows import row
from tests.surfaces.conftest import SharedApp
from tests.surfaces.galtea import conftest as galtea
from tests.surfaces.mobilenext.api_client import ANDROID, error_of
from tests.surfaces.mobilenext.api_client import TABLES as MOBILENEXT_TABLES
from tests.surfaces.scale import conftest as scale

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Caller:
    """A caller of one surface with the key of `who`; `started` is its last session."""

    started = ""
    organization = "acme"  # of a new session

    def __init__(self, vendor: str, app: App, who: str = "anyone") -> None:
        self.client: FlaskClient = app.client
        self.app = app
        self.vendor = vendor
        key = identities.key(vendor, who)
        self.headers = {"x-api-key": key} if vendor == "scale" else bearer(key)

    def call(self, method: str, path: str, data: bytes | None = None, **given: Any) -> TestResponse:
        headers = {"Content-Type": "application/json", **self.headers, **given.pop("headers", {})}
        return self.client.open(path, method=method, data=data, headers=headers, **given)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The body of the answer to a call, which must succeed."""
        response = self.call(method, path, None if body is None else json.dumps(body).encode())
        assert response.status_code < 300, response.text
        return response.json

    def start(self) -> str:
        """Start a session and return its id."""
        method, path, body = START[self.vendor]
        if self.vendor == "scale":
            body = {**body, "account_id": self.organization}
        shown = self.json(method, path, body)
        self.started = str(shown["session_id" if self.vendor == "notte" else "id"])
        return self.started

    def hold(self) -> str:
        """Start a session that lists show; return its id."""
        id = self.start()
        if self.vendor == "mobilenext":
            self.json("POST", f"/api/v1/sessions/{id}/devices", {"filters": [ANDROID]})
        return id

    def listed(self, query: str = "") -> list[str]:
        """The ids of the sessions in a list."""
        name = "session_id" if self.vendor == "notte" else "id"
        shown = self.json("GET", f"{LISTS[self.vendor]}?{query}")
        items = shown if isinstance(shown, list) else shown.get("items", shown.get("data"))
        return [each[name] for each in items]

    def rows(self) -> list[Any]:
        return [self.app.rows(table) for table in STORED[self.vendor]]

    def is_refused(self, response: TestResponse, statuses: set[int] | None = None) -> bool:
        """Whether the answer is an error, which then has the vendor's body and such a status."""
        if response.status_code < 300:
            return False
        assert response.status_code in (statuses or REFUSED[self.vendor]), response.text
        assert response.content_type == "application/json"
        ERROR_BODIES[self.vendor](response)
        return True


PEOPLE = {
    "galtea": galtea.SEED,
    "mobilenext": identities.seed("mobilenext"),
    "notte": identities.seed("notte"),
    "scale": scale.SEED,
}


def make_caller(shared_app: SharedApp, vendor: str, *sessions: str) -> Caller:
    """Ana in a strict namespace with people, keys and sessions of these facts."""
    caller = Caller(vendor, shared_app("strict", PEOPLE[vendor]), "ana")
    caller.app.seed("".join(row(f"{vendor}.sessions", facts) for facts in sessions))
    return caller


START: Mapping[str, tuple[str, str, Any]] = {
    "galtea": ("POST", "/galtea/sessions", {"versionId": "ver_123"}),
    "mobilenext": ("POST", "/api/v1/sessions", None),
    "notte": ("POST", "/notte/session/start", {"session_timeout_minutes": 29}),
    "scale": ("POST", "/v4/sessions", {"title": "t", "state": {}, "account_id": "acme"}),
}
LISTS = {
    "galtea": "/galtea/sessions",
    "mobilenext": "/mobilenext/api/v1/sessions",
    "notte": "/notte/sessions",
    "scale": "/scale/v4/sessions",
}
STORED: Mapping[str, tuple[str, ...]] = {
    "galtea": ("galtea_sessions", "galtea_parents"),
    "mobilenext": MOBILENEXT_TABLES,
    "notte": ("notte_sessions",),
    "scale": ("scale_sessions", "scale_counts"),
}
REFUSED = {
    "galtea": {400, 404},
    "mobilenext": set(range(400, 500)),
    "notte": {400, 401, 404, 405, 422},
    "scale": {400, 403, 404, 413, 422},
}


def check_notte_error(response: TestResponse) -> None:
    assert {"detail"} <= response.json.keys() <= {"detail", "session_id"}


def check_scale_error(response: TestResponse) -> None:
    assert list(response.json) == ["detail"]
    for each in response.json["detail"] if response.status_code == 422 else ():
        assert {"loc", "msg", "type"} <= set(each)


ERROR_BODIES: Mapping[str, Callable[[TestResponse], Any]] = {
    "galtea": lambda response: galtea.assert_error(response, response.status_code, ""),
    "mobilenext": error_of,
    "notte": check_notte_error,
    "scale": check_scale_error,
}

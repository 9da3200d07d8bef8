"""Helpers that send Mobile Next's requests."""

import json
from typing import Any

from werkzeug.test import TestResponse

from sessionary.surfaces.mobilenext.queries import allocations, control, sessions
from tests.conftest import App
from tests.surfaces.mobilenext.strategies import uuid

ANDROID = {"attribute": "platform", "operator": "EQUALS", "value": "android"}
IOS = {"attribute": "platform", "operator": "EQUALS", "value": "ios"}
SECOND = 1_000_000
MINUTE = 60 * SECOND
# Tables that an error must not change.
TABLES = tuple(
    f"mobilenext_{name}" for name in ("devices", "sessions", "allocations", "marks", "facts")
)


def device(serial: str, **facts: object) -> str:
    """Return a device of a seed file, an iPhone unless the facts say otherwise."""
    phone = {"platform": "ios", "type": "real", "name": "iPhone", "version": "18"}
    given = {"serial": serial, **phone, **facts}
    return "[[devices]]\n" + "".join(f"{name} = {json.dumps(given[name])}\n" for name in given)


def filters_by_name(name: str, platform: str = "android") -> list[dict[str, str]]:
    """Return filters for devices of one name."""
    return [
        {"attribute": "platform", "operator": "EQUALS", "value": platform},
        {"attribute": "name", "operator": "EQUALS", "value": name},
    ]


def contents(app: App) -> dict[str, list[tuple[Any, ...]]]:
    """Return every stored row of this surface."""
    return {table: app.rows(table) for table in TABLES}


def add_copies(app: App, id: str, count: int, step: int) -> None:
    """Add released copies of a session, each created `step` microseconds after the one before."""
    with app.namespace.activate():
        session = control.find(id)
        assert session is not None
        for number in range(1, count + 1):
            copy, at = uuid(number), (session.row.created_at or 0) + number * step
            row = session.row._replace(id=copy, created_at=at, released_at=at)
            sessions.insert.run(**row._asdict())
            part = session.allocations[0]._replace(id=copy, session=copy, created_at=at)
            allocations.insert.run(**part._replace(released_at=at)._asdict())


class Calls:
    """The requests of a caller: a key, an optional organization, at the root or the prefix."""

    def __init__(
        self, app: App, key: str = "mob_test", *, organization: str | None = None, prefix: str = ""
    ) -> None:
        self.app = app
        self.client = app.client
        self.base = f"{prefix}/api/v1"
        self.headers = {"Authorization": f"Bearer {key}"}
        if organization is not None:
            self.headers["X-Organization-Id"] = organization

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(self.base + path, headers=self.headers, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.post(self.base + path, headers=headers, **options)

    def start(self) -> str:
        """Start a session and return its id."""
        response = self.post("/sessions")
        assert response.status_code == 201, response.text
        return str(response.json["id"])

    def allocate(self, session: str, *filters: dict[str, str]) -> TestResponse:
        body = {"filters": list(filters or (ANDROID,))}
        return self.post(f"/sessions/{session}/devices", json=body)

    def hold(self, *filters: dict[str, str]) -> dict[str, Any]:
        """Start a session with one device and return it as GET does."""
        session = self.start()
        response = self.allocate(session, *filters)
        assert response.status_code in (201, 202), response.text
        return self.session(session)

    def session(self, session: str) -> dict[str, Any]:
        response = self.get(f"/sessions/{session}")
        assert response.status_code == 200, response.text
        return dict(response.json)

    def release(self, session: str, device: str) -> TestResponse:
        return self.post(f"/sessions/{session}/devices/{device}/release")

    def listed(self, **query: Any) -> list[str]:
        """Return the ids of one page."""
        return [each["id"] for each in self.page(**query)["data"]]

    def page(self, **query: Any) -> dict[str, Any]:
        response = self.get("/sessions", query_string=query)
        assert response.status_code == 200, response.text
        return dict(response.json)

    def walk(self, limit: int) -> list[str]:
        """Return the ids of all pages, newest first."""
        found, query = [], {"limit": limit}
        while True:
            page = self.page(**query)
            found += [each["id"] for each in page["data"]]
            if "nextCursor" not in page:
                return found
            assert page["nextCursor"] != query.get("before"), "the walk stands still"
            query["before"] = page["nextCursor"]


def error_of(response: TestResponse) -> tuple[int, str]:
    """Return the status and code of an error; assert this vendor's envelope."""
    assert response.content_type == "application/json"
    assert set(response.json) == {"error"}, response.text
    assert set(response.json["error"]) == {"code", "message"}
    assert response.json["error"]["message"]
    return response.status_code, response.json["error"]["code"]

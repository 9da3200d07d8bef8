"""A namespace of a double under test: its calls, its clock, and all that can be read of it."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from sessionary.control.blueprint import Control
from sessionary.web.instants import parse, to_text

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
NOON = "2026-03-01T12:00:00.000000Z"
SURFACES = ("galtea", "mobilenext", "notte", "scale")
HEADERS = {
    "galtea": {"Authorization": "Bearer gsk_1"},
    "mobilenext": {"Authorization": "Bearer mob_1"},
    "notte": {"Authorization": "Bearer sk-notte-1"},
    "scale": {"x-api-key": "key"},
}
LISTS = (
    "/notte/sessions?only_active=false&page_size=100",
    "/notte/sessions?page_size=100",
    "/notte/health",
    "/galtea/sessions",
    *(f"/galtea/sessions?statuses={status}" for status in ("PENDING", "COMPLETED", "FAILED")),
    "/mobilenext/api/v1/sessions?limit=500",
    "/scale/v4/sessions?include_archived=true&limit=1000",
    "/scale/v4/sessions?limit=1000",
    "/_control/v1/sessions?limit=1000",
    "/_control/v1/timeline?limit=1000",
)
READS = {
    "galtea": ("/galtea/sessions/{}",),
    "mobilenext": (
        "/mobilenext/api/v1/sessions/{}",
        "/mobilenext/api/v1/sessions/{}/devices",
    ),
    "notte": ("/notte/sessions/{}",),
    "scale": ("/scale/v4/sessions/{}",),
}
_TOTALS = ("total_item_count", "active_sessions")

Seen = dict[str, Any]  # by path: the status and the JSON of the answer
Key = tuple[str, str]  # the surface and the id of a session


class Answer(NamedTuple):
    """The answer to a call; a connection that was dropped has the status 0."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class CheckedNamespace:
    """A namespace, with what was read of it at each instant that its clock has shown.

    The clock is moved by `move`, so that the instant that it leaves is read first. If it is moved
    back, the readings from there on are dropped: an instant means the last time that it was shown.
    """

    def __init__(self, app: Flask, name: str, described: dict[str, Any]) -> None:
        self.app = app
        self.name = name
        self.described = described
        self.control: Control = app.extensions["sessionary.control"]
        self.client: FlaskClient = app.test_client()
        self.recorded: dict[int, Seen] = {}
        self.answers: list[tuple[str, Answer]] = []
        # Sessions that were there when the clock went back, or with devices of calls when a seed
        # changed them: the instant that they name for their status is not the first that shows it.
        self.inexact: set[str] = set()
        self.wall: Traveller  # of the running case; it stands still unless an operation moves it

    def create(self) -> None:
        self.plane("POST", "namespaces", {"name": self.name, **self.described}, root=True)

    def fork(self) -> "CheckedNamespace":
        """A fork, with what was read of its parent."""
        made = CheckedNamespace(self.app, f"{self.name}_fork", self.described)
        if made.name in self.control.namespaces.names():
            self.control.namespaces.drop(made.name)
        self.plane("POST", f"namespaces/{self.name}/fork", {"name": made.name}, root=True)
        made.recorded, made.inexact = dict(self.recorded), set(self.inexact)
        made.wall = self.wall
        return made

    def call(self, method: str, path: str, body: Any = None, at: int | None = None) -> Answer:
        """Make a call in the namespace, to a surface or the control plane."""
        headers = dict(HEADERS.get(path.split("/")[1], {}))
        if at is not None:
            headers["Sessionary-At"] = to_text(at)
        try:
            got = self.client.open(
                f"/~{self.name}{path}", method=method, json=body, headers=headers
            )
            answer = Answer(got.status_code, got.data)
        except ConnectionError:
            return Answer(0, b"")
        if at is not None and "Sessionary-Now" in got.headers:
            assert got.headers["Sessionary-Now"] == to_text(at), path
        return answer

    def write(self, method: str, path: str, body: Any = None) -> Answer:
        """Make a vendor call that may write, and keep its answer."""
        answer = self.call(method, path, body)
        assert answer.status < 600
        assert answer.status != 500, answer.body
        self.answers.append((f"{method} {path} {body}", answer))
        return answer

    def plane(self, method: str, path: str, body: Any = None, *, root: bool = False) -> Any:
        """The JSON of a control-plane call, which must succeed."""
        prefix = "" if root else f"/~{self.name}"
        got = self.client.open(f"{prefix}/_control/v1/{path}", method=method, json=body)
        assert got.status_code < 300, f"{method} {path}: {got.text}"
        return got.json

    def now(self) -> int:
        return instant(self.plane("GET", "clock")["now"])

    def move(self, method: str, path: str, body: Any = None) -> None:
        """Read the namespace, and move its clock by a call."""
        self.let(lambda: self.plane(method, path, body))

    @contextmanager
    def wall_restored(self) -> Iterator[None]:
        """Set the wall clock back to what it was before the block."""
        before = datetime.now(UTC)
        yield
        self.wall.move_to(before)

    def let(self, change: Callable[[], Any]) -> None:
        """Read the namespace, and do what moves its clock."""
        before = self.now()
        self.recorded[before] = self.read()
        change()
        now = self.now()
        if now < before:
            self.inexact.update(each["id"] for each in self.sessions())
        self.recorded = {at: seen for at, seen in self.recorded.items() if at < now}

    def sessions(self, at: int | None = None) -> list[dict[str, Any]]:
        """All sessions as the control plane lists them, in order of creation."""
        answer = self.call("GET", "/_control/v1/sessions?limit=1000", at=at)
        assert answer.status == 200, answer.body
        return list(answer.json["sessions"])

    def statuses(self, at: int | None = None) -> dict[Key, str]:
        return {(each["surface"], each["id"]): each["status"] for each in self.sessions(at)}

    def paths(self) -> list[str]:
        """What can be read now."""
        found = list(LISTS)
        for each in self.sessions():
            surface, id = each["surface"], each["id"]
            found += [path.format(id) for path in READS[surface]]
            found.append(f"/_control/v1/sessions/{surface}/{id}/explain")
        return found

    def read(self, at: int | None = None, paths: Collection[str] = ()) -> Seen:
        """Read these paths, or all, now or as of an instant."""
        answers = {path: self.call("GET", path, at=at) for path in paths or self.paths()}
        found = {path: (answer.status, answer.json) for path, answer in answers.items()}
        for path, (_, value) in found.items():
            if path.endswith("/explain"):
                value.pop("opened_by", None)  # of the journal, which a copy does not have
        return found

    def state(self) -> Any:
        """All that a copy has: what can be read, changes, clock, faults."""
        after = to_text(0)
        diff = self.call("GET", f"/_control/v1/diff?from={after}&limit=10000")
        return self.read(), diff.json, self.plane("GET", "clock"), self.plane("GET", "faults")

    def check_recorded(self) -> None:
        """The past is as it was read then."""
        for at, seen in self.recorded.items():
            check_same(seen, self.read(at, seen), f"as of {to_text(at)}")

    def leave_out(self, ids: Collection[str]) -> None:
        """Check the past but for these sessions, which something has changed there."""
        for at, seen in self.recorded.items():
            present = without(self.read(at, seen), ids)
            check_same(without(seen, ids), present, f"as of {to_text(at)}, without {ids}")
            self.recorded[at] = self.read(at, [path for path in seen if path in present])


def instant(text: str) -> int:
    return parse(text) // 1000


def without(value: Any, ids: Collection[str]) -> Any:
    """The value without what it says of these sessions, and without numbers of sessions."""
    if isinstance(value, dict):
        return {
            name: without(each, ids)
            for name, each in value.items()
            if name not in _TOTALS and not any(id in name for id in ids)
        }
    if isinstance(value, (list, tuple)):
        return [without(each, ids) for each in value if not _is_of(each, ids)]
    return value


def _is_of(value: Any, ids: Collection[str]) -> bool:
    names = ("id", "session", "session_id")
    return isinstance(value, dict) and any(value.get(name) in ids for name in names)


def check_same(expected: Any, found: Any, what: str) -> None:
    """Assert that two readings are the same; the message has the first difference."""
    if expected == found:
        return
    path, before, now = next(iter(differences(expected, found)), ("order of names", "", ""))
    raise AssertionError(f"{what}: {path}: expected {before!r}, found {now!r}")


def differences(expected: Any, found: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """The places at which two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = dict.fromkeys([*expected, *found])
        pairs = {name: (expected.get(name, "absent"), found.get(name, "absent")) for name in names}
    elif isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        if len(expected) != len(found):
            return [(path, expected, found)]
        pairs = dict(enumerate(zip(expected, found, strict=True)))
    else:
        return [] if expected == found else [(path, expected, found)]
    return [
        each
        for name, (before, now) in pairs.items()
        for each in differences(before, now, f"{path} {name}")
    ]


def count_by_status(sessions: Collection[dict[str, Any]]) -> Counter[Key]:
    return Counter((each["surface"], each["status"]) for each in sessions)

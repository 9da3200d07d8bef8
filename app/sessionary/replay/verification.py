"""Replays a recording of a vendor's service against a fresh namespace, and compares the answers."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from sessionary import control
from sessionary.client import Client, ControlError
from sessionary.client.transport import Transport
from sessionary.client.wsgi_transport import wsgi_send
from sessionary.control.access import IN_PROCESS
from sessionary.factory import create_double, make_settings
from sessionary.replay.differences import SHAPE, TIME, VALUES, Comparison, Difference, Ids
from sessionary.replay.har import NO_BODY, Entry
from sessionary.settings import DOUBLE
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_text
from sessionary.web.sdk import ORGANIZATION
from sessionary.web.surface import Surface

STATUS = "status"
CHECKS = (STATUS, SHAPE, VALUES, TIME)
_URL = "http://sessionary.test"
_TENANT = re.compile(r".*(account|organization)[-_]?id", re.IGNORECASE)
_NOT_SENT = re.compile(
    r":.*|sec-.*|x-forwarded-.*|sessionary-.*|authorization|x-api-key|cookie|host|origin|referer"
    "|content-length|transfer-encoding|connection|accept-encoding|expect|forwarded|upgrade"
)


@dataclass
class Call:
    """What became of a recorded call: each check holds, fails or does not apply (None)."""

    entry: Entry
    route: str | None = None
    left_out: str | None = None
    checks: dict[str, bool | None] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def verify(entries: Sequence[Entry], surface: str) -> list[Call]:
    """Replay calls in a namespace of a new double, each at its instant; return what differs.

    The double has the vendor's own defaults. No credential of the recording is sent. Raises
    ControlError for an instant that no clock shows.
    """
    with _transport() as transport:
        now = to_text(entries[0].at) if entries else None
        name = Client(_URL, transport=transport).namespaces.create(now=now)["name"]
        client = Client(_URL, name, transport=transport)
        replay = _Replay(client, next(each for each in SURFACES if each.name == surface))
        return [replay.call(entry) for entry in entries]


@contextmanager
def _transport() -> Iterator[Transport]:
    """Send requests to a double that does not listen."""
    app = create_double(make_settings(**{**DOUBLE, "vendor_defaults": True}))

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[IN_PROCESS] = True
        return app(environ, start_response)

    try:
        yield wsgi_send(application)
    finally:
        control.close_namespaces(app)


class _Replay:
    def __init__(self, client: Client, surface: Surface) -> None:
        self._client = client
        self._surface = surface
        self._ids = Ids()
        self._comparison = Comparison(surface.session_key, self._ids)
        self._callers: dict[str, int] = {}
        scheme = surface.security
        self._credential = scheme.get("name", "Authorization")
        self._prefix = "Bearer " if scheme["type"] == "http" else ""

    def call(self, entry: Entry) -> Call:
        """Replay one call."""
        call, path = Call(entry), f"/{self._surface.name}{entry.path}"
        try:
            call.route = self._client.explain_request(entry.method, path)["route"]
        except ControlError as error:  # a path that cannot be sent
            call.left_out = error.detail
            return call
        call.left_out = self._reason(entry, call.route)
        if call.left_out is None:
            self._client.clock.freeze(to_text(entry.at))
            self._check(call, *self._send(entry))
        return call

    def _reason(self, entry: Entry, route: str | None) -> str | None:
        """Why a call cannot be replayed; None if it can."""
        if not entry.status:
            return "no response was recorded"
        if entry.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return "it opens a WebSocket; messages are not replayed"
        if route is None:
            return f"not a route of {self._surface.name}"
        templates, segments = route.split("/"), entry.path.rstrip("/").split("/")
        for template, segment in zip(templates, segments[-len(templates) :], strict=False):
            is_known = segment in self._ids.of_recorded or entry.status >= 400
            if template.startswith("{") and not is_known:
                return f"it names what the recording does not create: {segment}"
        return None

    def _send(self, entry: Entry) -> tuple[int, Any]:
        body = self._body(entry)
        path = quote(self._translate_path(entry.path), safe="/:@")
        query = self._ids.translate(entry.query)
        target = f"/{self._surface.name}{path}" + (f"?{query}" if query else "")
        response = self._client.transport(entry.method, target, self._headers(entry), body)
        try:
            return response.status, json.loads(response.content)
        except ValueError:
            return response.status, response.content.decode("utf-8", "replace") or NO_BODY

    def _translate_path(self, path: str) -> str:
        return "/".join(self._ids.translate(segment) for segment in path.split("/"))

    def _headers(self, entry: Entry) -> dict[str, str]:
        for name, value in entry.headers.items():
            if _TENANT.fullmatch(name):
                self._ids.learn(value, ORGANIZATION)
        headers = {
            name: self._ids.translate(value)
            for name, value in entry.headers.items()
            if not _NOT_SENT.fullmatch(name)
        }
        headers["Sessionary-Namespace"] = self._client.namespace
        if entry.status != 401:  # what was refused there is not known
            given = entry.headers.get(self._credential.lower(), "")
            caller = self._callers.setdefault(given, len(self._callers) + 1)
            key = f"{self._prefix}{self._surface.key_prefix}caller{caller}"
            headers[self._credential] = key
        return headers

    def _body(self, entry: Entry) -> bytes | None:
        if entry.body is None:
            return None
        try:
            document = json.loads(entry.body)
        except ValueError:
            return entry.body.encode()
        for name, value in document.items() if isinstance(document, dict) else ():
            if _TENANT.fullmatch(name) and isinstance(value, str):
                self._ids.learn(value, ORGANIZATION)
        return json.dumps(self._ids.translate(document)).encode()

    def _check(self, call: Call, status: int, response: Any) -> None:
        recorded = call.entry.response
        call.checks = dict.fromkeys(CHECKS)
        call.checks[STATUS] = status == call.entry.status
        if not call.checks[STATUS]:
            answer = f"{status} {'' if response is NO_BODY else json.dumps(response)}"
            call.differences = [Difference(STATUS, "", call.entry.status, answer)]
        elif NO_BODY not in (recorded, response):
            call.differences = self._comparison.compare(recorded, response, call.entry.took)
            failed = {each.check for each in call.differences}
            call.checks |= {check: check not in failed for check in (SHAPE, VALUES)}
            if self._comparison.has_changes:
                call.checks[TIME] = TIME not in failed


def counts(calls: Iterable[Call]) -> Mapping[str, tuple[int, int]]:
    """Return for each check how often it held, and how often it applied."""
    found = dict.fromkeys(CHECKS, (0, 0))
    for call in calls:
        for check, is_passed in call.checks.items():
            passed, count = found[check]
            found[check] = passed + bool(is_passed), count + (is_passed is not None)
    return found


def score(calls: Iterable[Call]) -> float | None:
    """Return the percentage of checks that hold; None if no call was replayed."""
    totals = [sum(column) for column in zip(*counts(calls).values(), strict=True)]
    return round(100 * totals[0] / totals[1], 1) if totals[1] else None

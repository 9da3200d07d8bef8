"""The recorder: writes a vendor call into the journal, without credentials."""

import logging
import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from sessionary import clock, store
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal import models
from sessionary.control.journal.redaction import Redactor, remove_created_keys
from sessionary.control.messages import (
    VendorRequest,
    VendorResponse,
    answer_to_message,
    parse_object,
)
from sessionary.web import json_codec
from sessionary.web.context import CALLER
from sessionary.web.held import READS
from sessionary.web.route_table import MATCH, RouteMatch, RouteTable

MAX_TEXT = 16_384  # characters of a recorded body
_DATA_URL = re.compile(rb"data:[a-z/]+;base64,[A-Za-z0-9+/=]*")
_HEADERS = ("Content-Type", "Sessionary-At")
_log = logging.getLogger("sessionary")


class RecordedExchange(NamedTuple):
    """A vendor call: request, body, response, the fault that it met, and when it was worked on."""

    request: VendorRequest
    body: bytes | None  # None if it was too large to be read
    body_bytes: int
    response: VendorResponse | None  # None if the connection was dropped
    fault: FaultRow | None
    at: int
    done: VendorResponse | None  # the response of its work, whatever was sent


class Recorder:
    """Records calls in the journal of the active namespace."""

    def __init__(self, routes: RouteTable, redactor: Redactor) -> None:
        self._routes = routes
        self._redactor = redactor

    def record(self, exchange: RecordedExchange) -> int | None:
        """Record a call; return its id, or None if it is not recorded, or later.

        A failure is logged only: the call itself is over.
        """
        request = exchange.request
        try:
            match = request.environ.get(MATCH) or self._routes.match(
                request.method, request.environ["PATH_INFO"]
            )
            if match.route == "/openapi.json":
                return None
            return self._insert(exchange, self._row(exchange, match))
        except store.NamespaceClosed:
            raise
        except Exception:  # noqa: BLE001 - the call must not fail because of the journal
            _log.exception("the journal could not record a call")
            return None

    def _insert(self, exchange: RecordedExchange, row: dict[str, Any]) -> int | None:
        """Insert a row, or have that of a read inserted later, after those before it."""
        namespace = store.current_namespace()
        if namespace.is_in_memory:
            return models.insert(**row)
        has_link = exchange.response is not None and exchange.response.code // 100 == 4
        may_be_later = not has_link and is_recorded_later(exchange.request.environ)
        if may_be_later and namespace.later.add(partial(models.insert, **row)):
            return None
        namespace.later.flush()
        with store.transaction("normal"):  # a power cut may take the last calls
            return models.insert(**row)

    def _row(self, exchange: RecordedExchange, match: RouteMatch) -> dict[str, Any]:
        request, response, fault = exchange.request, exchange.response, exchange.fault
        environ, caller = request.environ, request.environ.get(CALLER)
        session = match.values.get("session_id") or _session_in_bodies(exchange)
        content = b"" if response is None else response.start()
        response_bytes = 0 if response is None else len(response.body)
        status, sent = response and response.code, exchange.body
        if request.message is not None and sent is not None:
            if response is not None:
                content = answer_to_message(request, sent, response).start()
                content = _DATA_URL.sub(lambda found: b"%d characters" % len(found[0]), content)
                status = parse_object(content).get("error", {}).get("code", HTTPStatus.OK.value)
            sent, response_bytes = json_codec.to_bytes(request.message[1]), len(content)
        # Redact before cutting, or a part of a secret could remain at the cut.
        texts = self._redactor.redact(
            environ,
            {
                "path": request.path,
                "query": environ.get("QUERY_STRING", ""),
                "headers": json_codec.encode(recorded_headers(request)),
                "body": "" if sent is None else sent.decode(errors="replace"),
                "response": content.decode(errors="replace"),
                "session": session or "",
            },
        )
        body, answer = texts["body"], texts["response"]
        return {
            "at": exchange.at,
            "wall_at": clock.wall(),
            "surface": request.surface and request.surface.name,
            "method": request.method,
            "path": remove_created_keys(texts["path"]),
            "route": request.message_route or match.route,
            "query": texts["query"][:MAX_TEXT],
            "headers": texts["headers"],
            "body": body[:MAX_TEXT] or None,
            "body_bytes": exchange.body_bytes,
            "body_truncated": int(exchange.body is None or len(body) > MAX_TEXT),
            "status": status,
            "response": answer[:MAX_TEXT] or None,
            "response_bytes": response_bytes,
            "response_truncated": int(len(answer) > MAX_TEXT or len(content) < response_bytes),
            "user": caller and caller.user,
            "organization": caller and caller.organization,
            "session": remove_created_keys(texts["session"]) or None,
            "fault": fault and fault.id,
            "fault_kind": fault and fault.kind,
            "fault_phase": fault and fault.phase,
        }


def is_recorded_later(environ: Mapping[str, Any]) -> bool:
    """Return whether the row of a call in a file may be written after its response.

    Only that of a read; and other processes could not wait for it when they read the journal.
    """
    return environ["REQUEST_METHOD"] in READS and not environ.get("wsgi.multiprocess")


def recorded_headers(request: VendorRequest) -> dict[str, str]:
    """The headers that the meaning of a call depends on; never a credential."""
    surface, names = request.surface, _HEADERS
    if surface is not None:
        parameters = (each["name"] for each in surface.header_parameters)
        names = (*_HEADERS, *surface.journal_headers, *parameters)
    found = {}
    for name in names:
        key = name.upper().replace("-", "_")
        value = request.environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")
        if value:
            found[name.lower()] = value
    return found


def _session_in_bodies(exchange: RecordedExchange) -> str | None:
    """The session that a POST created or named, if its path does not name it."""
    surface = exchange.request.surface
    if surface is None or exchange.request.method != "POST":
        return None
    bodies = [] if exchange.done is None else [parse_object(exchange.done.start())]
    bodies += [each["session"] for each in bodies if isinstance(each.get("session"), dict)]
    if surface.session_key != "id" and exchange.body:
        bodies.append(parse_object(exchange.body))
    found = (each.get(surface.session_key) for each in bodies)
    return next((id for id in found if isinstance(id, str)), None)

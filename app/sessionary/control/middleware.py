"""WSGI middleware around every request: faults, journal and the `Sessionary-` headers."""

import time
from collections.abc import Iterable
from typing import Any

from flask import Flask

from sessionary import clock, store
from sessionary.control.blueprint import PREFIX, Control
from sessionary.control.faults import matching
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal.recorder import RecordedExchange, Recorder
from sessionary.control.messages import (
    VendorRequest,
    VendorResponse,
    buffer_body,
    build_response,
    call_wsgi,
)
from sessionary.settings import Settings
from sessionary.store import DEFAULT, Namespace
from sessionary.web import json_codec
from sessionary.web.instants import to_text

_CONTROL = f"/{PREFIX}/"
_NAMESPACES = f"/{PREFIX}/namespaces"
_ANSWERED = (matching.LATENCY, matching.TRUNCATED)  # the application answers despite the fault
# Environ keys of functions that a server provides: reset the connection, sleep until shutdown.
RESET, SLEEP = "sessionary.reset", "sessionary.sleep"


class ControlMiddleware:
    """Serves a request in its namespace; a vendor call also meets faults and is recorded.

    The response's headers name the namespace and its time.
    """

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SESSIONARY"]
        control: Control = app.extensions["sessionary.control"]
        self._application = app.wsgi_app
        self._routes = control.routes
        self._max_body_bytes = settings.max_body_bytes
        self._recorder = Recorder(control.routes, control.surfaces) if settings.journal else None

    def __call__(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(_NAMESPACES):  # its views activate the namespaces in their paths
            return self._application(environ, start_response)
        if path.startswith(_CONTROL):
            with namespace.activate(), store.undo_log.rewind_scope():
                return self._application(environ, start_response)
        return self._vendor_call(namespace, environ, start_response)

    def _vendor_call(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        body = buffer_body(environ, self._max_body_bytes)
        request = VendorRequest.of(self._routes, environ)
        with namespace.activate():
            fault = matching.hit(self._routes, request)
            if fault is None:
                response = self._respond(namespace, request, body, None)
        if fault is not None:
            # Sleep outside the namespace, so that other requests do not wait for its lock.
            environ.get(SLEEP, time.sleep)(fault.delay_us / 1_000_000)
            with namespace.activate():
                response = self._respond(namespace, request, body, fault)
        return _send(response, fault, environ, start_response)

    def _respond(
        self,
        namespace: Namespace,
        request: VendorRequest,
        body: tuple[bytes | None, int],
        fault: FaultRow | None,
    ) -> VendorResponse | None:
        """Answer and record a request; None if the connection is to be dropped."""
        call = f"{request.method} {request.environ['PATH_INFO']}"
        with store.undo_log.rewind_scope(), store.undo_log.attributed_to(call):
            clock.last_read_at.set(None)
            if fault is None or fault.kind in _ANSWERED:
                response: VendorResponse | None = call_wsgi(self._application, request.environ)
            else:
                response = _failure(request, fault)
            at = clock.last_read_at.get() or clock.now()
        call_id = None
        if self._recorder is not None:
            call_id = self._recorder.record(RecordedExchange(request, *body, response, fault))
        if response is None:
            return None
        headers = [("Sessionary-Now", to_text(at)), ("Sessionary-Namespace", namespace.name)]
        if call_id is not None and 400 <= response.code < 500:
            headers.append(("Link", _explain_link(namespace, request.environ, call_id)))
        return response._replace(headers=[*response.headers, *headers])


def _failure(request: VendorRequest, fault: FaultRow) -> VendorResponse | None:
    if fault.status is None or fault.body is None:
        return None
    headers = json_codec.decode(fault.headers)
    return build_response(request, fault.status, headers, fault.body.encode())


def _send(
    response: VendorResponse | None,
    fault: FaultRow | None,
    environ: dict[str, Any],
    start_response: Any,
) -> Iterable[bytes]:
    """Start the response. Raises ConnectionResetError to have the server close the connection."""
    if response is None:
        if fault is not None and fault.kind == matching.RESET and RESET in environ:
            environ[RESET]()
        raise matching.connection_dropped()
    start_response(response.status, response.headers)
    if fault is not None and fault.kind == matching.TRUNCATED:
        return matching.first_half(response)
    return [response.body]


def _explain_link(namespace: Namespace, environ: dict[str, Any], call_id: int) -> str:
    """The Link header of an error response: the explanation of the recorded call."""
    mounted = environ.get("SCRIPT_NAME", "").removesuffix(f"/~{namespace.name}")
    name = "" if namespace.name == DEFAULT else f"/~{namespace.name}"
    return f'<{mounted}{name}{_CONTROL}journal/{call_id}/explain>; rel="help"'

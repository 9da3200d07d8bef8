"""WSGI middleware around every request: faults, journal and the `Sessionary-` headers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, NamedTuple

from flask import Flask

from sessionary import clock, store
from sessionary.control import request_ids
from sessionary.control.blueprint import CONTROL_PATH, NAMESPACES_PATH, Control
from sessionary.control.compression import call_compressed
from sessionary.control.delays import DelayedCall, activate_unchanged
from sessionary.control.faults import matching
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal.recorder import RecordedExchange, Recorder, is_recorded_later
from sessionary.control.journal.redaction import Redactor
from sessionary.control.messages import (
    VendorRequest,
    VendorResponse,
    buffer_body,
    build_response,
    call_wsgi,
)
from sessionary.control.recording import CallRecorder, CallStep
from sessionary.settings import Settings
from sessionary.store import DEFAULT, Namespace
from sessionary.web import json_codec
from sessionary.web.events import REFUSED
from sessionary.web.held import LARGE, LOAD, READS, Held, call_by_size, call_when_free
from sessionary.web.instants import to_text

RESET = "sessionary.reset"  # environ key of a function of the server: reset the connection


class _Work(NamedTuple):
    """What a call has done: its response, if it has one, and instants to show and to record."""

    response: VendorResponse | None
    shown_at: int
    recorded_at: int
    step: CallStep | None = None  # of a recorded run


class ControlMiddleware:
    """Serves a request in its namespace; a vendor call also meets faults and is recorded.

    The response's headers name the namespace and its time.
    """

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SESSIONARY"]
        control: Control = app.extensions["sessionary.control"]
        self._application = app.wsgi_app
        self._control_application = partial(call_compressed, app.wsgi_app)
        self._routes = control.routes
        self._max_body_bytes = settings.max_body_bytes
        redactor = Redactor.of(control.surfaces, settings.control_token)
        self._recorder = Recorder(control.routes, redactor) if settings.journal else None
        self._run_recorder = CallRecorder(redactor)

    def __call__(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(NAMESPACES_PATH):  # its views activate the namespaces in their paths
            environ[LOAD] = LARGE
            call = partial(self._namespaces_call, namespace, environ, start_response)
            return Held(call, thread="control")
        generation = namespace.generation  # before the body is read, which may take long
        if path.startswith(CONTROL_PATH):
            call = partial(self._control_call, namespace, generation, environ, start_response)
            may_write = False
        else:
            body = buffer_body(environ, self._max_body_bytes)
            request = VendorRequest.of(self._routes, environ, body[0])
            call = partial(self._vendor_call, namespace, generation, request, body, start_response)
            may_write = self._recorder is not None and not is_recorded_later(environ)
        may_write = may_write or environ["REQUEST_METHOD"] not in READS
        return call_when_free(namespace, environ, call, may_write=may_write)

    def _namespaces_call(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        if namespace.seeded_ids != (namespace.generation, False):
            with activate_unchanged(namespace, namespace.generation):
                start_response = request_ids.assign(environ, start_response)
        return self._control_application(environ, start_response)

    def _control_call(
        self, namespace: Namespace, generation: int, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        with activate_unchanged(namespace, generation):
            start_response = request_ids.assign(environ, start_response)
            if not _is_copied(namespace, environ):
                with store.undo_log.reading(None), store.undo_log.attributed_to(call):
                    return self._control_application(environ, start_response)
        with _activate_copy(namespace, generation), store.undo_log.reading(None):
            return self._control_application(environ, start_response)

    def _vendor_call(
        self,
        namespace: Namespace,
        generation: int,
        request: VendorRequest,
        body: tuple[bytes | None, int],
        start_response: Any,
    ) -> Iterable[bytes]:
        def answer(fault: FaultRow | None, work: _Work | None = None) -> Iterable[bytes]:
            if work is None and _is_copied(namespace, request.environ):
                with _activate_copy(namespace, generation):
                    work = self._work(namespace, request, fault)
            with activate_unchanged(namespace, generation):
                work = work or self._work(namespace, request, fault)
                response = self._respond(namespace, request, body, work, fault)
            return _send(response, fault, request.environ, start_response)

        def hold(fault: FaultRow, answer: Callable[[FaultRow], Iterable[bytes]]) -> Held:
            return DelayedCall(namespace, generation, request.environ, fault, answer).held()

        def work_and_hold(fault: FaultRow) -> Held:
            with activate_unchanged(namespace, generation):
                return hold(fault, partial(answer, work=self._work(namespace, request, fault)))

        with activate_unchanged(namespace, generation):
            start_response = request_ids.assign(request.environ, start_response)
            is_refused = REFUSED in request.environ
            fault = None if is_refused else matching.hit(self._routes, request)
            if fault is None or not fault.delay_us:
                return call_by_size(request.environ, partial(answer, fault))
            # In the namespace's lock: nothing can be disarmed before the delay is known to it.
            if fault.phase == matching.AFTER:
                return call_by_size(request.environ, partial(work_and_hold, fault))
            return hold(fault, answer)

    def _work(self, namespace: Namespace, request: VendorRequest, fault: FaultRow | None) -> _Work:
        """Do the work of a call, unless a fault acts before it."""
        if namespace.recording is None:
            return self._unrecorded_work(request, fault)
        with clock.held():  # so that all of it can be repeated at one instant
            step = CallStep.begin(namespace.recording)
            return self._unrecorded_work(request, fault)._replace(step=step)

    def _unrecorded_work(self, request: VendorRequest, fault: FaultRow | None) -> _Work:
        call = f"{request.method} {request.message_route or request.environ['PATH_INFO']}"
        with store.undo_log.reading(None), store.undo_log.attributed_to(call):
            clock.last_read_at.set(None)
            response = self._call_application(request, fault)
            at = clock.last_read_at.get() or clock.now()
        return _Work(response, at, clock.now() if "HTTP_SESSIONARY_AT" in request.environ else at)

    def _call_application(
        self, request: VendorRequest, fault: FaultRow | None
    ) -> VendorResponse | None:
        if fault is None or fault.kind == matching.LATENCY or fault.phase == matching.AFTER:
            return call_wsgi(self._application, request.environ)
        if fault.kind != matching.TRUNCATED:
            return None
        with store.dry_run():  # half of a response is sent, of which nothing is stored
            return call_wsgi(self._application, request.environ)

    def _respond(
        self,
        namespace: Namespace,
        request: VendorRequest,
        body: tuple[bytes | None, int],
        work: _Work,
        fault: FaultRow | None,
    ) -> VendorResponse | None:
        """Answer and record a request; None if the connection is to be dropped."""
        response, at, recorded_at, step = work
        if fault is not None and fault.kind not in (matching.LATENCY, matching.TRUNCATED):
            response = _failure(request, fault)
        call_id = None
        exchange = RecordedExchange(request, *body, response, fault, recorded_at, work.response)
        if self._recorder is not None:
            call_id = self._recorder.record(exchange)
        if response is not None:
            headers = [("Sessionary-Now", to_text(at)), ("Sessionary-Namespace", namespace.name)]
            if call_id is not None and 400 <= response.code < 500:
                headers.append(("Link", _explain_link(namespace, request.environ, call_id)))
            response = response._replace(headers=[*response.headers, *headers])
        if step is not None and namespace.recording is not None:
            answered = exchange._replace(response=response)
            self._run_recorder.record(namespace.recording, step, answered)
        return response


def _is_copied(namespace: Namespace, environ: dict[str, Any]) -> bool:
    """Return whether a large response is made from a copy: others need the only connection.

    Those that are recorded are made in order.
    """
    return namespace.is_in_memory and LOAD in environ and namespace.recording is None


@contextmanager
def _activate_copy(namespace: Namespace, generation: int) -> Iterator[None]:
    with activate_unchanged(namespace, generation):
        copy = namespace.copy()
    with closing(copy), copy.activate():
        yield


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
    return response.parts()


def _explain_link(namespace: Namespace, environ: dict[str, Any], call_id: int) -> str:
    """The Link header of an error response: the explanation of the recorded call."""
    mounted = environ.get("SCRIPT_NAME", "").removesuffix(f"/~{namespace.name}")
    name = "" if namespace.name == DEFAULT else f"/~{namespace.name}"
    return f'<{mounted}{name}{CONTROL_PATH}journal/{call_id}/explain>; rel="help"'

"""What the control plane does around every request: before it, and behind it."""

import time
from collections.abc import Iterable
from typing import Any

from flask import Flask

from sessionary import clock, store
from sessionary.control.blueprint import PREFIX, Control
from sessionary.control.faults import matching
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal.recorder import Heard, record
from sessionary.control.messages import Answer, Asked, ask, made, take_body
from sessionary.settings import Settings
from sessionary.store import DEFAULT, Namespace
from sessionary.web import json_codec
from sessionary.web.instants import to_text

_CONTROL = f"/{PREFIX}/"
_NAMESPACES = f"/{PREFIX}/namespaces"
_LET_THROUGH = (matching.LATENCY, matching.TRUNCATED)
# Where a server says how to break off a request's connection, and how to sleep until it stops.
RESET, SLEEP = "sessionary.reset", "sessionary.sleep"


class Gate:
    """Takes a request into its namespace, and says in its headers which namespace and which
    instant.

    A vendor's call may meet a fault on its way, and is written into the journal behind it.
    """

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SESSIONARY"]
        control: Control = app.extensions["sessionary.control"]
        self._application = app.wsgi_app
        self._addresses = control.addresses
        self._longest_body = settings.max_body_bytes
        self._keeps_journal = settings.journal

    def __call__(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(_NAMESPACES):  # its views enter the namespaces that they name
            return self._application(environ, start_response)
        if path.startswith(_CONTROL):
            with namespace.activate(), store.undo_log.rewind_scope():
                return self._application(environ, start_response)
        return self._vendor_call(namespace, environ, start_response)

    def _vendor_call(
        self, namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        body = take_body(environ, self._longest_body)
        asked = Asked.of(self._addresses, environ)
        with namespace.activate():
            fault = matching.hit(self._addresses, asked)
            if fault is None:
                answer = self._answer(namespace, asked, body, None)
        if fault is not None:
            # With the namespace left: nobody else waits for it.
            environ.get(SLEEP, time.sleep)(fault.delay_us / 1_000_000)
            with namespace.activate():
                answer = self._answer(namespace, asked, body, fault)
        return _send(answer, fault, environ, start_response)

    def _answer(
        self,
        namespace: Namespace,
        asked: Asked,
        body: tuple[bytes | None, int],
        fault: FaultRow | None,
    ) -> Answer | None:
        """What is answered and written down; None where the connection is dropped instead."""
        call = f"{asked.method} {asked.environ['PATH_INFO']}"
        with store.undo_log.rewind_scope(), store.undo_log.attributed_to(call):
            clock.last_read_at.set(None)
            if fault is None or fault.kind in _LET_THROUGH:
                answer: Answer | None = ask(self._application, asked.environ)
            else:
                answer = _failed(asked, fault)
            at = clock.last_read_at.get() or clock.now()
        kept = None
        if self._keeps_journal:
            kept = record(self._addresses, asked, Heard(*body, answer, fault))
        if answer is None:
            return None
        said = [("Sessionary-Now", to_text(at)), ("Sessionary-Namespace", namespace.name)]
        if kept is not None and 400 <= answer.code < 500:
            said.append(("Link", _link(namespace, asked.environ, kept)))
        return answer._replace(headers=[*answer.headers, *said])


def _failed(asked: Asked, fault: FaultRow) -> Answer | None:
    if fault.status is None or fault.body is None:
        return None
    return made(asked, fault.status, json_codec.decode(fault.headers), fault.body.encode())


def _send(
    answer: Answer | None, fault: FaultRow | None, environ: dict[str, Any], start_response: Any
) -> Iterable[bytes]:
    """Raises what a server takes for a client that has gone, to have it close the connection."""
    if answer is None:
        if fault is not None and fault.kind == matching.RESET and RESET in environ:
            environ[RESET]()
        raise matching.dropped()
    start_response(answer.status, answer.headers)
    if fault is not None and fault.kind == matching.TRUNCATED:
        return matching.first_half(answer)
    return [answer.body]


def _link(namespace: Namespace, environ: dict[str, Any], call: int) -> str:
    """Where a refused call is explained, in its namespace."""
    mounted = environ.get("SCRIPT_NAME", "").removesuffix(f"/~{namespace.name}")
    name = "" if namespace.name == DEFAULT else f"/~{namespace.name}"
    return f'<{mounted}{name}{_CONTROL}journal/{call}/explain>; rel="help"'

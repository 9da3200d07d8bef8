"""WSGI middleware that assigns a request id and notifies observers after the response."""

import os
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sessionary import logs
from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.web.context import CALLER
from sessionary.web.events import FAILURE, REQUEST_ID, Observer, RequestFinished
from sessionary.web.held import Held, Make, call_within
from sessionary.web.route_table import MATCH, RouteMatch

HEADER = "Sessionary-Request-Id"
_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS"})
# Not the shared generator, which tests may seed; and it needs no system call per request.
_random = random.Random()  # noqa: S311 - request ids may be guessed
os.register_at_fork(after_in_child=_random.seed)


class RequestIdMiddleware:
    """Assigns a request id, and calls the observers when the response or the connection ends."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        error_handlers: ErrorHandlers,
        observers: Sequence[Observer],
    ) -> None:
        self._application = application
        self._surface = error_handlers.surface
        self._observers = observers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.perf_counter()
        environ[REQUEST_ID], status = _request_id(environ), None

        def start(status_line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status
            status = int(status_line[:3])
            return start_response(status_line, [*headers, (HEADER, environ[REQUEST_ID])], *rest)

        def layer(make: Make) -> Iterable[bytes]:
            token = logs.request_id.set(environ[REQUEST_ID])
            is_held = False
            try:
                body = make()
                is_held = isinstance(body, Held)
                return body
            finally:
                if self._observers and not is_held:
                    self._notify(environ, status, time.perf_counter() - began)
                logs.request_id.reset(token)

        return call_within(layer, partial(self._application, environ, start))

    def _notify(self, environ: dict[str, Any], status: int | None, seconds: float) -> None:
        method, caller = environ["REQUEST_METHOD"], environ.get(CALLER)
        surface, route = self._surface_and_route(environ)
        finished = RequestFinished(
            request_id=environ[REQUEST_ID],
            surface=surface,
            method=method if method in _METHODS else "OTHER",
            route=route,
            status=status,
            seconds=seconds,
            organization=None if caller is None else caller.organization,
            failure=environ.get(FAILURE),
        )
        for observer in self._observers:
            with suppress(OSError):  # a full disk must not fail the request
                observer(finished)

    def _surface_and_route(self, environ: dict[str, Any]) -> tuple[str | None, str | None]:
        match: RouteMatch | None = environ.get(MATCH)
        surface = match.surface if match else self._surface(environ["PATH_INFO"])
        return None if surface is None else surface.name, match and match.route


def _request_id(environ: dict[str, Any]) -> str:
    """The id that the request brings, if it is well-formed, or a new one."""
    brought: str | None = environ.get("HTTP_X_REQUEST_ID")
    if brought is not None and _VALID_ID.fullmatch(brought):
        return brought
    return f"{_random.getrandbits(64):016x}"

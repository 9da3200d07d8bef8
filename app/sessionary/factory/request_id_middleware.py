"""The outermost layer: each request has an id, and is told of once it is answered."""

import os
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from flask import request

from sessionary import logs
from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.web.context import CALLER
from sessionary.web.events import FAILURE, ROUTE, Observer, RequestFinished
from sessionary.web.openapi import path_template

HEADER = "Sessionary-Request-Id"
_RULE = "sessionary.rule"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Its own, for a test may have seeded the shared one; and no system call for each request.
_chance = random.Random()  # noqa: S311 - nobody has to be kept from guessing it
os.register_at_fork(after_in_child=_chance.seed)


def note_rule() -> None:
    """Keep what Flask forgets at the end of a request: which rule it went by, if any."""
    request.environ[_RULE] = request.url_rule


class RequestIdMiddleware:
    """Gives each request an id, and tells of it when it is answered, or dropped."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        refusals: ErrorHandlers,
        observers: Sequence[Observer],
    ) -> None:
        self._application = application
        self._refusals = refusals
        self._observers = observers
        self._route = lru_cache(maxsize=None)(self._found_route)  # there are as many as rules

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.perf_counter()
        id, status = _request_id(environ), None
        token = logs.request_id.set(id)

        def start(said: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status
            status = int(said[:3])
            return start_response(said, [*headers, (HEADER, id)], *rest)

        try:
            return self._application(environ, start)
        finally:
            if self._observers:
                self._notify(environ, id, status, time.perf_counter() - began)
            logs.request_id.reset(token)

    def _notify(self, environ: dict[str, Any], id: str, status: int | None, seconds: float) -> None:
        method, caller = environ["REQUEST_METHOD"], environ.get(CALLER)
        surface, route = self._whose(environ)
        answered = RequestFinished(
            request_id=id,
            surface=surface,
            method=method if method in _METHODS else "OTHER",
            route=route,
            status=status,
            seconds=seconds,
            organization=None if caller is None else caller.organization,
            failure=environ.get(FAILURE),
        )
        for observer in self._observers:
            with suppress(OSError):  # a full disk behind the log is no reason to refuse anything
                observer(answered)

    def _whose(self, environ: dict[str, Any]) -> tuple[str | None, str | None]:
        """The surface and the route of a request that the application has seen."""
        rule = environ.get(_RULE)
        if rule is not None:
            return self._route(rule.rule)
        surface = self._refusals.surface(environ["PATH_INFO"])
        return None if surface is None else surface.name, environ.get(ROUTE)

    def _found_route(self, rule: str) -> tuple[str | None, str]:
        surface = self._refusals.surface(rule)
        if surface is None:
            return None, path_template(rule)
        prefix = f"/{surface.name}/"
        return surface.name, path_template(
            f"/{rule.removeprefix(prefix)}" if rule.startswith(prefix) else rule
        )


def _request_id(environ: dict[str, Any]) -> str:
    """The request's own, if it brings a well-formed one, else a new one."""
    given: str | None = environ.get("HTTP_X_REQUEST_ID")
    if given is not None and _GIVEN.fullmatch(given):
        return given
    return f"{_chance.getrandbits(64):016x}"
